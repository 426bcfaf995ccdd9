"""Ids of requests, calls and attempts."""

import os
import time

_RANDOM_DIGITS = 20
_MINTED_AT_ONCE = 256
_waiting: list[str] = []
# A child must not give out what its parent gives out too.
os.register_at_fork(after_in_child=_waiting.clear)


def mint_id() -> str:
    """The time in ms, then 80 random bits, in hex: fits a UUID column, and rows of one time lie together in an index.

    Minted many at once, with one time: to ask the system for random bits is what costs.
    """
    try:
        return _waiting.pop()
    except IndexError:
        digits = os.urandom(_RANDOM_DIGITS // 2 * _MINTED_AT_ONCE).hex()
        moment = f"{time.time_ns() // 1_000_000:012x}"
        parts = range(_RANDOM_DIGITS, len(digits), _RANDOM_DIGITS)
        _waiting.extend(moment + digits[start : start + _RANDOM_DIGITS] for start in parts)
        return moment + digits[:_RANDOM_DIGITS]
