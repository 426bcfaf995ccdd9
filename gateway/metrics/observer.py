"""Notes calls and attempts as they end: two appends a call, on the loop. What they mean is found out elsewhere."""

from collections import deque
from dataclasses import dataclass
from operator import attrgetter
from time import monotonic

from accounts.attempts import AttemptRecord
from accounts.keys import KeyFacts
from gateway.proxy.exchange import CallResult, ResponseHead
from gateway.proxy.observers import CallObserver, CallRecord
from gateway.proxy.routing.plan import RoutePlan
from gateway.proxy.surfaces.base import Surface

_MOST = 200_000
"""So many wait at most to be folded, which they are once a second."""
_facts_of = attrgetter(
    *("surface", "started_at", "key", "plan", "lane", "head", "result"),
    *("limited_by", "status", "outcome", "error_code"),
)


@dataclass(slots=True)
class EndedCall:
    """What a call's record said at its end. Not the record itself: it holds the whole request."""

    surface: Surface
    started_at: float
    key: KeyFacts | None
    plan: RoutePlan | None
    lane: str
    head: ResponseHead | None
    result: CallResult | None
    limited_by: tuple[str, str] | None
    status: int | None
    outcome: str
    error_code: str
    ended_at: float


class MetricsObserver(CallObserver):
    def __init__(self) -> None:
        self._attempts: deque[AttemptRecord] = deque(maxlen=_MOST)
        self._calls: deque[tuple[tuple[object, ...], float]] = deque(maxlen=_MOST)
        self._note_attempt, self._note_call = self._attempts.append, self._calls.append

    def attempt_closed(self, attempt: AttemptRecord) -> None:
        self._note_attempt(attempt)

    def ended(self, call: CallRecord) -> None:
        self._note_call((_facts_of(call), monotonic()))

    def take(self) -> tuple[list[AttemptRecord], list[EndedCall]]:
        """All that ended since the last time; in another thread."""
        attempts = [self._attempts.popleft() for _ in range(len(self._attempts))]
        calls = [self._calls.popleft() for _ in range(len(self._calls))]
        return attempts, [EndedCall(*[*facts, at]) for facts, at in calls]  # type: ignore[arg-type]
