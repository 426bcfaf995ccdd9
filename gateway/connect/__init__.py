"""Connecting a provider: from a key or an address to models that can be called, on two pages of the admin."""
