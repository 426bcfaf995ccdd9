"""What is asked of usage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from accounts.usage.measures import MEASURES
from accounts.usage.rollups import UTC_ZONE
from accounts.usage.times import NONE, bounds_of

Filters = Mapping[str, Sequence[Any]]
"""By column of UsageSeries: values, of which a series has one."""


@dataclass(frozen=True, slots=True)
class Question:
    """What was used from `low` on and before `high` (Unix seconds, whole quarters of an hour).

    `bucket` is one of accounts.usage.times, in the calendar of `zone`; `cuts` are bounds of other buckets in its place,
    whole quarters of an hour from `low` to `high`. `groups` are columns of UsageSeries; with `kept` all values of the
    last of them but those are one group, None. `team_id`: None asks for all teams and for the operator itself.
    """

    low: int
    high: int
    bucket: str = NONE
    zone: str = UTC_ZONE
    groups: tuple[str, ...] = ()
    filters: Filters = field(default_factory=dict)
    team_id: int | None = None
    excluded: Filters = field(default_factory=dict)
    cuts: Sequence[int] = ()
    kept: Sequence[Any] | None = None
    measures: Sequence[str] = MEASURES
    """Of accounts.usage.measures, with ERRORS and TOKENS: fewer are read sooner."""
    largest: str = ""
    """One of the measures: rows come in its order, the largest first, in place of their keys'."""

    @property
    def bounds(self) -> Sequence[int]:
        return self.cuts or bounds_of(self.bucket, self.zone, self.low, self.high)
