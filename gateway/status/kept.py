"""What was worked out a moment ago, kept in this process for those who ask at the same time."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

KEPT_S = 5.0
_MOST = 64
_Value = TypeVar("_Value")


class Kept:
    """By key, for some seconds. While one works a thing out, others wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[float, Any]] = OrderedDict()

    def get(self, key: Hashable, work_out: Callable[[], _Value], kept_s: float = KEPT_S) -> _Value:
        """Raises what `work_out` raises."""
        found = self._values.get(key)
        if found is None or found[0] < time.monotonic():
            with self._lock:
                found = self._values.get(key)
                if found is None or found[0] < time.monotonic():
                    found = (time.monotonic() + kept_s, work_out())
                    self._values[key] = found
                    while len(self._values) > _MOST:
                        self._values.popitem(last=False)
        value: _Value = found[1]
        return value

    def forget(self) -> None:
        self._values.clear()


boards, pages, past_days = Kept(), Kept(), Kept()
"""Of this process."""


def forget() -> None:
    for kept in (boards, pages, past_days):
        kept.forget()
