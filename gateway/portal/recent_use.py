"""What a key, a program, a project or a team used lately: what would stop, and a line that shows its days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accounts.attempts import OWNERS
from accounts.measures import write_sum
from accounts.models import Team
from accounts.money import usd_of
from accounts.usage.question import Filters, Question
from accounts.usage.reader import read_usage
from accounts.usage.times import WHOLE_DAY
from accounts.windows import DAY_S, QUARTER_S

DAYS = 30
WEEK = 7
DAY = 1
_WIDTH, _HEIGHT = 240, 40


@dataclass(frozen=True, slots=True)
class RecentUse:
    """Of some days. `line` are the points of a polyline in a box of `width` and `height`: calls a day, from zero up."""

    days: int
    calls: int
    failed: int
    input_tokens: int
    output_tokens: int
    charge: str
    line: str
    most: int
    """Calls on the busiest day."""
    width: int = _WIDTH
    height: int = _HEIGHT


def use_of(team: Team, days: int, filters: Filters | None = None) -> RecentUse:
    """Up to now, by the team's days. Calls that go on elsewhere count once."""
    now = _next_quarter()
    question = Question(
        now - days * DAY_S,
        now,
        WHOLE_DAY,
        team.usage_zone,
        ("outcome",),
        filters or {},
        team.pk,
    )
    rows = read_usage(question)
    by_day = dict.fromkeys(question.bounds[:-1], 0)
    for row in rows:
        by_day[row.key[0]] = by_day.get(row.key[0], 0) + row.sums["calls"]
    totals: Mapping[str, int] = {
        name: sum(row.sums[name] for row in rows)
        for name in ("calls", "input_tokens", "output_tokens", "charge")
    }
    failed = sum(row.sums["calls"] for row in rows if row.key[1] in _FAILED)
    counts = [by_day[at] for at in sorted(by_day)]
    return RecentUse(
        days,
        totals["calls"],
        failed,
        totals["input_tokens"],
        totals["output_tokens"],
        write_sum(usd_of(totals["charge"])),
        line_of(counts),
        max(counts, default=0),
    )


def calls_of(team: Team, filters: Filters | None = None) -> tuple[int, int]:
    """How many there were in the last day, and in the last week."""
    now = _next_quarter()
    week, day = (now - days * DAY_S for days in (WEEK, DAY))
    question = Question(
        week, now, filters=filters or {}, team_id=team.pk, cuts=(week, day, now), measures=("calls",)
    )
    counts = {row.key[0]: row.sums["calls"] for row in read_usage(question)}
    return counts.get(day, 0), sum(counts.values())


def _next_quarter() -> int:
    return int(timezone.now().timestamp()) // QUARTER_S * QUARTER_S + QUARTER_S


def line_of(counts: Sequence[int]) -> str:
    """As SVG's `points`."""
    most, last = max(counts, default=0) or 1, max(1, len(counts) - 1)
    high = _HEIGHT - 2
    return " ".join(
        f"{at * _WIDTH / last:.1f},{_HEIGHT - 1 - count * high / most:.1f}" for at, count in enumerate(counts)
    )


def filters_of(kind: str, pk: Any) -> Filters:
    """Of one subject."""
    return {OWNERS[kind]: [pk]}


_FAILED = frozenset({"failed", "cut", "unknown"})
