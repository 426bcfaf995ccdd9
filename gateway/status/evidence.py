"""What calls, probes and breakers told of a stretch of time: read from usage, the ledger and what is kept of health."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db.models import Exists, OuterRef, Q

from accounts.models import LedgerEntry
from accounts.usage.measures import ATTEMPT
from accounts.usage.of_ledger import read_failures
from accounts.usage.question import Question
from accounts.usage.reader import read_usage
from accounts.usage.times import QUARTER
from accounts.windows import DAY_S, QUARTER_S
from catalogue.published.snapshot import Snapshot
from gateway.metrics.faults import word_for
from gateway.status.days import Marks, Outages, Tries
from gateway.status.spans import Span, Spans, clip, common_to_all, merge
from providers.breaker import BY_STAFF, CLOSED, OPEN
from providers.facts import OPERATOR, Way
from providers.models import HealthEvent, Incident, ProbeResult

_Outcome = LedgerEntry.Outcome
_SERVED = {_Outcome.FINISHED.value, _Outcome.CANCELLED.value}
_OURS = frozenset({401, 402, 403, 408, 429})
# What a team's own account at a provider is refused says nothing of the provider.
_OF_AN_ACCOUNT = frozenset({"provider_auth", "provider_rate_limited", "provider_model_missing"})
Told = dict[str, dict[int, Tries]]
"""By name: the tries of each quarter of an hour of a day."""


def _nothing() -> Told:
    return defaultdict(lambda: defaultdict(Tries))


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of some quarters of an hour of a day: calls by model and by provider, probes by provider."""

    models: Told = field(default_factory=_nothing)
    providers: Told = field(default_factory=_nothing)
    probes: Told = field(default_factory=_nothing)

    def marks_of_provider(self, slug: str) -> Marks:
        """Probes count where nobody called."""
        called = self.providers.get(slug, {})
        probed = (
            (number, tries) for number, tries in self.probes.get(slug, {}).items() if number not in called
        )
        return Marks.of([*called.items(), *probed])

    def marks_of_model(self, name: str, slugs: Sequence[str]) -> Marks:
        """Where nobody called it, it is down if no provider of it could be probed."""
        called = self.models.get(name, {})
        quiet = [
            {number for number, tries in self.probes.get(slug, {}).items() if tries.is_bad} - called.keys()
            for slug in slugs
        ]
        unreached = set.intersection(*quiet) if quiet else set()
        marks = Marks.of(called.items())
        return Marks(marks.bad | unreached, marks.shaky)

    def has_seen_provider(self, slug: str) -> bool:
        return bool(self.providers.get(slug) or self.probes.get(slug))

    def has_seen_model(self, name: str, slugs: Iterable[str]) -> bool:
        return bool(self.models.get(name)) or any(map(self.has_seen_provider, slugs))


def read_evidence(day: int, since: int, until: int) -> Evidence:
    """Of the quarters from number `since` on and before `until` of the day that begins then."""
    found = Evidence()
    low, high = day + since * QUARTER_S, day + until * QUARTER_S
    if low < high:
        _add_served(found, day, low, high)
        _add_failed(found, day, low, high)
        _add_probes(found, day, low, high)
    return found


def _add_served(found: Evidence, day: int, low: int, high: int) -> None:
    groups = ("model", "provider", "outcome")
    for row in read_usage(Question(low, high, QUARTER, groups=groups, filters={"kind": [ATTEMPT]})):
        start, model, provider, outcome = row.key
        if outcome in _SERVED:
            number = (start - day) // QUARTER_S
            found.models[model][number].served += row.sums["attempts"]
            found.providers[provider][number].served += row.sums["attempts"]


def _add_failed(found: Evidence, day: int, low: int, high: int) -> None:
    for row in read_failures(low, high):
        word = _fault(row.error_code, row.status)
        if word in _OF_AN_ACCOUNT and row.is_own:
            continue
        number = (row.quarter - day) // QUARTER_S
        if word.startswith("provider_"):
            found.providers[row.provider][number].failed += row.attempts
        if word.startswith(("provider_", "gateway_")) and row.outcome != _Outcome.FAILED_OVER:
            found.models[row.model][number].failed += row.attempts


def _fault(code: str, status: int | None) -> str:
    return word_for(code, is_callers=400 <= (status or 0) < 500 and status not in _OURS)


def _add_probes(found: Evidence, day: int, low: int, high: int) -> None:
    probes = ProbeResult.objects.filter(at__gte=_instant(low), at__lt=_instant(high)).order_by()
    for slug, at, is_healthy in probes.values_list("provider__slug", "at", "is_healthy"):
        tries = found.probes[slug][int(at.timestamp() - day) // QUARTER_S]
        tries.served += is_healthy
        tries.failed += not is_healthy


def read_outages(snapshot: Snapshot, low: float, high: float) -> Outages:
    """When each offering was not let take calls by any credential of the operator, in that time. Two queries."""
    by_way, held = _open_spans(low, high)
    found: dict[int, Spans] = {}
    for _, offering in snapshot.offerings.values():
        ways = _ways(snapshot, offering.id, offering.provider_id)
        spans = merge(
            [
                *common_to_all([by_way.get(str(way), ()) for way in ways]),
                *held.get(str(offering.id), ()),
                *held.get(f"provider:{offering.provider_id}", ()),
            ]
        )
        if spans:
            found[offering.id] = spans
    return Outages(found)


def _ways(snapshot: Snapshot, offering_id: int, provider_id: int) -> Sequence[Way]:
    provider = snapshot.providers.get(provider_id)
    main: list[Way] = [offering_id] if provider and provider.is_usable else []
    further = snapshot.credentials_of(OPERATOR, provider_id)
    return [*main, *(f"{offering_id}:{credential.id}" for credential in further)]


def _open_spans(low: float, high: float) -> tuple[Mapping[str, Spans], Mapping[str, Spans]]:
    """By way: when its breaker was open by itself, and when staff held it so, which holds every way."""
    by_itself: dict[str, list[Span]] = defaultdict(list)
    held: dict[str, list[Span]] = defaultdict(list)
    open_since: dict[str, tuple[float, str]] = {}
    for way, state, cause, at in _events(low, high):
        begun = open_since.get(way)
        if begun and (state == CLOSED or cause == BY_STAFF):
            (held if begun[1] == BY_STAFF else by_itself)[way].append((begun[0], at.timestamp()))
            del open_since[way]
        if state == OPEN and way not in open_since:
            open_since[way] = (at.timestamp(), cause)
    for way, (begun_at, cause) in open_since.items():
        (held if cause == BY_STAFF else by_itself)[way].append((begun_at, high))
    for way, began_at, ended_at in _incidents(low, high):
        by_itself[way].append((began_at.timestamp(), ended_at.timestamp() if ended_at else high))
    return _clipped(by_itself, low, high), _clipped(held, low, high)


def _events(low: float, high: float) -> Iterable[tuple[str, str, str, datetime]]:
    """Those of that time, and how each breaker that was not closed stood before it."""
    begin, end = _instant(low), _instant(high)
    later = HealthEvent.objects.filter(way=OuterRef("way"), number__gt=OuterRef("number"), at__lt=begin)
    stood = Q(at__lt=begin) & ~Q(state=CLOSED) & ~Exists(later)
    rows = HealthEvent.objects.filter(Q(at__gte=begin, at__lt=end) | stood).order_by("way", "number")
    return rows.values_list("way", "state", "cause", "at")


def _incidents(low: float, high: float) -> Iterable[tuple[str, datetime, datetime | None]]:
    """Kept for longer than events are."""
    rows = Incident.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=_instant(low)),
        kind=Incident.Kind.SEEN,
        began_at__lt=_instant(high),
    )
    return rows.order_by().values_list("way", "began_at", "ended_at")


def _clipped(spans: Mapping[str, Iterable[Span]], low: float, high: float) -> Mapping[str, Spans]:
    return {way: clip(each, low, high) for way, each in spans.items()}


def _instant(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def day_start(at: datetime) -> int:
    """Of its day of UTC, in Unix seconds."""
    return int(at.timestamp()) // DAY_S * DAY_S
