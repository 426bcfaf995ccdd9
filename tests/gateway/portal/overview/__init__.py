"""The overview of a team."""
