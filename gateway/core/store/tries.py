"""Tries that failed, such as of keys and passwords: how long their sender waits for the next one."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_SUBJECTS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Patience:
    """So many tries are heard at once; then each makes the next one wait twice as long, up to the longest."""

    free: int
    longest_s: float
    kept_s: float = 3600.0
    """After so long without a try all is forgotten."""

    def wait_s(self, tries: int) -> float:
        beyond = tries - self.free
        return min(self.longest_s, 2.0 ** min(beyond, 32)) if beyond > 0 else 0.0


class Tries:
    """In memory of this process, and safe from any thread. The oldest are forgotten where there are too many."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, kept: int = _SUBJECTS_KEPT) -> None:
        self._clock = clock
        self._kept = kept
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, tuple[int, float, float]] = OrderedDict()

    def take(self, subject: str, patience: Patience) -> float:
        """Count a try and hear it: 0.0. Or the seconds that its sender has to wait first; then it is not counted."""
        now = self._clock()
        with self._lock:
            tries, last, closed_until = self._seen.get(subject, (0, now, now))
            if now < closed_until:
                return closed_until - now
            tries = tries + 1 if now - last < patience.kept_s else 1
            self._seen[subject] = (tries, now, now + patience.wait_s(tries))
            self._seen.move_to_end(subject)
            if len(self._seen) > self._kept:
                self._seen.popitem(last=False)
        return 0.0

    def forgive(self, subject: str) -> None:
        """It was the right one after all."""
        with self._lock:
            self._seen.pop(subject, None)
