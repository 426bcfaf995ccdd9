"""Bringing a sheet in: read and judged without a lock, looked at and confirmed, then written in short transactions."""
