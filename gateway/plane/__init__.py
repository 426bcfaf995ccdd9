"""A process that calls are made in, from start to stop: its parts, and what becomes of attempts."""
