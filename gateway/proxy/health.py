"""What attempts tell of their offerings' health, to the process that made them and to the one that routes."""

import time

from accounts.attempts import AttemptRecord, AttemptSample
from gateway.proxy.observers import CallObserver
from providers.health import HealthTable
from providers.wire.failure import FailureKind

_KINDS = frozenset(kind.value for kind in FailureKind)


class HealthObserver(CallObserver):
    def __init__(self, table: HealthTable) -> None:
        self._table = table

    def attempt_closed(self, attempt: AttemptRecord) -> None:
        if attempt.sample:
            learn(self._table, attempt.sample)


def learn(table: HealthTable, sample: AttemptSample) -> None:
    now = time.monotonic()
    if sample.failure is None:
        table.succeeded(sample.offering_id, sample.latency_ms, now)
    else:
        table.failed(sample.offering_id, _kind(sample.failure), now, sample.retry_after_s)


def _kind(name: str) -> FailureKind:
    """A failure of a kind that only a worker of another version knows is one all the same."""
    return FailureKind(name) if name in _KINDS else FailureKind.UNAVAILABLE
