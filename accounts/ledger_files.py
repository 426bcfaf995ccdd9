"""Rows of the ledger to files, a day of UTC after the other, each row exactly once.

A day is written in parts once it is over: `ledger-2026-11-02-0001.csv`, then its list, `ledger-2026-11-02.json`, which
says that it is whole. Where it stands is in the database (`ExportedDay`), so that any process goes on from there.
"""

import csv
import hashlib
import io
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts.alerts.raising import raise_alert
from accounts.attempts import OPERATOR
from accounts.file_places import Place, PlaceFailed, open_place
from accounts.ledger_export import FACTS, Row, body, head, named
from accounts.models import ExportedDay, LedgerEntry
from accounts.querysets import CHARGED, LedgerQuerySet

PART_ROWS = 50_000
"""Of one file, at most."""
SETTLED = timedelta(hours=1)
"""So long after a day's end what belongs to it is in the ledger, but for what a machine kept that was down."""
WATCHED_DAYS = 7
"""What comes later than that is not looked for."""
_PAGE_ROWS = 2_000
_CLAIM = timedelta(minutes=5)
_DAY = timedelta(days=1)
_log = logging.getLogger(__name__)

Reading = ExportedDay.Reading


class _ClaimLost(Exception):
    """Another process writes that day now."""


def export_due(*, at: datetime, most_s: float) -> int:
    """Write what is due to the place that the settings name, for about so long. The number of files.

    Raises nothing for a place that takes nothing: the operator is told once a day.
    """
    if not settings.LEDGER_EXPORT:
        return 0
    until_s, files, day = time.monotonic() + most_s, 0, None
    try:
        place = open_place(settings.LEDGER_EXPORT)
        for day in _due(at):
            files += _write_day(day, place, lambda: time.monotonic() < until_s)
            if time.monotonic() >= until_s:
                break
    except _ClaimLost:
        _log.info("Another process writes the ledger's files.")
    except PlaceFailed as failure:
        _tell(day, failure, at)
    return files


def exported_until(at: datetime) -> datetime:
    """What began earlier is in files; all, where there are none to be written."""
    if not settings.LEDGER_EXPORT:
        return at
    last = ExportedDay.objects.filter(closed_at__isnull=False).order_by("-day").first()
    return _begin(last.day + _DAY) if last else _begin(date.min + _DAY)


def _due(at: datetime) -> Iterator[date]:
    """Days that are over and not whole, in order; then those to which rows may have come since."""
    over = (at.astimezone(UTC) - SETTLED).date()
    begun = ExportedDay.objects.filter(closed_at__isnull=True, day__lt=over).order_by("day")
    days = list(begun.values_list("day", flat=True))
    last = ExportedDay.objects.order_by("-day").first()
    day = last.day + _DAY if last else _first_day()
    while day is not None and day < over:
        days.append(day)
        day += _DAY
    watched = ExportedDay.objects.filter(day__gte=over - WATCHED_DAYS * _DAY, closed_at__isnull=False)
    # Once a day only: to count rows takes time.
    again = list(watched.order_by("day").values_list("day", flat=True)) if days else []
    yield from days
    yield from again


def _first_day() -> date | None:
    first = LedgerEntry.objects.order_by("started_at").values_list("started_at", flat=True).first()
    return first and first.astimezone(UTC).date()


def _write_day(day: date, place: Place, has_time: Callable[[], bool]) -> int:
    """Raises PlaceFailed, _ClaimLost."""
    row = _claim(day)
    files = 0
    try:
        if row.closed_at:
            files = _write_late(row, place)
        while row.reading != Reading.NOTHING and has_time():
            files += _write_next(row, place)
        if row.reading == Reading.NOTHING and row.closed_at is None:
            _write_list(row, place)
            files += 1
    finally:
        _release(row)
    return files


def _claim(day: date) -> ExportedDay:
    now = timezone.now()
    row, _ = ExportedDay.objects.get_or_create(day=day)
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    if not ExportedDay.objects.filter(free, pk=row.pk).update(claimed_until=now + _CLAIM):
        raise _ClaimLost
    return ExportedDay.objects.get(pk=row.pk)


def _release(row: ExportedDay) -> None:
    ExportedDay.objects.filter(pk=row.pk, claimed_until=row.claimed_until).update(claimed_until=None)


def _save(row: ExportedDay, **facts: Any) -> None:
    """Only where the claim is still ours, which goes on. Raises _ClaimLost."""
    facts["claimed_until"] = timezone.now() + _CLAIM
    if not ExportedDay.objects.filter(pk=row.pk, claimed_until=row.claimed_until).update(**facts):
        raise _ClaimLost
    for name, value in facts.items():
        setattr(row, name, value)


def _write_next(row: ExportedDay, place: Place) -> int:
    """The next part of what is being read. A file that was written and not noted is written anew by the same name."""
    field, rows = _rows_of(row)
    if row.last_at is not None:
        rows = rows.filter(**{f"{field}__gte": row.last_at}).exclude(
            **{field: row.last_at, "attempt_id__lte": row.last_id}
        )
    found = rows.order_by(field, "attempt_id").values(*FACTS, charged_usd=CHARGED)
    written = _Part(row)
    for page in _pages(found):
        written.add(page)
    if written.rows:
        last = written.last
        file = written.put(place)
        total = {row.reading: getattr(row, row.reading) + written.rows}
        _save(row, last_at=last[field], last_id=last["attempt_id"], files=[*row.files, file], **total)
    if written.rows < PART_ROWS:
        then = Reading.CORRECTIONS if row.reading == Reading.ATTEMPTS else Reading.NOTHING
        _save(row, reading=then, last_at=None, last_id=None)
    return min(written.rows, 1)


def _write_late(row: ExportedDay, place: Place) -> int:
    """Rows that came once the day was whole: those that are in none of its files. Raises PlaceFailed."""
    kinds = {Reading.ATTEMPTS: row.attempts, Reading.CORRECTIONS: row.corrections}
    counts = {kind: _of_day(row.day, kind)[1].count() for kind in kinds}
    if all(counts[kind] <= known for kind, known in kinds.items()):
        return 0
    there = {id_ for file in row.files for id_ in _ids_in(file["name"], place.read(file["name"]))}
    files = 0
    for kind in kinds:
        field, rows = _of_day(row.day, kind)
        ids = rows.order_by(field, "attempt_id").values_list("attempt_id", flat=True)
        late = [id_ for id_ in ids.iterator(_PAGE_ROWS) if id_ not in there]
        for start in range(0, len(late), PART_ROWS):
            part = _Part(row)
            some = LedgerEntry.objects.filter(pk__in=late[start : start + PART_ROWS])
            part.add(named(some.order_by(field, "attempt_id").values(*FACTS, charged_usd=CHARGED)))
            more = {kind.value: getattr(row, kind) + part.rows}
            _save(row, files=[*row.files, part.put(place)], closed_at=None, **more)
            files += 1
    return files


class _Part:
    """One file of a day, while it is being made."""

    def __init__(self, day: ExportedDay) -> None:
        self._form = settings.LEDGER_EXPORT_FORM
        self._name = f"{_stem(day.day)}-{len(day.files) + 1:04}.{self._form}"
        self._text = [head(self._form)]
        self.rows = 0
        self.last: Row = {}

    def add(self, page: Iterable[Row]) -> None:
        rows = list(page)
        self._text.append(body(self._form, rows))
        self.rows += len(rows)
        self.last = rows[-1]

    def put(self, place: Place) -> dict[str, Any]:
        data = "".join(self._text).encode()
        place.write(self._name, data)
        digest = hashlib.sha256(data).hexdigest()
        return {"name": self._name, "rows": self.rows, "bytes": len(data), "sha256": digest}


def _pages(rows: Any) -> Iterator[Iterable[Row]]:
    """Of one part."""
    for start in range(0, PART_ROWS, _PAGE_ROWS):
        page = named(rows[start : min(start + _PAGE_ROWS, PART_ROWS)])
        if page:
            yield page
        if len(page) < _PAGE_ROWS:
            return


def _write_list(row: ExportedDay, place: Place) -> None:
    said = {"day": row.day, "rows": row.attempts + row.corrections, "files": row.files}
    place.write(f"{_stem(row.day)}.json", orjson.dumps(said, option=orjson.OPT_INDENT_2))
    _save(row, closed_at=timezone.now())


def _rows_of(row: ExportedDay) -> tuple[str, LedgerQuerySet]:
    return _of_day(row.day, Reading(row.reading))


def _of_day(day: date, kind: Reading) -> tuple[str, LedgerQuerySet]:
    """By which instant they are of that day, and the rows."""
    if kind == Reading.ATTEMPTS:
        return "started_at", LedgerEntry.objects.attempts().filter(**_within("started_at", day))
    # Said twice for the indexes of those that correct an entry, or what a provider billed the operator.
    known = Q(corrects_id__isnull=False) | Q(team_id=OPERATOR)
    rows = LedgerEntry.objects.filter(known).exclude(kind=LedgerEntry.Kind.ATTEMPT)
    return "ended_at", rows.filter(**_within("ended_at", day))


def _within(field: str, day: date) -> dict[str, datetime]:
    return {f"{field}__gte": _begin(day), f"{field}__lt": _begin(day + _DAY)}


def _begin(day: date) -> datetime:
    return datetime.combine(day, clock(), UTC)


def _ids_in(name: str, data: bytes) -> Iterator[UUID]:
    if name.endswith(".jsonl"):
        return (UUID(orjson.loads(line)["attempt_id"]) for line in data.splitlines())
    lines = csv.reader(io.StringIO(data.decode(), newline=""))
    next(lines)
    return (UUID(line[0]) for line in lines)


def _stem(day: date) -> str:
    return f"ledger-{day.isoformat()}"


def _tell(day: date | None, failure: PlaceFailed, at: datetime) -> None:
    _log.error("The ledger could not be exported: %s", failure)
    told = {
        "day": str(day or "the next day"),
        "place": settings.LEDGER_EXPORT,
        "problem": str(failure),
    }
    raise_alert("export.failed", cause="ledger", window=f"{at:%Y-%m-%d}", data=told)
