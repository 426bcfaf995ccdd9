"""Counts the work of a piece of code without a clock: calls made, and all bytes allocated, given back or not."""

import gc
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST_GROWTH = 2.3
"""What twice the input may cost. Twice would be linear; lists and tables grow in steps."""


@dataclass
class Work:
    calls: int = 0
    allocated: int = 0


def count_work(action: Callable[[], object]) -> Work:
    """Joining what has grown shows in bytes, looking through it again in calls."""
    work = Work()
    gc.disable()
    tracemalloc.start(1)
    before = tracemalloc.get_traced_memory()[0]

    def see(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal before
        current, peak = tracemalloc.get_traced_memory()
        work.allocated += max(0, peak - before)
        work.calls += event in {"call", "c_call"}
        tracemalloc.reset_peak()
        before = current

    sys.setprofile(see)
    try:
        action()
    finally:
        sys.setprofile(None)
        tracemalloc.stop()
        gc.enable()
    return work


def assert_linear(make: Callable[[int], Callable[[], object]], size: int) -> None:
    """`make` gives the code for an input of that size."""
    once, twice = count_work(make(size)), count_work(make(2 * size))
    assert twice.calls <= MOST_GROWTH * once.calls, (once, twice)
    assert twice.allocated <= MOST_GROWTH * once.allocated, (once, twice)
