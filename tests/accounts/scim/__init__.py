"""SCIM: what identity providers say, and what becomes of it."""
