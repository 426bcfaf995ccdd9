"""What a call is about: a room for each kind of it, from what it requires to the adapter that makes it."""
