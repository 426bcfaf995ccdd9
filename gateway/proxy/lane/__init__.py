"""The worker lane: a call made by another process, its job out through the store and its bytes back by pub/sub."""
