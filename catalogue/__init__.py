"""What we offer: organisations, models, aliases, offerings, prices and their published editions."""
