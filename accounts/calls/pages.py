"""Pages of the log, read by their places: never counted, and never more rows looked at than a page may take.

Filters that fit few rows would read the whole ledger for them. So a page looks through the rows next to it that an
index tells apart, then where usage says that there are such calls, else further while there is time; and says how far
it came.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models.expressions import RawSQL

from accounts.calls.far import spans_beyond
from accounts.calls.places import BACK, Place, Way, place_of
from accounts.calls.question import Question
from accounts.calls.spans import Span
from accounts.models import LedgerEntry
from accounts.querysets import LedgerQuerySet
from accounts.windows import QUARTER_S

PAGE, NEWEST = 50, 200
LOOK, LOOK_FURTHER = 5_000, 20_000
"""Rows that are looked at one by one: at first, and where usage cannot say where to go on."""
ROUNDS, ROUND_S = 2, 0.03
"""So often it looks further at most; not again after so many seconds."""
_MOMENT = timedelta(microseconds=1)
_SPANS_MOST = 40
_QUARTERS_MOST = 400
_NO_SPAN = (datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 2, tzinfo=UTC))
_UNSHOWN = ("usage", "prices", "note")


@dataclass(frozen=True, slots=True)
class Page:
    """Newest first. `newer` and `older` are places; None: there is nothing that way, as far as this page knows.

    `looked_to` is how far it looked where it is not full: there may be more beyond, from `older` or `newer` on.
    """

    entries: Sequence[LedgerEntry] = ()
    newer: Place | None = None
    older: Place | None = None
    looked_to: datetime | None = None
    is_back: bool = True


@dataclass(frozen=True, slots=True)
class _Found:
    entries: Sequence[LedgerEntry]
    looked_to: datetime | None = None
    """None: to the end."""


def read_page(question: Question, way: Way = BACK, place: Place | None = None) -> Page:
    found = _look(question, way, place)
    entries, more = found.entries[:PAGE], len(found.entries) > PAGE
    edge = None if found.looked_to is None else way.edge(found.looked_to)
    ahead = place_of(entries[-1]) if more else edge
    behind = place_of(entries[0]) if entries and place else place
    looked_to = None if more else found.looked_to
    if way.is_back:
        return Page(entries, behind, ahead, looked_to)
    return Page(list(reversed(entries)), ahead, behind, looked_to, is_back=False)


def newest(question: Question) -> Sequence[LedgerEntry]:
    """The last ones to begin, for whoever looks which of them are new: not many, and without looking far."""
    stretch = _Stretch(question, BACK)
    border = stretch.start_at(LOOK) if question.is_narrow else None
    return replace(stretch, border=border).first(NEWEST)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Of the log: from a place on, if any, and no further than an instant, if any.

    With one bound at each end: of two, SQLite may go by the farther one.
    """

    question: Question
    way: Way
    place: Place | None = None
    border: datetime | None = None

    def rows(self) -> LedgerQuerySet:
        rows = self.question.rows(*self._bounds)
        rows = rows if self.place is None else self.way.beyond(rows, self.place)
        return rows if self.border is None else self.way.to(rows, self.border)

    @property
    def _bounds(self) -> tuple[datetime | None, datetime | None]:
        """What of the question's time the place and the border leave."""
        begin, end = self.question.begin, self.question.end
        near, far = (end, begin) if self.way.is_back else (begin, end)
        if near and self.place and (self.place.at < near) is self.way.is_back:
            near = None
        if self.border:
            far = None
        return (far, near) if self.way.is_back else (near, far)

    def first(self, most: int = PAGE + 1) -> list[LedgerEntry]:
        return _first(self.rows(), self.way, most)

    def start_at(self, number: int) -> datetime | None:
        """Of the row that so many are before; None where there are not so many."""
        # Not by ids, too, which stand in no index: rows of one instant start at it in any order.
        rows = self.question.everything(*self._bounds)
        if self.place is not None:
            rows = self.way.from_(rows, self.place.at)
        starts = self.way.by_time(rows).values_list("started_at", flat=True)
        return next(iter(starts[number : number + 1]), None)


def _look(question: Question, way: Way, place: Place | None) -> _Found:
    """One row more than a page, if there are so many."""
    stretch = _Stretch(question, way, place)
    border = stretch.start_at(LOOK) if question.is_narrow else None
    if border is None:
        return _Found(stretch.first())
    found = replace(stretch, border=border).first()
    if len(found) > PAGE:
        return _Found(found)
    begin = place.at if place else stretch.start_at(0) or border
    further = _look_further(question, way, (begin, border), PAGE + 1 - len(found))
    return _Found([*found, *further.entries], further.looked_to)


def _first(rows: LedgerQuerySet, way: Way, most: int) -> list[LedgerEntry]:
    return list(way.ordered(rows).defer(*_UNSHOWN)[:most])


def _look_further(question: Question, way: Way, looked: Span, most: int) -> _Found:
    """What is beyond the stretch that was looked through."""
    border = looked[1]
    told = spans_beyond(question, way, border, most=_quarters_worth(looked))
    if told is None:
        return _look_on(question, way, border, most)
    spans, to = told.spans, told.to
    if len(spans) > _SPANS_MOST:
        spans = spans[:_SPANS_MOST]
        to = spans[-1][0] if way.is_back else spans[-1][1]
    spans = [_beyond(span, question, border, way) for span in spans]
    return _Found(_within(question, way, spans, most), to if to is None or way.is_back else to - _MOMENT)


def _look_on(question: Question, way: Way, border: datetime, most: int) -> _Found:
    """Where nothing says where to look: through all that comes, each time through four times as much."""
    found: list[LedgerEntry] = []
    began = time.monotonic()
    for number in range(ROUNDS):
        stretch = _Stretch(question, way, way.edge(border))
        end = stretch.start_at(LOOK_FURTHER * 4**number)
        found += replace(stretch, border=end).first(most - len(found))
        if end is None or len(found) == most:
            return _Found(found, end)
        border = end
        if time.monotonic() - began > ROUND_S:
            break
    return _Found(found, border)


def _quarters_worth(looked: Span) -> int:
    """How many quarters of an hour may be looked through, by how many rows lately were in one."""
    span_s = max(abs((looked[0] - looked[1]).total_seconds()), 1.0)
    rows_each = LOOK / span_s * QUARTER_S
    return int(min(max(LOOK_FURTHER / rows_each, 1), _QUARTERS_MOST))


def _beyond(span: Span, question: Question, border: datetime, way: Way) -> Span:
    """What of it was asked for and is not looked at yet."""
    low, high = span
    low, high = (low, min(high, border)) if way.is_back else (max(low, border + _MOMENT), high)
    return max(low, question.begin or low), min(high, question.end or high)


def _within(question: Question, way: Way, spans: Sequence[Span], most: int) -> list[LedgerEntry]:
    """The rows of those spans, in one query that stops where there are enough.

    Conditions that are joined by OR would have databases read all that is between.
    """
    if not spans:
        return []
    parts, parameters = _of_each(question.rows(None, None), way, spans, most)
    union = f"SELECT attempt_id FROM ({parts} LIMIT {most}) AS found"  # noqa: S608  # by the ORM
    ids = RawSQL(union, parameters)  # noqa: S611
    return _first(LedgerEntry.objects.filter(pk__in=ids), way, most)


def _of_each(rows: LedgerQuerySet, way: Way, spans: Sequence[Span], most: int) -> tuple[str, Sequence[Any]]:
    """Made once, as making each takes longer than to ask it: they are told apart by two of their parameters."""

    def write(span: Span) -> tuple[str, Sequence[Any]]:
        within = rows.filter(started_at__gte=span[0], started_at__lt=span[1])
        return way.ordered(within).values("attempt_id")[:most].query.sql_with_params()

    (text, given), (_, other) = write(spans[0]), write(_NO_SPAN)
    bounds = [number for number, (one, two) in enumerate(zip(given, other, strict=True)) if one != two]
    parts, parameters = [], list[Any]()
    for number, span in enumerate(spans):
        own = list(given)
        for place, at in zip(bounds, span, strict=True):
            own[place] = connection.ops.adapt_datetimefield_value(at)
        parts.append(f"SELECT attempt_id FROM ({text}) AS span_{number}")  # noqa: S608
        parameters += own
    return " UNION ALL ".join(parts), parameters
