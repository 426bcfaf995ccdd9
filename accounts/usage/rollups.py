"""Writing usage: quarters of an hour and days, with the entries of the ledger that they add up.

Whoever writes any of it holds the version's row of what was spent (`lock`): so a team's days are never made anew in
another zone, nor sums from rows, while a recorder adds to them.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from operator import add as add_numbers
from typing import Any, NamedTuple

import orjson
from django.db import connection

from accounts.attempts import clean
from accounts.usage.measures import MEASURES, MEMBERS, Series, Sums
from accounts.windows import DAY, window_at

UTC_ZONE = "UTC"
QUARTERS, DAYS, COARSE = "accounts_usagequarter", "accounts_usageday", "accounts_usagecoarse"
_Lines = Sequence[tuple[Any, ...]]


def lock() -> None:
    """Wait for all who write usage, and let them wait until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_spendversion (id, number) VALUES (1, 1)"
            " ON CONFLICT (id) DO UPDATE SET number = accounts_spendversion.number + 1"
        )


def add(sums: Sums) -> None:
    """Add it to what is there. The caller holds the lock."""
    if not sums:
        return
    rows = _rows_of(sums)
    _write(rows.series, rows.quarters, rows.days)
    reopen(rows.reopened)


def put_quarters(sums: Sums) -> None:
    """In the place of what is there, of which nothing may be left."""
    rows = _rows_of(sums)
    _write(rows.series, rows.quarters, ())


def reopen(days: Mapping[int, int]) -> None:
    """Of those teams, close that day (its start) and all later ones anew: sums of them changed. The caller holds the
    lock.
    """
    with connection.cursor() as cursor:
        for team, day in sorted(days.items()):
            cursor.execute(
                "UPDATE accounts_usageclosed SET closed_to = %s WHERE team_id = %s AND closed_to > %s",
                [day, team, day],
            )


class Calendar(NamedTuple):
    """Where a team's days begin, and where the first one does that is not closed; 0: none is closed."""

    zone: str = UTC_ZONE
    closed_to: int = 0


def calendars_of(teams: Collection[int]) -> Mapping[int, Calendar]:
    """UTC, where there is no such team."""
    if not teams:
        return {}
    places = ", ".join(["%s"] * len(teams))
    with connection.cursor() as cursor:
        # By hand: this is asked for each batch of attempts.
        cursor.execute(f"{_CALENDARS} WHERE team.id IN ({places})", list(teams))
        return defaultdict(Calendar, {team: Calendar(*its) for team, *its in cursor})


@lru_cache(maxsize=20_000)
def midnight_of(zone: str, quarter: int) -> int:
    """The start of the day in which that quarter of an hour is."""
    return window_at(DAY, zone, quarter).starts_at


def id_of(series: Series) -> str:
    """Of the same members everywhere and ever the same; hex."""
    told = "\0".join(map(str, series))
    return blake2b(told.encode(), digest_size=16).hexdigest()


def cleaned(series: Series) -> Series:
    """As its columns hold it."""
    return tuple(
        clean(value, length) if length else value
        for value, length in zip(series, MEMBERS.values(), strict=True)
    )


@lru_cache(maxsize=20_000)
def _named(series: Series) -> tuple[str, Series]:
    fit = cleaned(series)
    return id_of(fit), fit


class _Rows(NamedTuple):
    """Of the three tables; and of teams the first day that was closed and has changed."""

    series: _Lines
    quarters: _Lines
    days: _Lines
    reopened: Mapping[int, int]


def _rows_of(sums: Sums) -> _Rows:
    """All series are told each time: a database that was restored has not all that were."""
    calendars = calendars_of({series[0] for series, _ in sums})
    reopened: dict[int, int] = {}
    named: dict[str, Series] = {}
    quarters: dict[tuple[str, int], list[int]] = {}
    days: dict[tuple[str, int], list[int]] = {}
    for (series, quarter), row in sums.items():
        id_, fit = _named(series)
        named[id_] = fit
        _gain(quarters, (id_, quarter), row)
        zone, closed_to = calendars[fit[0]]
        day = midnight_of(zone, quarter)
        _gain(days, (id_, day), row)
        if day < closed_to:
            reopened[fit[0]] = min(day, reopened.get(fit[0], day))
    return _Rows(
        [(id_, *named[id_]) for id_ in sorted(named)],
        [(*place, *map(_empty, quarters[place])) for place in sorted(quarters)],
        [(*place, *map(_empty, days[place])) for place in sorted(days)],
        reopened,
    )


def _empty(value: int) -> int | None:
    return value or None


def _write(series: _Lines, quarters: _Lines, days: _Lines) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            told = _as_json(_SERIES, series), _as_json(_SUMS, quarters), _as_json(_SUMS, days)
            cursor.execute(_AT_ONCE, told)
            return
        cursor.executemany(_naming(_values(_SERIES)), series)
        cursor.executemany(_adding(QUARTERS, _values(_SUMS)), quarters)
        cursor.executemany(_adding(DAYS, _values(_SUMS)), days)


def _gain(rows: dict[tuple[str, int], list[int]], place: tuple[str, int], gained: list[int]) -> None:
    there = rows.get(place)
    rows[place] = gained if there is None else list(map(add_numbers, there, gained))


_CALENDARS = (
    "SELECT team.id, team.usage_zone, COALESCE(closed.closed_to, 0) FROM accounts_team AS team"
    " LEFT JOIN accounts_usageclosed AS closed ON closed.team_id = team.id"
)
_SERIES = {"id": "uuid"} | {name: "text" if length else "bigint" for name, length in MEMBERS.items()}
_SUMS = {"series_id": "uuid", "starts_at": "bigint"} | dict.fromkeys(MEASURES, "bigint")


def _as_json(columns: Mapping[str, str], rows: _Lines) -> str:
    """Without what is empty, of which there is much."""
    return orjson.dumps(
        [{name: value for name, value in zip(columns, row, strict=True) if value is not None} for row in rows]
    ).decode()


def _told(columns: Mapping[str, str]) -> str:
    """What `_as_json` has written."""
    told = ", ".join(map(" ".join, columns.items()))
    return f"SELECT * FROM json_to_recordset(%s) AS told ({told})"  # noqa: S608  # all of it is ours


def _values(columns: Mapping[str, str]) -> str:
    return f"VALUES ({', '.join(['%s'] * len(columns))})"


def _naming(rows: str) -> str:
    return f"INSERT INTO accounts_usageseries ({', '.join(_SERIES)}) {rows} ON CONFLICT (id) DO NOTHING"


def _adding(table: str, rows: str) -> str:
    both = "COALESCE({0}.{1} + excluded.{1}, {0}.{1}, excluded.{1})"
    added = ", ".join(f"{name} = {both.format(table, name)}" for name in MEASURES)
    return (
        f"INSERT INTO {table} ({', '.join(_SUMS)}) {rows}"  # all of it is ours
        f" ON CONFLICT (series_id, starts_at) DO UPDATE SET {added}"
    )


_AT_ONCE = (
    f"WITH named AS ({_naming(_told(_SERIES))}), quarters AS ({_adding(QUARTERS, _told(_SUMS))})"
    f" {_adding(DAYS, _told(_SUMS))}"
)
