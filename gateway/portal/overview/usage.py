"""What a team used in a period, by groups and by steps of time, and in the period before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from accounts.usage.question import Question
from accounts.usage.reader import Reader, Row
from gateway.portal.overview.measures import NOTHING, READ, Sums, less, together
from gateway.portal.overview.periods import Span
from gateway.portal.overview.question import DIMENSIONS, Asked, Filter

DRAWN = 8
"""So many groups have a colour; what is left is one more."""
LISTED = 50


@dataclass(frozen=True, slots=True)
class Group:
    """`steps` are sums of each step of the span, of groups that are drawn. `filter`: None for what has no name."""

    title: str
    sums: Sums
    filter: Filter | None = None
    steps: Sequence[Sums] = ()


@dataclass(frozen=True, slots=True)
class Used:
    """`groups` are the largest ones; `others` is what they leave, None where that is nothing. `undrawn` are steps of
    all that has no colour of its own, None where everything has one. `before_steps` are of the slices before.
    """

    span: Span
    groups: Sequence[Group]
    others: Group | None
    undrawn: Sequence[Sums] | None
    steps: Sequence[Sums]
    total: Sums
    before_steps: Sequence[Sums]

    @property
    def before(self) -> Sums:
        return together(*self.before_steps)

    @property
    def drawn(self) -> Sequence[Group]:
        return [group for group in self.groups if group.steps]


def question_of(asked: Asked, span: Span) -> Question:
    """What the chart shows, as the API and its sheet answer it."""
    groups = (asked.column,) if asked.column else ()
    return Question(span.low, span.high, asked.period.bucket, span.zone, groups, asked.values, asked.team.pk)


@dataclass(frozen=True, slots=True)
class Found:
    """Rows as they were read: of groups, the largest first, one more than are listed; and of steps."""

    ranked: Sequence[Row]
    rows: Sequence[Row]


def find_used(reader: Reader, asked: Asked, span: Span) -> Found:
    """Two statements."""
    wanted = replace(question_of(asked, span), measures=READ)
    ranked = _rank(reader, wanted, asked)
    kept = [row.key[1] for row in ranked[:DRAWN]] if asked.column else None
    return Found(ranked, reader.read(replace(wanted, low=span.before[0], cuts=span.cuts, kept=kept)))


def put_together(asked: Asked, span: Span, found: Found) -> Used:
    by_step: dict[int, dict[Any, Sums]] = {}
    for row in found.rows:
        by_step.setdefault(row.key[0], {})[row.key[1] if asked.column else None] = row.sums
    steps = [together(*by_step.get(at, {}).values()) for at in span.steps]
    drawn = {
        row.key[1]: [by_step.get(at, {}).get(row.key[1], NOTHING) for at in span.steps]
        for row in found.ranked[:DRAWN]
    }
    undrawn = [by_step.get(at, {}).get(None, NOTHING) for at in span.steps]
    is_drawn = not asked.column or all(sums is NOTHING for sums in undrawn)
    total, listed = together(*steps), found.ranked[:LISTED]
    left = less(total, together(*(row.sums for row in listed)))
    return Used(
        span,
        _groups(asked, listed, drawn),
        Group("others", left) if len(found.ranked) > LISTED else None,
        None if is_drawn else undrawn,
        steps,
        total,
        [together(*by_step.get(at, {}).values()) for at in span.before[:-1]],
    )


def _rank(reader: Reader, wanted: Question, asked: Asked) -> Sequence[Row]:
    """One more than is listed tells that there are others."""
    if not asked.column:
        return []
    of_all = replace(wanted, bucket="none", largest=asked.measure.size)
    return reader.read(of_all, limit=LISTED + 1)


def _groups(asked: Asked, rows: Sequence[Row], drawn: Mapping[Any, Sequence[Sums]]) -> Sequence[Group]:
    titles = asked.names.titles(asked.by, [row.key[1] for row in rows])
    return [_group(asked, row, titles, drawn.get(row.key[1], ())) for row in rows]


def _group(
    asked: Asked, row: Row, titles: Mapping[Any, tuple[str | None, str]], steps: Sequence[Sums]
) -> Group:
    value = row.key[1]
    if not value:
        none = f"no {DIMENSIONS[asked.by].lower()}"
        return Group(none, row.sums, Filter("", value, none), steps)
    name, title = titles[value]
    return Group(title, row.sums, None if name is None else Filter(name, value, title), steps)
