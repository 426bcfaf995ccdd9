"""Models' lives: the status that follows from their dates, what happens when, and a check of names in use. Pure."""
