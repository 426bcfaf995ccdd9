"""Places in the log, as addresses name them, and the two ways through it. Pure but for the rows that it narrows."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from accounts.models import LedgerEntry
from accounts.querysets import LedgerQuerySet
from gateway.core.refusals import InvalidField

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CURSOR = re.compile(r"(\d{1,16})-([0-9a-f]{32})", re.ASCII)
_LOWEST, _HIGHEST = UUID(int=0), UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row of the log stands: rows are in the order of both."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}-{self.id.hex}"


def place_of(entry: LedgerEntry) -> Place:
    return Place(entry.started_at, entry.pk)


def read_place(name: str, text: str) -> Place:
    """Raises InvalidField."""
    if found := _CURSOR.fullmatch(text):
        return Place(_EPOCH + int(found[1]) * _MICROSECOND, UUID(found[2]))
    message = f"{name} is {text[:40]!r}, which is no place in the log: follow the links of its pages."
    raise InvalidField(name, message)


@dataclass(frozen=True, slots=True)
class Way:
    """Through the log: back in time, newest first, or on."""

    is_back: bool

    def ordered(self, rows: LedgerQuerySet) -> LedgerQuerySet:
        sign = "-" if self.is_back else ""
        return rows.order_by(f"{sign}started_at", f"{sign}attempt_id")

    def by_time(self, rows: LedgerQuerySet) -> LedgerQuerySet:
        return rows.order_by("-started_at" if self.is_back else "started_at")

    def beyond(self, rows: LedgerQuerySet, place: Place) -> LedgerQuerySet:
        return rows.after(place.at, place.id) if self.is_back else rows.ahead_of(place.at, place.id)

    def from_(self, rows: LedgerQuerySet, at: datetime) -> LedgerQuerySet:
        """What starts at that instant, or beyond it."""
        return rows.filter(**{f"started_at__{'lte' if self.is_back else 'gte'}": at})

    def to(self, rows: LedgerQuerySet, at: datetime) -> LedgerQuerySet:
        """No further than that instant, which is still in it."""
        return rows.filter(**{f"started_at__{'gte' if self.is_back else 'lte'}": at})

    def edge(self, at: datetime) -> Place:
        """The place that is right behind all rows of that instant."""
        return Place(at, _LOWEST if self.is_back else _HIGHEST)


BACK, ON = Way(is_back=True), Way(is_back=False)
