"""What staff hold of breakers, and what breakers did: a row for each change of state, and what follows from it."""

import logging
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils import timezone

from accounts import audit
from accounts.alerts.raising import raise_alert
from accounts.revision import Part, take_revision
from gateway.core import audit_context
from gateway.core.lines import as_one_line
from providers.breaker import BY_RETRY_AFTER, BY_STAFF, CLOSED, OPEN
from providers.breaker_models import BY_PROBE, BreakerHold, HealthEvent, Incident
from providers.facts import BreakerHolds
from providers.health import Transition
from providers.models import Provider

_log = logging.getLogger(__name__)

EVENTS_KEPT = 500
"""Of one way; the newest."""
INCIDENTS_KEPT = timedelta(days=400)
_TRIES = 5
_NO_INCIDENT = frozenset({BY_RETRY_AFTER, BY_STAFF})


def breaker_holds() -> BreakerHolds:
    """What staff hold now. One query."""
    rows = list(BreakerHold.objects.values_list("provider_id", "offering_id", "word"))
    return BreakerHolds(
        providers={provider: word for provider, _, word in rows if provider},
        offerings={offering: word for _, offering, word in rows if offering},
    )


@transaction.atomic
def hold_breaker(subject: Model, word: str) -> bool:
    """Of an offering, or of all of a provider's. `word`: open, closed, or "" to let it be.

    Effective in every process within a second. Whether that changes anything.
    """
    take_revision(Part.PROVIDERS)
    column = "provider" if isinstance(subject, Provider) else "offering"
    held = BreakerHold.objects.filter(**{column: subject}).first()
    before, by = held.word if held else "", _actor()
    if before == word:
        return False
    if word:
        held = held or BreakerHold(**{column: subject})
        held.word, held.set_by, held.set_at = word, by, timezone.now()
        held.save()
    elif held:
        held.delete()
    audit.record_changes([subject], {"breaker held": (before or None, word or None)})
    way = f"provider:{subject.pk}" if column == "provider" else str(subject.pk)
    _record(way, word or CLOSED, BY_STAFF, timezone.now(), told_by=by)
    return True


def follow_probes(provider_id: int, *, is_healthy: bool, at: datetime) -> None:
    """An incident of its own begins when a provider becomes unhealthy, and ends when it is not any more."""
    way = f"provider:{provider_id}:{BY_PROBE}"
    own = Incident.objects.filter(kind=Incident.Kind.SEEN, way=way, ended_at=None)
    if is_healthy:
        own.update(ended_at=at)
        return
    with audit.unwatched():
        facts = {"provider_id": provider_id, "cause": BY_PROBE, "began_at": at}
        Incident.objects.get_or_create(kind=Incident.Kind.SEEN, way=way, ended_at=None, defaults=facts)


def record_transition(change: Transition, told_by: str) -> HealthEvent | None:
    """Once for each change, whichever process is first to tell of it. None: it is known, or its offering is gone."""
    at = datetime.fromtimestamp(change.at, UTC)
    until = at + timedelta(seconds=change.pause_s) if change.state == OPEN else None
    return _record(str(change.way), change.state, change.cause, at, until=until, told_by=told_by)


def _record(
    way: str, state: str, cause: str, at: datetime, *, told_by: str, until: datetime | None = None
) -> HealthEvent | None:
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                return _write(way, state, cause, at, until=until, told_by=told_by)
        except IntegrityError:
            # Another process was first with that number: it may have told of something else.
            continue
    return None


def _write(
    way: str, state: str, cause: str, at: datetime, *, told_by: str, until: datetime | None
) -> HealthEvent | None:
    last = HealthEvent.objects.filter(way=way).order_by("-number").first()
    before, number = (last.state, last.number) if last else (CLOSED, 0)
    subject = _subject_of(way)
    if subject is None or (state == before and cause != BY_STAFF):
        return None
    provider_id, offering_id, credential_id = subject
    event = HealthEvent.objects.create(
        provider_id=provider_id,
        offering_id=offering_id,
        credential_id=credential_id,
        way=way,
        number=number + 1,
        state=state,
        cause=cause,
        at=at,
        until=until,
        told_by=as_one_line(told_by)[:160],
    )
    HealthEvent.objects.filter(way=way, number__lte=number + 1 - EVENTS_KEPT).delete()
    _follow(event, before)
    return event


def _follow(event: HealthEvent, before: str) -> None:
    told = _told(event)
    _log.warning("The breaker of %s is %s: %s.", told["what"], event.get_state_display(), told["cause"])
    cause = f"breaker:{event.way}:{event.number}"
    if event.state == OPEN and before == CLOSED:
        raise_alert("breaker.opened", cause=cause, data=told)
        if event.cause not in _NO_INCIDENT:
            facts = {"provider": event.provider, "offering": event.offering, "cause": event.cause}
            # The audit is of what people do.
            with audit.unwatched():
                Incident.objects.get_or_create(
                    kind=Incident.Kind.SEEN,
                    way=event.way,
                    ended_at=None,
                    defaults={**facts, "began_at": event.at},
                )
    elif event.state == CLOSED and before != CLOSED:
        raise_alert("breaker.closed", cause=cause, data=told)
    if event.state == CLOSED:
        own = Incident.objects.filter(kind=Incident.Kind.SEEN, way=event.way)
        own.filter(ended_at=None).update(ended_at=event.at)
        own.filter(ended_at__lt=event.at - INCIDENTS_KEPT).delete()


def _actor() -> str:
    person, key = audit_context.who()
    return as_one_line(str(person) if person else f"key {key}" if key else "a command")[:160]


def _told(event: HealthEvent) -> dict[str, str | int | None]:
    offering = event.offering
    model = offering.model.public_id if offering else None
    upstream_name = offering.upstream_name if offering else None
    return {
        "provider": event.provider.slug,
        "provider_name": as_one_line(event.provider.name),
        "model": model,
        "upstream_name": upstream_name,
        "credential_id": event.credential_id,
        "what": f"{model} at {event.provider.slug}" if model else event.provider.slug,
        "cause": event.get_cause_display(),
        "at": f"{event.at:%Y-%m-%d %H:%M:%S} UTC",
        "until": f"{event.until:%Y-%m-%d %H:%M:%S} UTC" if event.until else None,
    }


def _subject_of(way: str) -> tuple[int, int | None, int | None] | None:
    """Ids of provider, offering and further credential. None: they are gone."""
    kind, _, id_ = way.partition(":")
    if kind == "provider":
        return int(id_), None, None
    provider_id = Provider.objects.filter(offerings=int(kind)).values_list("pk", flat=True).first()
    return (provider_id, int(kind), int(id_) if id_ else None) if provider_id else None
