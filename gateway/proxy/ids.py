"""Ids of requests, calls and attempts."""

import os

_DIGITS = 32
_MINTED_AT_ONCE = 256
_waiting: list[str] = []
# A child must not give out what its parent gives out too.
os.register_at_fork(after_in_child=_waiting.clear)


def mint_id() -> str:
    """128 random bits in hex: fits a UUID column. Minted many at once: to ask the system is what costs."""
    try:
        return _waiting.pop()
    except IndexError:
        digits = os.urandom(_DIGITS // 2 * _MINTED_AT_ONCE).hex()
        _waiting.extend(digits[start : start + _DIGITS] for start in range(_DIGITS, len(digits), _DIGITS))
        return digits[:_DIGITS]
