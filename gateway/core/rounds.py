"""Background duties come in rounds, one of each at a time in a process: a slow one takes one thread and no more."""

import logging
import threading
import time
from collections.abc import Callable
from functools import wraps

_log = logging.getLogger(__name__)


def one_at_a_time(duty: Callable[[], int]) -> Callable[[], int]:
    """While the previous round still runs, a round is left out, which the log says."""
    running = threading.Lock()
    began_at = 0.0

    @wraps(duty)
    def run_round() -> int:
        nonlocal began_at
        if not running.acquire(blocking=False):
            since_s = time.monotonic() - began_at
            _log.warning("%s: left out, the round of %.0f s ago still runs.", duty.__name__, since_s)
            return 0
        began_at = time.monotonic()
        try:
            return duty()
        finally:
            running.release()

    return run_round
