"""Ids of requests, calls and attempts."""

import os


def mint_id() -> str:
    """128 random bits in hex: fits a UUID column, at a tenth of what a UUID object costs."""
    return os.urandom(16).hex()
