"""Where a team's alerts go, and each delivery."""
