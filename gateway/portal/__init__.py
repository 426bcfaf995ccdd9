"""The pages of teams: signing in, and the keys of a team."""
