"""The page that asks before something ends: it names the thing, says what would stop, and what is unharmed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.attempts import OWNERS
from accounts.models import Budget, Key, Limit, Membership, Team
from accounts.subject_rows import Owner, subject_columns
from gateway.core.locales import write_number
from gateway.core.reader import current
from gateway.portal.listing import KeyRow, row_of
from gateway.portal.recent_use import WEEK, calls_of

_NAMED = 10
Fact = tuple[str, str]
"""What is counted, and how much of it there is."""


@dataclass(frozen=True, slots=True)
class Ending:
    """`title` asks, `says` are paragraphs, `act` is on the button; `keys` are those that would stop."""

    title: str
    says: Sequence[str]
    act: str
    back: str
    stay: str = "Keep it"
    keys: Sequence[KeyRow] = ()
    more_keys: int = 0
    call: str = ""
    """The operation of the API that does the same, with the ids that it takes and what it sends."""
    ids: Sequence[object] = ()
    key: str = ""
    """The one on whose page this was asked."""
    facts: Sequence[Fact] = ()
    sent: Mapping[str, object] = field(default_factory=dict)
    """In the body of that call."""


def ask_first(request: HttpRequest, team: Team, ending: Ending) -> HttpResponse:
    return render(request, "portal/ending.html", {"team": team, "ending": ending, "rows": ending.keys})


def named_keys(keys: QuerySet[Key]) -> tuple[Sequence[KeyRow], int]:
    """Of those that work now the ones used last, and how many more there are."""
    at = timezone.now()
    live = keys.usable(at)  # type: ignore[attr-defined]  # the manager's own queryset
    found = list(live.select_related("team").order_by("-last_used_at", "-pk")[:_NAMED])
    more = live.count() - len(found) if len(found) == _NAMED else 0
    return [row_of(key, at) for key in found], more


def at_stake(subject: Owner) -> Sequence[Fact]:
    """How much was called lately by whom that is, and how many keys, limits and budgets are its own."""
    return [*_calls_of(subject), *_keys_of(subject), *bounds_of(subject)]


def _calls_of(subject: Owner) -> Iterator[Fact]:
    team = subject if isinstance(subject, Team) else subject.team
    filters = None if isinstance(subject, Team) else {OWNERS[_kind_of(subject)]: [_pk_of(subject)]}
    last_day, last_week = calls_of(team, filters)
    yield "Calls in the last day", _written(last_day)
    yield f"In the last {WEEK} days", _written(last_week)


def _keys_of(subject: Owner) -> Iterator[Fact]:
    if isinstance(subject, Key):
        return
    if isinstance(subject, Membership):
        keys = Key.objects.filter(team=subject.team, owner=subject.user)
    else:
        keys = subject.keys.all()
    yield "Keys that work", _written(keys.usable(timezone.now()).count())


def bounds_of(subject: Owner) -> Iterator[Fact]:
    columns = subject_columns(subject)
    yield "Own limits", _written(Limit.objects.filter(**columns).count())
    yield "Own budgets", _written(Budget.objects.filter(**columns).count())


def _written(count: int) -> str:
    return write_number(count, current().locale)


def _kind_of(subject: Owner) -> str:
    return next(iter(subject_columns(subject)))


def _pk_of(subject: Owner) -> int:
    return subject.lineage_id if isinstance(subject, Key) else subject.pk
