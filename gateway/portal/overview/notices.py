"""What needs somebody of a team, newest first: ends of models in use, keys, incidents, requests to decide."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Case, Q, Value, When

from accounts.acting import Acting
from accounts.key_news import EXPIRING, expires_soon, is_news_that_it_ends
from accounts.memberships import is_left_behind, live_keys
from accounts.models import AccessRequest, Key
from accounts.money import usd_of
from accounts.rights import Right
from accounts.unused import WARNED
from accounts.usage.measures import COUNTS
from accounts.usage.question import Question
from accounts.usage.reader import Row
from accounts.windows import DAY_S, QUARTER_S
from catalogue.facts import ModelFacts
from catalogue.lifecycle.status import Status
from catalogue.published.reading import Reading
from gateway.core.locales import write_day, write_usd
from gateway.core.reader import current
from gateway.portal.overview.replacing import cost_elsewhere
from providers.breaker_models import Incident
from providers.facts import OPERATOR

USED_DAYS = 30
NEAR = timedelta(days=90)
SHOWN = 20
_OLDEST = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_INCIDENTS = 200
_SPENT = ("calls", "charge", *COUNTS)


@dataclass(frozen=True, slots=True)
class Notice:
    """`kind` is what it is about: retirement, incident, expiring, unused, left_behind or request.

    `at` is since when it is news, None where nobody knows; `due` when it ends. `subject` is what it concerns.
    """

    kind: str
    at: datetime | None
    subject: str
    text: str = ""
    due: datetime | None = None
    key: str = ""
    successor: str = ""
    spent_text: str = ""
    instead_text: str = ""
    """What the same usage would have cost at the successor."""
    is_over: bool = False
    """Of `due`: it has come."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What concerns those who use it: models whose end is near, by their ids, and open incidents."""

    ending: Mapping[str, ModelFacts]
    incidents: Sequence[Incident]


def used_lately(team_id: int, at: datetime) -> Question:
    """What the team used in the last days, of each model at each provider."""
    high = (int(at.timestamp()) // QUARTER_S + 1) * QUARTER_S
    low = high - USED_DAYS * DAY_S
    return Question(low, high, groups=("model", "provider"), team_id=team_id, measures=_SPENT)


def watched(here: Acting, reading: Reading) -> Watched:
    """One statement."""
    models = reading.snapshot.models.values()
    ending = {model.id: model for model in models if _is_ending(model, reading.at)}
    return Watched(ending, list(_open_incidents(here, reading)))


def notices_of(here: Acting, reading: Reading, watch: Watched, used: Sequence[Row]) -> Sequence[Notice]:
    """Those that whoever looks can do something about, or has to know. `used` answers `used_lately`; two statements."""
    in_use = [row for row in used if row.sums["calls"] or row.sums["charge"]]
    found = [*_of_models(here, reading, watch, in_use), *_of_keys(here, reading.at), *_of_requests(here)]
    return sorted(found, key=lambda each: each.at or _OLDEST, reverse=True)


def _of_models(here: Acting, reading: Reading, watch: Watched, used: Sequence[Row]) -> Iterator[Notice]:
    by_model: dict[str, list[Row]] = {}
    for row in used:
        by_model.setdefault(row.key[1], []).append(row)
    for name, model in watch.ending.items():
        if name in by_model:
            yield _retirement(here, reading, model, by_model[name])
    yield from _incidents(watch.incidents, {(row.key[1], row.key[2]) for row in used})


def _is_ending(model: ModelFacts, at: datetime) -> bool:
    if model.is_route:
        return False
    is_near = model.retirement_at is not None and model.retirement_at <= at + NEAR
    return is_near or model.status(at) is Status.DEPRECATED


def _retirement(here: Acting, reading: Reading, model: ModelFacts, rows: Sequence[Row]) -> Notice:
    sums = {name: sum(row.sums[name] for row in rows) for name in _SPENT}
    successor = reading.snapshot.successor(model, reading.at)
    instead = cost_elsewhere(sums, successor, reading.snapshot, reading.at) if successor else None
    return Notice(
        "retirement",
        _since(model, reading.at),
        model.id,
        _life(model, successor, reading.at),
        due=model.retirement_at,
        is_over=model.retirement_at is not None and model.retirement_at <= reading.at,
        successor=successor.id if successor else "",
        spent_text=write_usd(usd_of(sums["charge"]), current().locale),
        instead_text=""
        if instead is None
        else write_usd(instead * here.team.charge_factor, current().locale),
    )


def _life(model: ModelFacts, successor: ModelFacts | None, at: datetime) -> str:
    """In days as whoever reads it writes them; the catalogue's begin in UTC."""
    told = [
        f"{'' if day <= at else 'to be '}{word} {_day(day)}"
        for word, day in (("deprecated on", model.deprecation_at), ("retired on", model.retirement_at))
        if day is not None
    ]
    news = ", ".join(told)
    advice = f"; use {successor.id} instead" if successor else ""
    return f"{news[:1].upper()}{news[1:]}{advice}." if news else ""


def _day(at: datetime) -> str:
    return write_day(at.astimezone(UTC).date(), current().locale)


def _since(model: ModelFacts, at: datetime) -> datetime:
    """Since when its end is near, or it is deprecated, or retired."""
    ends = model.retirement_at
    began = [ends, ends - NEAR] if ends else []
    began += [model.deprecation_at] if model.deprecation_at else []
    return max((each for each in began if each <= at), default=at)


def _open_incidents(here: Acting, reading: Reading) -> Iterator[Incident]:
    """Not those by other teams' credentials."""
    seen = Incident.objects.filter(kind=Incident.Kind.SEEN, ended_at__isnull=True)
    rows = seen.select_related("provider", "offering__model")
    own = {
        f"{credential.id}"
        for owner in (OPERATOR, here.team.pk)
        for credentials in reading.snapshot.credentials.get(owner, {}).values()
        for credential in credentials
    }
    for row in rows[:_MOST_INCIDENTS]:
        kind, _, credential = row.way.partition(":")
        if kind == "provider" or not credential or credential in own:
            yield row


def _incidents(open_ones: Sequence[Incident], used: set[tuple[str, str]]) -> Iterator[Notice]:
    """Of offerings that were called lately, and of providers; each once, however many ways there are to it."""
    told = set()
    for row in open_ones:
        if row.provider is None:
            continue
        model, provider = row.offering.model.public_id if row.offering else "", row.provider.slug
        is_used = (model, provider) in used or (not model and any(at == provider for _, at in used))
        if is_used and (model, provider) not in told:
            told.add((model, provider))
            yield Notice("incident", row.began_at, model, row.provider.name, key=provider)


def _of_keys(here: Acting, at: datetime) -> Iterator[Notice]:
    """Those that whoever looks may change."""
    if not here.may(Right.CALL):
        return
    left = is_left_behind()
    keys = (
        live_keys(here.team)
        .filter(left | expires_soon(at) | Q(unused_told_at__isnull=False))
        .select_related("owner", "team")
    )
    if not here.may(Right.KEYS):
        keys = keys.filter(owner=here.person)
    marked = keys.annotate(is_left=Case(When(left, then=Value(value=True)), default=Value(value=False)))
    for key in marked.order_by("pk")[:SHOWN]:
        yield from _of_key(key, here)


def _of_key(key: Key, here: Acting) -> Iterator[Notice]:
    ends = key.expires_at
    if vars(key)["is_left"]:
        if here.may(Right.KEYS):
            yield Notice("left_behind", None, key.name, str(key.owner), key=key.public_id)
    elif key.unused_told_at is not None:
        due = key.unused_told_at + WARNED
        yield Notice("unused", key.unused_told_at, key.name, due=due, key=key.public_id)
    elif ends is not None and is_news_that_it_ends(key):
        yield Notice("expiring", ends - EXPIRING, key.name, due=ends, key=key.public_id)


def _of_requests(here: Acting) -> Iterator[Notice]:
    """Others': nobody decides what they asked for themselves."""
    if not here.may(Right.DECIDE):
        return
    rows = here.team.access_requests.of_members().filter(
        state=AccessRequest.State.OPEN, decider=AccessRequest.Decider.TEAM
    )
    for row in rows.exclude(person=here.person).select_related("person")[:SHOWN]:
        yield Notice("request", row.created_at, str(row.person), row.summary, key=row.public_id)
