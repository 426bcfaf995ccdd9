"""The store: volatile state that processes share, behind one interface with a memory and a Redis form."""
