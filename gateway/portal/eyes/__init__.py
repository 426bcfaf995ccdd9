"""The catalogue's pages with a team's eyes: what it may call, and what stands against it."""
