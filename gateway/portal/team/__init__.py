"""A team's settings, and what is told of it: its audit and its statements."""
