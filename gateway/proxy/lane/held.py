"""What finished calls are booked as, held back until their reader says that it has the answer."""

from collections.abc import Callable
from dataclasses import replace

from accounts.attempts import AttemptClosed, AttemptRecord
from gateway.proxy.services import AttemptObservers
from gateway.proxy.settle import CANCELLED, FINISHED, Payer, find_payer


class HeldAttempts:
    """In front of a worker's observers. An answer that ended here has not arrived yet: nobody shall pay for one that
    was lost on the way. A process that dies meanwhile leaves an attempt without an end, as with any other.
    """

    def __init__(self, observers: AttemptObservers) -> None:
        self.attempt_opened: Callable[[AttemptRecord], None] = observers.attempt_opened
        self._tell_closed = observers.attempt_closed
        self._held: dict[str, AttemptRecord] = {}

    @property
    def is_empty(self) -> bool:
        return not self._held

    def attempt_closed(self, attempt: AttemptRecord) -> None:
        if attempt.closed and attempt.closed.outcome == FINISHED:
            self._held[attempt.opened.call_id] = attempt
        else:
            self._tell_closed(attempt)

    def taken(self, call_id: str) -> None:
        """Its reader has it."""
        if attempt := self._held.pop(call_id, None):
            self._tell_closed(attempt)

    def lost(self, call_id: str, code: str) -> None:
        """Its reader will not have it, for this reason."""
        attempt = self._held.pop(call_id, None)
        if attempt and attempt.closed:
            attempt.closed = _broken_off(attempt.closed, code)
            self._tell_closed(attempt)

    def lose_all(self, code: str) -> None:
        for call_id in list(self._held):
            self.lost(call_id, code)


def _broken_off(closed: AttemptClosed, code: str) -> AttemptClosed:
    ended = replace(closed, outcome=CANCELLED, error_code=code)
    if find_payer(CANCELLED, code) is Payer.TEAM:
        return ended
    return replace(ended, cost_usd="0", loss_usd=closed.cost_usd)
