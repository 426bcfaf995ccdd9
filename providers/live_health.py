"""What the data plane of this process knows of offerings' health now, for pages and answers beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from accounts.attempts import AttemptRecord
from providers.breaker import CLOSED
from providers.facts import Way
from providers.health import WINDOWS_S
from providers.tallies import Percentiles, Tally, percentiles

WINDOWS = {f"{seconds // 60}m": seconds for seconds in WINDOWS_S}
"""By the name that answers have for it: 1m, 5m and 30m."""


@dataclass(frozen=True, slots=True)
class WindowFigures:
    """Callers' own mistakes are left out. What nothing was measured of is None."""

    calls: int
    success_rate: float | None
    connect_failures: int
    failures: Mapping[str, int]
    """By what they were: a FailureKind's value."""
    latency_ms: Percentiles | None
    first_token_ms: Percentiles | None
    throughput: Percentiles | None
    """Output tokens a second."""

    @classmethod
    def of(cls, tally: Tally) -> "WindowFigures":
        return cls(
            calls=tally.calls,
            success_rate=round(tally.served / tally.calls, 4) if tally.calls else None,
            connect_failures=tally.unreached,
            failures=dict(sorted(tally.failed.items())),
            latency_ms=percentiles(tally.latency_ms),
            first_token_ms=percentiles(tally.first_token_ms),
            throughput=percentiles(tally.tokens_per_s),
        )


@dataclass(frozen=True, slots=True)
class LiveHealth:
    """Of an offering, by the operator's credentials: its breaker is closed as soon as it is so by one of them."""

    breaker: str = CLOSED
    cause: str | None = None
    until: datetime | None = None
    """None too where it is open until staff let go."""
    success_rate: float = 1.0
    """As routing has it: old failures fade."""
    latency_ms: float | None = None
    windows: Mapping[str, WindowFigures] = field(
        default_factory=lambda: dict.fromkeys(WINDOWS, WindowFigures.of(Tally()))
    )


UNKNOWN = LiveHealth()


class Reader(Protocol):
    def read(self, ways: Sequence[Way]) -> LiveHealth:
        """Of one offering by all those ways."""

    def learn(self, attempt: AttemptRecord) -> None:
        """Count an attempt that was made beside the data plane, for all processes."""


class Nobody:
    """Where no data plane runs."""

    def read(self, ways: Sequence[Way]) -> LiveHealth:  # noqa: ARG002
        return UNKNOWN

    def learn(self, attempt: AttemptRecord) -> None:
        pass


class Here:
    """Who can say in this process: nobody, until its runtime does."""

    def __init__(self) -> None:
        self.reader: Reader = Nobody()

    def forget(self) -> None:
        self.reader = Nobody()


here = Here()
