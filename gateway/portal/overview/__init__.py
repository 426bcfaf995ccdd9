"""A team's first page: what it used and spent over time, what is left of its budgets, and what needs somebody."""
