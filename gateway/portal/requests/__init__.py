"""The console's requests: a team's log as it grows, and each request on a page of its own."""
