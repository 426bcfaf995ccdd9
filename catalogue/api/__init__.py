"""The catalogue over REST."""
