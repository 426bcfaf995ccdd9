"""How long calls took at the median, and most of them: of samples spread over the time, since sums have averages alone.

The ledger is looked at in slices, a few of the newest rows of each, and each slice weighs as much as there was in it.
So it costs the same however many calls there were.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from django.db import connection

from accounts.models import LedgerEntry
from accounts.windows import QUARTER_S
from gateway.portal.overview.measures import MEASURES, Sums
from gateway.portal.overview.question import Asked
from gateway.portal.overview.usage import Used

_SLICES = 17
"""At most, each with about as many calls; so many that they do not all end at one time of the day."""
_ROWS, _ROWS_NARROWED = 150, 300
"""Looked at in each slice; more where most of them may be others."""
_LEAST = 20
"""Of fewer, unless those are all, nothing is said."""
_KNOWN = 0.3
"""Of all that was measured, what slices have of which the ledger still has something."""
_HALF, _MOST = 0.5, 0.95
_TIMES: Mapping[str, str] = {"latency": "latency_ms", "first_token": "first_token_ms"}
"""By measure: the ledger's column."""


@dataclass(frozen=True, slots=True)
class Spread:
    """In milliseconds: half took no longer than `median`, and 95 % no longer than `most`. `looked_at` were so many."""

    median: float
    most: float
    looked_at: int


@dataclass(frozen=True, slots=True)
class Spreads:
    """By measure, of the period and of the time before; none where too few were looked at."""

    now: Mapping[str, Spread]
    before: Mapping[str, Spread]


@dataclass(frozen=True, slots=True)
class _Slice:
    """`told`: by measure, about how many were measured in it."""

    low: int
    high: int
    told: Mapping[str, float]


def read_spreads(asked: Asked, used: Used) -> Spreads:
    """One statement, or none where nothing was measured."""
    now = list(_slices(used.span.bounds, used.steps))
    before = list(_slices(used.span.before, used.before_steps))
    samples = _read([*now, *before], asked.values, asked.team.pk)
    whole = 0 if asked.values else _ROWS
    return Spreads(_spreads(now, samples[: len(now)], whole), _spreads(before, samples[len(now) :], whole))


def read_spread_of_all(bounds: Sequence[int], steps: Sequence[Sums]) -> Mapping[str, Spread]:
    """By measure, over all teams; `steps` are what was used between `bounds`. One statement, or none."""
    slices = list(_slices(bounds, steps))
    return _spreads(slices, _read(slices, {}), _ROWS)


def _slices(bounds: Sequence[int], steps: Sequence[Sums]) -> Iterator[_Slice]:
    for low, high in pairwise(_edges(bounds, steps)):
        told = dict.fromkeys(_TIMES, 0.0)
        for (begin, end), sums in zip(pairwise(bounds), steps, strict=True):
            if (part := (min(high, end) - max(low, begin)) / (end - begin)) > 0:
                for name in told:
                    told[name] += part * sums[MEASURES[name].told]
        yield _Slice(low, high, told)


def _edges(bounds: Sequence[int], steps: Sequence[Sums]) -> Sequence[int]:
    """Between which about as many were measured each, so that what was used at one time only is cut as finely."""
    counts = [sum(sums[MEASURES[name].told] for name in _TIMES) for sums in steps]
    targets = [sum(counts) * number / _SLICES for number in range(1, _SLICES)]
    edges, so_far = {bounds[0], bounds[-1]}, 0
    for (begin, end), count in zip(pairwise(bounds), counts, strict=True):
        for target in targets:
            if so_far < target <= so_far + count:
                quarters = round((target - so_far) / count * (end - begin) / QUARTER_S)
                edges.add(begin + quarters * QUARTER_S)
        so_far += count
    return sorted(edges)


def _spreads(slices: Sequence[_Slice], samples: Sequence[Sequence[Any]], whole: int) -> Mapping[str, Spread]:
    """Of a slice with fewer rows than `whole`, all were looked at."""
    found = {}
    for place, name in enumerate(_TIMES):
        measured = [[row[place] for row in rows if row[place] is not None] for rows in samples]
        told = [
            len(values) if len(rows) < whole else each.told[name]
            for each, rows, values in zip(slices, samples, measured, strict=True)
        ]
        if sum(told) and (spread := spread_of(measured, told)):
            found[name] = spread
    return found


def spread_of(samples: Sequence[Sequence[float]], told: Sequence[float]) -> Spread | None:
    """Of slices: what was looked at, and how many there were. Pure."""
    looked_at, whole = sum(map(len, samples)), sum(told)
    seen = sum(count for rows, count in zip(samples, told, strict=True) if rows)
    if not looked_at or looked_at < min(_LEAST, round(whole)) or seen < _KNOWN * whole:
        return None
    weighed = sorted(
        (value, count / len(rows))
        for rows, count in zip(samples, told, strict=True)
        for value in rows
        if count
    )
    return Spread(_at(weighed, _HALF), _at(weighed, _MOST), looked_at) if weighed else None


def _at(weighed: Sequence[tuple[float, float]], share: float) -> float:
    """The least value that so much of the weight does not exceed."""
    wanted = sum(weight for _, weight in weighed) * share
    so_far = 0.0
    for value, weight in weighed:
        so_far += weight
        if so_far >= wanted:
            return value
    return weighed[-1][0]


def _read(
    slices: Sequence[_Slice], filters: Mapping[str, Sequence[Any]], team_id: int | None = None
) -> Sequence[Sequence[Any]]:
    """Rows of each slice, with values of _TIMES. `team_id` is None for all teams."""
    found: list[list[Any]] = [[] for _ in slices]
    parts: list[str] = []
    values: list[Any] = []
    for place, each in enumerate(slices):
        if any(each.told.values()):
            part, its = _part(place, each, filters, team_id)
            parts.append(part)
            values += its
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), values)
            for place, *times in cursor:
                found[place].append(times)
    return found


def _part(
    place: int, each: _Slice, filters: Mapping[str, Sequence[Any]], team_id: int | None
) -> tuple[str, list[Any]]:
    """By the index of teams and instants, or by that of instants."""
    adapt = connection.ops.adapt_datetimefield_value
    bounds = [adapt(datetime.fromtimestamp(at, UTC)) for at in (each.low, each.high)]
    columns = ", ".join([*_TIMES.values(), *filters])
    conditions, wanted = _conditions(filters)
    of_team, team = ("", []) if team_id is None else ("team_id = %s AND ", [team_id])
    statement = (
        f"SELECT {place} AS place, {', '.join(_TIMES.values())} FROM (SELECT {columns}"  # noqa: S608  # all of it is ours
        f" FROM accounts_ledgerentry WHERE {of_team}started_at >= %s AND started_at < %s"
        f" AND kind = '{LedgerEntry.Kind.ATTEMPT.value}' ORDER BY started_at DESC LIMIT %s) AS slice{place}{conditions}"
    )
    rows = _ROWS_NARROWED if filters else _ROWS
    return statement, [*team, *bounds, rows, *wanted]


def _conditions(filters: Mapping[str, Sequence[Any]]) -> tuple[str, list[Any]]:
    """Sums have 0 where the ledger has nothing."""
    parts = [
        f"{f'COALESCE({name}, 0)' if name.endswith('_id') else name} IN ({', '.join(['%s'] * len(values))})"
        for name, values in filters.items()
    ]
    wanted = [value for values in filters.values() for value in values]
    return (f" WHERE {' AND '.join(parts)}" if parts else ""), wanted
