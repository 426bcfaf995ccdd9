"""The HTTP server around both planes: its signals, its bounds, and what stands in front of it."""
