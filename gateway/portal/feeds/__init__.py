"""Feeds and calendars of the catalogue: their addresses, and the keys that stand in them."""
