"""Counts the work of a piece of code without a clock: calls made, and all bytes allocated, given back or not."""

import gc
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST_GROWTH = 2.3
"""What twice the input may cost. Twice would be linear; lists and tables grow in steps."""


@dataclass(frozen=True)
class Work:
    calls: int
    allocated: int


def count_work(action: Callable[[], object]) -> Work:
    """Joining what has grown shows in bytes, looking through it again in calls."""
    calls = allocated = 0
    gc.disable()
    tracemalloc.start(1)
    traced_memory, reset_peak = tracemalloc.get_traced_memory, tracemalloc.reset_peak
    before = traced_memory()[0]

    def see(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls, allocated, before
        # Of a return nothing is noted: what was allocated until then is found at the next call.
        if event == "call" or event == "c_call":  # noqa: PLR1714 - twice as fast, and this runs most of all
            calls += 1
            current, peak = traced_memory()
            if peak > before:
                allocated += peak - before
            reset_peak()
            before = current

    sys.setprofile(see)
    try:
        action()
    finally:
        sys.setprofile(None)
        allocated += max(0, traced_memory()[1] - before)
        tracemalloc.stop()
        gc.enable()
    return Work(calls, allocated)


def assert_linear(make: Callable[[int], Callable[[], object]], size: int) -> None:
    """`make` gives the code for an input of that size."""
    once, twice = count_work(make(size)), count_work(make(2 * size))
    assert twice.calls <= MOST_GROWTH * once.calls, (once, twice)
    assert twice.allocated <= MOST_GROWTH * once.allocated, (once, twice)
