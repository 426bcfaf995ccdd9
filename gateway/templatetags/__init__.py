"""What templates of all packages may load."""
