"""What operators ask: whether settings are safe, what is unhealthy, and whether tables are as they should be."""
