"""What is asked of the log: whose calls, when, and which; read from a query, and written into one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q

from accounts.calls.filters import ANNOTATED, FEWEST, FILTERS
from accounts.models import LedgerEntry, Team
from accounts.querysets import LedgerQuerySet
from accounts.usage.parameters import check_groups, read_instant
from gateway.core.refusals import InvalidField

PERIODS: Mapping[str, tuple[str, timedelta]] = {
    "1h": ("Last hour", timedelta(hours=1)),
    "24h": ("Last 24 hours", timedelta(days=1)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
}
_TIMES = {"period": "Time", "from": "From", "until": "Before"}
_ELSEWHERE = frozenset({"team", "before", "after", "since", "q"})
"""Read by whoever shows pages of the log."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on; `without` is the query in which it is off."""

    title: str
    text: str
    without: str


@dataclass(frozen=True, slots=True)
class Question:
    """`team` is None for the calls of all. `usage` has what narrows usage alike, by column; `is_told`: it tells all
    that fit from all others. `least_charge` is as a Narrowing has it.

    `among` are rows that have an index, and among which all are that fit.
    """

    team: Team | None
    asked: Mapping[str, str] = field(default_factory=dict)
    """The parameters that say something, as they were written, in the order of filters."""
    begin: datetime | None = None
    end: datetime | None = None
    condition: Q = field(default_factory=Q)
    usage: Mapping[str, Sequence[object]] = field(default_factory=dict)
    among: Q = field(default_factory=Q)
    is_told: bool = False
    least_charge: int = 0

    @property
    def is_narrow(self) -> bool:
        """Whether rows may be few and far between."""
        return bool(self.condition)

    def everything(self, begin: datetime | None, end: datetime | None) -> LedgerQuerySet:
        """All rows of the team, from the one instant on and before the other; of filters, what has an index."""
        rows = LedgerEntry.objects.all() if self.team is None else LedgerEntry.objects.filter(team=self.team)
        rows = rows.filter(self.among)
        if begin is not None:
            rows = rows.filter(started_at__gte=begin)
        return rows if end is None else rows.filter(started_at__lt=end)

    def rows(self, begin: datetime | None, end: datetime | None) -> LedgerQuerySet:
        """Of each call the attempt that ended it: nobody knows of the last one whether another was to follow."""
        later = LedgerEntry.objects.attempts().filter(
            call_id=OuterRef("call_id"), number__gt=OuterRef("number")
        )
        last = ~Q(outcome=LedgerEntry.Outcome.FAILED_OVER) | ~Exists(later)
        rows = self.everything(begin, end).attempts().filter(last)
        return rows.alias(**ANNOTATED).filter(self.condition) if self.is_narrow else rows

    def write(self, **changes: object) -> str:
        """The query, with others in their places, and without those that are None."""
        parameters: dict[str, object] = {"team": self.team.slug} if self.team else {}
        parameters |= {**self.asked, **changes}
        return urlencode({name: value for name, value in parameters.items() if value is not None})

    @property
    def chips(self) -> Sequence[Chip]:
        found = []
        for name, text in self.asked.items():
            if name in _TIMES:
                shown = PERIODS[text][0] if name == "period" else text
                found.append(Chip(_TIMES[name], shown, self.write(**{name: None})))
                continue
            words = FILTERS[name].words_of(text)
            for word in words:
                others = ",".join(each for each in words if each != word) or None
                found.append(
                    Chip(FILTERS[name].title, FILTERS[name].label_of(word), self.write(**{name: others}))
                )
        return found


def read_question(query: Mapping[str, str], team: Team | None, *, at: datetime, zone: str) -> Question:
    """Of a query whose lists are joined by commas; days are in that zone. Raises InvalidField."""
    for name in query:
        if name not in _ELSEWHERE | _TIMES.keys() | FILTERS.keys():
            known = ", ".join([*_TIMES, *FILTERS])
            raise InvalidField(name, f"{name[:40]} is no filter of this log; use any of {known}.")
    asked = {name: query[name] for name in (*_TIMES, *FILTERS) if query.get(name, "").strip()}
    begin, end = _read_time(asked, at, zone)
    words = {name: FILTERS[name].words_of(asked[name]) for name in asked if name in FILTERS}
    found = {name: FILTERS[name].read(name, words[name], team) for name in words if words[name]}
    among = next((found[name].among for name in FEWEST if name in found and found[name].among), None)
    return Question(
        team,
        asked,
        begin,
        end,
        Q(*(each.condition for each in found.values())),
        dict(each.column for each in found.values() if each.column),
        among or Q(),
        is_told=all(each.column for each in found.values()),
        least_charge=max((each.least_charge for each in found.values()), default=0),
    )


def _read_time(asked: Mapping[str, str], at: datetime, zone: str) -> tuple[datetime | None, datetime | None]:
    if "period" in asked:
        if "from" in asked or "until" in asked:
            raise InvalidField("period", "period cannot stand beside from and until: name either.")
        check_groups("period", [asked["period"]], PERIODS)
        return at - PERIODS[asked["period"]][1], None
    begin, end = (_instant(name, asked, zone) for name in ("from", "until"))
    if begin and end and begin >= end:
        raise InvalidField("until", "until must be later than from.")
    return begin, end


def _instant(name: str, asked: Mapping[str, str], zone: str) -> datetime | None:
    return datetime.fromtimestamp(read_instant(name, asked[name], zone), UTC) if name in asked else None


def unread_question(team: Team | None, asked: Mapping[str, str]) -> Question:
    """What was asked, where it could not be read, for the form that it came from."""
    return Question(team, {name: asked[name] for name in (*_TIMES, *FILTERS) if asked.get(name)})
