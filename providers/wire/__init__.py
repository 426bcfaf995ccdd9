"""Typed values that every wire format is read into."""
