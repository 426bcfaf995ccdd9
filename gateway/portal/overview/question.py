"""What the address of the overview asks for: nothing is lost but what is wrong, and that is said."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from accounts.models import Team
from accounts.usage.parameters import GROUPS, check_values
from gateway.core.errors import ApiError
from gateway.core.refusals import InvalidField
from gateway.portal.overview import measures, periods
from gateway.portal.overview.measures import MEASURES, Measure
from gateway.portal.overview.names import Names
from gateway.portal.overview.periods import LONGEST_DAYS, PERIODS, Period, days_from

DIMENSIONS: Mapping[str, str] = {
    "model": "Model",
    "provider": "Provider",
    "project": "Project",
    "key": "Key",
    "member": "Member",
    "service_account": "Service account",
}
"""By what usage is split and narrowed, as the API's parameters are called."""
NOTHING = "none"
SPLITS: Mapping[str, str] = {**DIMENSIONS, NOTHING: "Nothing"}
USUAL_SPLIT = "model"
_NEXT = ("key", "model", "project", "member", "provider", "service_account")
"""By what to split once the page is narrowed to one of what it was split by."""
_USUAL = {("measure", measures.USUAL), ("by", USUAL_SPLIT), ("period", periods.USUAL)}
"""What addresses leave out."""
DAYS = ("first", "last")
"""The days of a time that is no period up to now; both count."""
PICK, KEPT = "pick_", "*"
"""What the form calls its fields. Their values have a sign before them, so that nothing is not the same as no name."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A parameter that could not be used, and why, in a sentence."""

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Filter:
    """`name` is what the address says, `value` what sums have, `title` what people read."""

    name: str
    value: Any
    title: str


@dataclass(frozen=True, slots=True)
class Asked:
    team: Team
    names: Names = field(compare=False)
    measure: Measure = MEASURES[measures.USUAL]
    by: str = USUAL_SPLIT
    period: Period = PERIODS[periods.USUAL]
    filters: Mapping[str, Sequence[Filter]] = field(default_factory=dict)

    @property
    def column(self) -> str | None:
        """By which sums are split."""
        return GROUPS.get(self.by)

    @property
    def values(self) -> Mapping[str, Sequence[Any]]:
        """By column what sums are narrowed to."""
        return {GROUPS[name]: [each.value for each in chosen] for name, chosen in self.filters.items()}

    @property
    def address(self) -> str:
        """The query of this page, without what is usual."""
        asked = [("team", self.team.slug), ("measure", self.measure.name), ("by", self.by)]
        asked += [(name, value) for name, value in self.time if value]
        asked += [(name, each.name) for name, chosen in self.filters.items() for each in chosen]
        return f"?{urlencode([pair for pair in asked if pair not in _USUAL], safe='/:')}"

    @property
    def time(self) -> Sequence[tuple[str, str]]:
        """Which it is, as addresses say it."""
        first, last = self.period.first, self.period.last
        if first and last:
            return [("first", first.isoformat()), ("last", last.isoformat())]
        return [("period", self.period.name)]

    def narrowed(self, value: Filter) -> "Asked":
        """To one of what it is split by; what is split by then is what was not narrowed yet."""
        filters = {**self.filters, self.by: [value]}
        by = next((each for each in _NEXT if each not in filters), NOTHING)
        return replace(self, filters=filters, by=by)

    def without(self, name: str, gone: Filter) -> "Asked":
        left = {**self.filters, name: [each for each in self.filters[name] if each != gone]}
        return replace(self, filters={name: chosen for name, chosen in left.items() if chosen})

    def for_api(self, low: str, high: str, zone: str) -> str:
        """The query of `GET /v1/usage` that tells the same numbers."""
        asked = [("from", low), ("to", high), ("bucket", self.period.bucket), ("zone", zone)]
        if self.column:
            asked.append(("group_by", self.by))
        asked += [(name, ",".join(each.name for each in chosen)) for name, chosen in self.filters.items()]
        return urlencode(asked, safe="/:,")


def settled(query: QueryDict) -> str | None:
    """The query that a sent form means, as links write it; None where none was sent."""
    if not any(name.startswith(PICK) for name in query):
        return None
    picked = {name: query.get(PICK + name, KEPT) for name in DIMENSIONS}
    days = [(name, query[name]) for name in DAYS if query.get(name)]
    left = {*DAYS, *(name for name, value in picked.items() if value != KEPT)}
    left |= {"period"} if days else set()
    kept = [
        (name, value)
        for name, values in query.lists()
        for value in values
        if name not in left and not name.startswith(PICK)
    ]
    chosen = [(name, value[1:]) for name, value in picked.items() if value and value != KEPT]
    return urlencode([pair for pair in (*kept, *days, *chosen) if pair not in _USUAL], safe="/:")


def read_question(query: QueryDict, team: Team, today: date) -> tuple[Asked, Sequence[Fault]]:
    """`today` in the team's zone."""
    faults = [
        Fault(name[:100], "The overview has no such parameter.")
        for name in query
        if name not in {"team", "measure", "by", "period", *DAYS, *DIMENSIONS}
    ]
    names = Names(team)
    measure = _choose(query, "measure", MEASURES, measures.USUAL, faults)
    by = _choose(query, "by", SPLITS, USUAL_SPLIT, faults)
    period = PERIODS[_choose(query, "period", PERIODS, periods.USUAL, faults)]
    filters = {name: list(_filters(query, name, names, faults)) for name in DIMENSIONS if name in query}
    asked = Asked(
        team,
        names,
        MEASURES[measure],
        by,
        _read_days(query, today, faults) or period,
        {name: found for name, found in filters.items() if found},
    )
    return asked, faults


def _choose(query: QueryDict, name: str, known: Mapping[str, Any], usual: str, faults: list[Fault]) -> str:
    word = str(query.get(name, usual))
    if word in known:
        return word
    faults.append(Fault(name, f"{name} is {word[:40]!r}; use any of {', '.join(known)}."))
    return usual


def _read_days(query: QueryDict, today: date, faults: list[Fault]) -> Period | None:
    """What is still to come is left out, and where no last day is named it is today."""
    if not any(name in query for name in DAYS):
        return None
    known = len(faults)
    first = _read_day(query, "first", None, faults)
    last = _read_day(query, "last", today, faults)
    if first and last:
        last = min(last, today)
        if first > last:
            faults.append(Fault("first", "first must not be later than last, nor than today."))
        elif (last - first).days >= LONGEST_DAYS:
            faults.append(Fault("first", f"first and last are more than {LONGEST_DAYS} days apart."))
    if len(faults) > known or not (first and last):
        return None
    return days_from(first, last)


def _read_day(query: QueryDict, name: str, usual: date | None, faults: list[Fault]) -> date | None:
    word = str(query.get(name, ""))
    if not word and usual:
        return usual
    try:
        day = date.fromisoformat(word)
    except ValueError:
        faults.append(Fault(name, f"{name} is {word[:40]!r}; write a day such as 2026-11-02."))
        return None
    if not 2000 <= day.year < 2100:
        faults.append(Fault(name, f"{name} is {word[:40]!r}; it must be in the years from 2000 to 2099."))
        return None
    return day


def _filters(query: QueryDict, name: str, names: Names, faults: list[Fault]) -> Iterator[Filter]:
    words = list(dict.fromkeys(query.getlist(name)))
    try:
        check_values(name, words)
    except InvalidField as fault:
        faults.append(Fault(name, fault.message))
        return
    found: dict[Any, None] = {}
    for word in words:
        try:
            found |= dict.fromkeys(names.find(name, word))
        except ApiError as refusal:
            faults.append(Fault(name, refusal.message))
    titles = names.titles(name, found)
    for value in found:
        named, title = titles.get(value, ("", f"no {DIMENSIONS[name].lower()}"))
        yield Filter(named or "", value, title)
