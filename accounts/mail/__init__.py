"""Mail to people: one form for all of it, sent by one function, and stopped by one click where it is no duty."""
