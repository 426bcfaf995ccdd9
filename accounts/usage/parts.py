"""The SQL of what usage is added up from: of one cohort, a part for each kind of sums that it is read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.usage.cohorts import Cohort
from accounts.usage.faces import Face, face_of
from accounts.usage.measures import ERRORS, ERRORS_ARE, TOKENS
from accounts.usage.question import Question
from accounts.usage.rollups import COARSE, DAYS, QUARTERS
from accounts.usage.times import HALF_S, Coarse, Grain, Move, Piece, Run, read_from, runs_of

THERE = ("there_attempts", "there_cost", "there_charge", "there_loss", "there_own_cost")
"""Columns of parts that tell whether anything is there, where something was moved."""
_ENDINGS = ", ".join(f"'{outcome}'" for outcome in ERRORS_ARE)
_TOKENS = "COALESCE(input_tokens, 0) + COALESCE(output_tokens, 0)"
_OF_SERIES = {ERRORS: f"CASE WHEN series.outcome IN ({_ENDINGS}) THEN calls END", TOKENS: _TOKENS}
"""What is added up of measures that are no columns."""
_OF_COARSE = {TOKENS: _TOKENS}
# One after the other, by the index of starts: PostgreSQL would go through all quarters for each of them.
_QUARTERS_OF_EACH = {
    "postgresql": f"CROSS JOIN LATERAL (SELECT * FROM {QUARTERS}"  # noqa: S608  # all of it is ours
    " WHERE starts_at >= moved.low AND starts_at < moved.high OFFSET 0) AS sums",
    "sqlite": f"CROSS JOIN {QUARTERS} AS sums ON sums.starts_at >= moved.low AND sums.starts_at < moved.high",
}
_BY_SERIES: Mapping[Grain, str] = {"day": DAYS, "quarter": QUARTERS}


@dataclass(frozen=True, slots=True)
class Part:
    """A SELECT of buckets, groups and measures, with places for `values`."""

    text: str
    values: Sequence[Any]
    is_moved: bool


def parts_of(question: Question, cohorts: Sequence[Cohort]) -> Sequence[Part]:
    """With columns of THERE all, if one of them is moved."""
    face = face_of([*question.groups, *question.filters, *question.excluded])
    bounds = question.bounds
    read = [read_from(bounds, each.zone, Coarse(each.closed_to, face.has_days)) for each in cohorts]
    is_moved = any(moves for _, moves in read)
    parts: list[Part] = []
    for cohort, (pieces, moves) in zip(cohorts, read, strict=True):
        write = _Writing(question, runs_of(bounds), cohort, face, is_moved)
        parts += [write.read(grain, its) for grain, its in _by_grain(pieces).items()]
        parts += [write.move(moves)] if moves else []
    return parts


@dataclass(frozen=True, slots=True)
class _Writing:
    question: Question
    runs: Sequence[Run]
    cohort: Cohort
    face: Face
    is_moved: bool

    def read(self, grain: Grain, pieces: Sequence[Piece]) -> Part:
        """Of sums of one grain. What is longer than a quarter of an hour is of the bucket in which its noon is."""
        at = "sums.starts_at" if grain == "quarter" else f"(sums.starts_at + {HALF_S})"
        source, whose, of_source = self._source(grain)
        groups, of_groups = _groups(self.question, whose)
        ranges = " OR ".join(["sums.starts_at >= %s AND sums.starts_at < %s"] * len(pieces))
        bounds = [bound for piece in pieces for bound in (piece.low, piece.high)]
        conditions, of_series = self._conditions(whose)
        text = (
            f"SELECT {_bucket(self.runs, at)} AS bucket{groups}, {self._sums(whose)} FROM {source}"  # noqa: S608
            f" AND ({ranges}) AND {conditions} GROUP BY {self._first_columns(1)}"
        )
        return Part(text, [*of_groups, *of_source, *bounds, *of_series], self.is_moved)

    def move(self, moves: Sequence[Move]) -> Part:
        """Of quarters of an hour that were read with a day: once less where that is, once more where they are."""
        gone, values = self._gone(moves)
        signed = ", ".join(f"sign * {name} AS {name}" for name in (*self.question.measures, *THERE))
        text = (
            f"SELECT CASE sign WHEN 1 THEN other ELSE home END AS bucket{_listed(self.question.groups)}, {signed}"  # noqa: S608
            f" FROM ({gone}) AS gone CROSS JOIN (SELECT 1 AS sign UNION ALL SELECT -1) AS signs"
            " WHERE sign = -1 OR other IS NOT NULL"
        )
        return Part(text, values, is_moved=True)

    def _gone(self, moves: Sequence[Move]) -> tuple[str, Sequence[Any]]:
        """A SELECT of `home` and `other` of each move, groups, and what was used in its quarters of an hour."""
        moved = ", ".join(f"({move.low}, {move.high}, {move.home}, {_start_or_null(move)})" for move in moves)
        groups, of_groups = _groups(self.question, "series")
        conditions, of_series = self._conditions("series")
        text = (
            f"WITH moved (low, high, home, other) AS (VALUES {moved})"  # noqa: S608
            f" SELECT home, other{groups}, {self._sums('series')} FROM moved {_QUARTERS_OF_EACH[connection.vendor]}"
            " JOIN accounts_usageseries AS series ON series.id = sums.series_id"
            f" WHERE {conditions} GROUP BY {self._first_columns(2)}"
        )
        return text, [*of_groups, *of_series]

    def _first_columns(self, before_groups: int) -> str:
        """By their places: those before the groups, and the groups."""
        return ", ".join(str(place) for place in range(1, before_groups + len(self.question.groups) + 1))

    def _source(self, grain: Grain) -> tuple[str, str, Sequence[Any]]:
        """The tables with their first condition, in which of them members stand, and the condition's values."""
        if table := _BY_SERIES.get(grain):
            joined = f"{table} AS sums JOIN accounts_usageseries AS series ON series.id = sums.series_id WHERE TRUE"
            return joined, "series", ()
        return f"{COARSE} AS sums WHERE sums.face = %s AND sums.grain = %s", "sums", (self.face.name, grain)

    def _sums(self, whose: str) -> str:
        made = _OF_SERIES if whose == "series" else _OF_COARSE
        sums = [f"SUM({made.get(name, name)}) AS {name}" for name in self.question.measures]
        if self.is_moved:
            sums += [f"SUM({name.removeprefix('there_')}) AS {name}" for name in THERE]
        return ", ".join(sums)

    def _conditions(self, whose: str) -> tuple[str, list[Any]]:
        found, values = [self.cohort.condition.format(whose)], list(self.cohort.team_ids)
        for negation, filters in (("", self.question.filters), ("NOT ", self.question.excluded)):
            for name, wanted in filters.items():
                found.append(f"{whose}.{name} {negation}IN ({', '.join(['%s'] * len(wanted))})")
                values += wanted
        return " AND ".join(found), values


def _by_grain(pieces: Sequence[Piece]) -> Mapping[Grain, Sequence[Piece]]:
    found: dict[Grain, list[Piece]] = {}
    for piece in pieces:
        found.setdefault(piece.grain, []).append(piece)
    return found


def _groups(question: Question, whose: str) -> tuple[str, list[Any]]:
    values = [f"{whose}.{name}" for name in question.groups]
    kept = question.kept
    if kept is not None:
        *_, last = values
        values[-1] = (
            f"CASE WHEN {last} IN ({', '.join(['%s'] * len(kept))}) THEN {last} END" if kept else "NULL"
        )
    named = zip(values, question.groups, strict=True)
    return "".join(f", {value} AS {name}" for value, name in named), list(kept or ())


def _start_or_null(move: Move) -> str:
    return "CAST(NULL AS BIGINT)" if move.other is None else str(move.other)


def _listed(names: Sequence[str]) -> str:
    return "".join(f", {name}" for name in names)


def _bucket(runs: Sequence[Run], at: str) -> str:
    """The start of the bucket in which that instant is."""
    *others, last = (_start(run, at) for run in runs)
    if not others:
        return last
    cases = (f"WHEN {at} < {run.high} THEN {start}" for run, start in zip(runs, others, strict=False))
    return f"CASE {' '.join(cases)} ELSE {last} END"


def _start(run: Run, at: str) -> str:
    if run.high - run.low == run.width:
        return f"CAST({run.low} AS BIGINT)"
    return f"{run.low} + ({at} - {run.low}) / {run.width} * {run.width}"
