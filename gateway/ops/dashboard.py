"""What all teams used together, for staff: figures of a period and of the one before, steps, and a table by anything.

Measures are those of teams' own overview, and are written as there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import AccessRequest, Budget, Team
from accounts.money import usd_of
from accounts.querysets import BudgetQuerySet
from accounts.standings import stand_budgets
from accounts.usage.measures import TOKENS
from accounts.usage.names import name_groups
from accounts.usage.own_days import ADDED, BEFORE, WHOLE, read_own_steps
from accounts.usage.question import Question
from accounts.usage.reader import one_instant
from accounts.usage.times import HOUR, QUARTER, WHOLE_DAY, WHOLE_MONTH, bounds_of
from accounts.windows import QUARTER_S
from gateway.portal.overview.measures import MEASURES as OVERVIEW
from gateway.portal.overview.measures import Measure
from gateway.portal.overview.medians import Spread, read_spread_of_all
from gateway.public.amounts import Amount

NEAR = Decimal("0.8")
"""Of its amount: a budget of which so much is spent is in the queue."""
ROWS_MOST = 50
QUEUE_MOST = 20
_NO_CENTRE = "no cost centre"


_WIDTHS_S = {QUARTER: QUARTER_S, HOUR: 3_600}


@dataclass(frozen=True, slots=True)
class Period:
    """So many steps, of which the last one is not over: days and months are each team's own."""

    name: str
    label: str
    bucket: str
    steps: int


PERIODS: Mapping[str, Period] = {
    period.name: period
    for period in (
        Period("1h", "1 hour", QUARTER, 4),
        Period("24h", "24 hours", HOUR, 24),
        Period("7d", "7 days", WHOLE_DAY, 7),
        Period("30d", "30 days", WHOLE_DAY, 30),
        Period("90d", "90 days", WHOLE_DAY, 90),
        Period("12mo", "12 months", WHOLE_MONTH, 12),
    )
}
SPLITS: Mapping[str, tuple[str, str]] = {
    "team": ("Team", "team_id"),
    "model": ("Model", "model"),
    "provider": ("Provider", "provider"),
    "cost_centre": ("Cost centre", "team_id"),
}
"""By word of the address: what people call it, and the column of usage that tells it."""


Sums = Mapping[str, int]
"""What was used together, by name; money in 10^-10 USD."""
NOTHING: Sums = dict.fromkeys((*ADDED, TOKENS), 0)
_TOLD = ("latency_told", "first_token_told")
_OF_TEAMS = ("spend", "calls", "tokens", "errors", "latency", "first_token")
MEASURES: Mapping[str, Measure] = {
    **{name: OVERVIEW[name] for name in _OF_TEAMS},
    "loss": Measure("loss", "Borne by us", "usd", "loss"),
}


def sums_of(told: Mapping[str, int]) -> Sums:
    """As measures take them."""
    return {name: told[name] for name in ADDED} | {TOKENS: told["input_tokens"] + told["output_tokens"]}


def add(one: Sums, other: Sums) -> Sums:
    return {name: one[name] + other[name] for name in NOTHING}


def _read_for(measure: Measure) -> Sequence[str]:
    """Of usage, what it is made of; and how often times were measured, by which samples are weighed."""
    made = ("input_tokens", "output_tokens") if measure.of == TOKENS else (measure.of, measure.told)
    return (*made, *_TOLD)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: names of PERIODS, SPLITS and MEASURES."""

    period: str = "7d"
    by: str = "team"
    measure: str = "spend"


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of a bucket's width: of days and months, which are each team's own, `begins` is the first day in UTC."""

    begins: datetime
    used: Sums
    bucket: str

    @property
    def is_own(self) -> bool:
        return self.bucket not in _WIDTHS_S


@dataclass(frozen=True, slots=True)
class Parts:
    """What was used in a period, and what of it (`whole`) is held against `before`: of days, those that are over."""

    now: Sums = field(default_factory=lambda: NOTHING)
    whole: Sums = field(default_factory=lambda: NOTHING)
    before: Sums = field(default_factory=lambda: NOTHING)

    def plus(self, other: "Parts") -> "Parts":
        return Parts(add(self.now, other.now), add(self.whole, other.whole), add(self.before, other.before))


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table."""

    name: str
    parts: Parts


@dataclass(frozen=True, slots=True)
class Figures:
    begins: datetime
    parts: Parts
    steps: Sequence[Step]
    lines: Sequence[Line]
    left_out: int = 0
    """Lines beyond ROWS_MOST."""
    spreads: Mapping[str, Spread] = field(default_factory=dict)
    """By measure: of times the median."""


def read_figures(asked: Asked, at: datetime) -> Figures:
    """Over all teams: of quarters of an hour as they are, of days by each team's own."""
    period = PERIODS[asked.period]
    column = SPLITS[asked.by][1]
    read = _read_hours if period.bucket in _WIDTHS_S else _read_days
    steps, by_value = read(period, column, MEASURES[asked.measure], at)
    lines = _lines(asked, by_value)
    total = Parts()
    for line in lines:
        total = total.plus(line.parts)
    left_out = max(0, len(lines) - ROWS_MOST)
    return Figures(steps[0].begins, total, steps, lines[:ROWS_MOST], left_out, _spreads(steps, at))


def _spreads(steps: Sequence[Step], at: datetime) -> Mapping[str, Spread]:
    bounds = [*(int(step.begins.timestamp()) for step in steps), int(at.timestamp()) + QUARTER_S]
    return read_spread_of_all(bounds, [step.used for step in steps])


def _read_days(
    period: Period, column: str, measure: Measure, at: datetime
) -> tuple[Sequence[Step], Mapping[Any, Parts]]:
    today = at.astimezone(UTC).date()
    days = _first_days(period, today)
    found = read_own_steps(days[period.steps :], today, days[0], column, _read_for(measure))
    by_value: dict[Any, Parts] = {}
    for value, part, sums in found.by_value:
        used = sums_of(sums)
        whole = used if part == WHOLE else NOTHING
        parts = Parts(before=used) if part == BEFORE else Parts(now=used, whole=whole)
        by_value[value] = by_value.get(value, Parts()).plus(parts)
    steps = []
    for day in days[period.steps :]:
        told = found.by_step.get(day)
        begins = datetime.combine(day, time.min, UTC)
        steps.append(Step(begins, sums_of(told) if told else NOTHING, period.bucket))
    return steps, by_value


def _first_days(period: Period, today: date) -> Sequence[date]:
    """Of twice as many steps: those of the period behind those of the one before."""
    places = range(1 - 2 * period.steps, 1)
    if period.bucket == WHOLE_DAY:
        return [today + timedelta(days=place) for place in places]
    months = today.year * 12 + today.month - 1
    return [date((months + place) // 12, (months + place) % 12 + 1, 1) for place in places]


def _read_hours(
    period: Period, column: str, _measure: Measure, at: datetime
) -> tuple[Sequence[Step], Mapping[Any, Parts]]:
    high = -(-int(at.timestamp()) // QUARTER_S) * QUARTER_S
    width = _WIDTHS_S[period.bucket]
    length = width * period.steps
    begin = (int(at.timestamp()) // width + 1) * width - length
    earlier = begin - length
    with one_instant(None) as reader:
        series = reader.read(Question(begin, high, period.bucket, measures=tuple(ADDED)))
        cuts = sorted({earlier, high - length, begin, high})
        told = reader.read(Question(earlier, high, groups=(column,), measures=tuple(ADDED), cuts=cuts))
    by_value: dict[Any, Parts] = {}
    for row in told:
        start, value = row.key
        used = sums_of(row.sums)
        if start >= begin:
            by_value[value] = by_value.get(value, Parts()).plus(Parts(now=used, whole=used))
        elif start == earlier:
            by_value[value] = by_value.get(value, Parts()).plus(Parts(before=used))
    found = {row.key[0]: sums_of(row.sums) for row in series}
    starts = bounds_of(period.bucket, "UTC", begin, high)[:-1]
    steps = [
        Step(datetime.fromtimestamp(start, UTC), found.get(start, NOTHING), period.bucket) for start in starts
    ]
    return steps, by_value


def _lines(asked: Asked, by_value: Mapping[Any, Parts]) -> Sequence[Line]:
    """The largest first."""
    names = _names(asked.by, by_value)
    found: dict[str, Parts] = {}
    for value, parts in by_value.items():
        found[names[value]] = found.get(names[value], Parts()).plus(parts)
    measure = MEASURES[asked.measure]
    lines = [Line(name, parts) for name, parts in found.items()]
    return sorted(lines, key=lambda line: (-(measure.value(line.parts.now) or 0), line.name))


def _names(by: str, values: Iterable[Any]) -> Mapping[Any, str]:
    wanted = list(values)
    if by == "cost_centre":
        centres = dict(Team.objects.filter(Q(pk__in=wanted)).values_list("pk", "cost_centre"))
        return {value: centres.get(value) or _NO_CENTRE for value in wanted}
    named = name_groups((by,), [(value,) for value in wanted])
    nobody = "the operator itself" if by == "team" else "none"
    return {value: row[by] or nobody for value, row in zip(wanted, named, strict=True)}


@dataclass(frozen=True, slots=True)
class NearBudget:
    budget: Budget
    percent: int
    spent: Amount
    amount: Amount

    @property
    def is_over(self) -> bool:
        return self.percent >= 100


@dataclass(frozen=True, slots=True)
class Queue:
    """The first of a row of things that wait for somebody, and how many there are."""

    rows: Sequence[Any] = field(default=())
    count: int = 0


def _money(units: int) -> Amount:
    return MEASURES["spend"].write(usd_of(units))


def budgets_queue(seen: BudgetQuerySet, at: datetime) -> Queue:
    """Those of which most is spent, the fullest first."""
    budgets = list(seen.filter(is_active=True).with_subjects())
    standings = stand_budgets(budgets, at.timestamp())
    near = [
        NearBudget(
            budget,
            int(100 * stands.spent / stands.amount) if stands.amount else 100,
            _money(stands.spent),
            _money(stands.amount),
        )
        for budget in budgets
        if (stands := standings[budget.pk]).spent >= NEAR * stands.amount
    ]
    near.sort(key=lambda each: (-each.percent, each.budget.pk))
    return Queue(near[:QUEUE_MOST], len(near))


def requests_queue(seen: QuerySet[AccessRequest]) -> Queue:
    """What members ask for and staff decide, of those that may be seen; who waits longest comes first."""
    rows = seen.filter(state=AccessRequest.State.OPEN, decider=AccessRequest.Decider.STAFF).select_related(
        "team", "person"
    )
    found = list(rows.order_by("created_at", "pk")[: QUEUE_MOST + 1])
    return Queue(found[:QUEUE_MOST], rows.count() if len(found) > QUEUE_MOST else len(found))
