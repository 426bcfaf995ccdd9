"""Limits and budgets: all that binds a team, whose each is, and setting them."""
