"""What was spent, read for windows: from sums that are as true as the ledger."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from accounts.subjects import bears_losses, summed_as
from accounts.windows import Window, pieces_of

_EVER = 2**62
_VERSION, _MARK = -1, -2


@dataclass(frozen=True, slots=True)
class Bases:
    """What SQL says at one instant. `spent`: subject → field of a window (accounts.windows) → 10^-10 USD.

    `version` grows with each change of it. `marks`: process → number of the last of its closed attempts that is in
    it, with all before.
    """

    version: int = 0
    spent: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    marks: Mapping[str, int] = field(default_factory=dict)


def read_bases(wanted: Mapping[str, Collection[Window]]) -> Bases:
    """What those subjects spent in those windows, in one statement: so all of it is of the same instant."""
    places = [(subject, window) for subject, windows in wanted.items() for window in dict.fromkeys(windows)]
    spent: dict[str, dict[str, int]] = {subject: {} for subject in wanted}
    marks, version = {}, 0
    for place, process, number in _read(places):
        if place == _VERSION:
            version = number
        elif place == _MARK:
            marks[process] = number
        else:
            subject, window = places[place]
            of_subject = spent[subject]
            of_subject[window.field] = of_subject.get(window.field, 0) + number
    return Bases(version, spent, marks)


def spent_in(subject: str, window: Window) -> int:
    """In 10^-10 USD."""
    return read_bases({subject: [window]}).spent[subject][window.field]


def _read(places: Sequence[tuple[str, Window]]) -> Sequence[tuple[int, str, int]]:
    pieces = [
        (
            place,
            summed,
            piece.grain,
            piece.low,
            _EVER if piece.high is None else piece.high,
            bears_losses(subject),
        )
        for place, (subject, window) in enumerate(places)
        for summed in summed_as(subject)
        for piece in pieces_of(window)
    ]
    rows = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(pieces))
    statement = f"{_PIECES.format(rows=rows)} UNION ALL {_STATE}" if pieces else _STATE
    values: list[Any] = [
        int(value) if isinstance(value, bool) else value for piece in pieces for value in piece
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        read: Sequence[tuple[int, str, int]] = cursor.fetchall()
        return read


_PIECES = """
WITH piece (place, subject, grain, low, high, with_loss) AS (VALUES {rows})
SELECT place, '', (
    SELECT CAST(COALESCE(SUM(spend.cost + piece.with_loss * spend.loss), 0) AS BIGINT) FROM accounts_spend AS spend
    WHERE spend.subject = piece.subject AND spend.grain = piece.grain
        AND spend.starts_at >= piece.low AND spend.starts_at < piece.high
) FROM piece
"""
_STATE = """
SELECT -1, '', number FROM accounts_spendversion UNION ALL SELECT -2, process, seq FROM accounts_spoolmark
"""
