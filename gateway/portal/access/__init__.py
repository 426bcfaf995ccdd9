"""Requests for more: asked for by whoever lacks something, and decided."""
