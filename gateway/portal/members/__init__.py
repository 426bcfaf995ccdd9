"""Who belongs to a team: listed, invited, given another role, and suspended."""
