"""What is published: the snapshot of it in memory, and what clients read of it at an instant."""
