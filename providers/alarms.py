"""Alarms: providers that refuse our credential or account, from what calls tell until they get through again."""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from accounts.alerts.raising import raise_alert
from gateway.core.lines import as_one_line
from providers import credentials
from providers.models import Alarm, ProbeResult, Provider

_log = logging.getLogger(__name__)
MAIL_PAUSE = timedelta(hours=1)
_KEPT = timedelta(days=90)
# Of these only the same model tells that they are over: a provider may refuse one model, or limit it by the day.
_ONE_MODEL = frozenset({403, 429})
_CREDENTIAL = frozenset({400, 401, 403})

Subject = tuple[str, str]
"""A provider's slug, and the upstream name of one of its models; empty for all of them."""


@dataclass(slots=True)
class Refusal:
    """Attempts that a provider refused for who we are. `status` is None where it was not even asked."""

    code: str
    status: int | None
    message: str
    began_at: datetime
    last_at: datetime
    calls: int = 1


@dataclass(slots=True)
class AlarmUpdates:
    """What calls told of providers since it was last written: by subject, refusals, and when a good call began."""

    refusals: dict[Subject, Refusal] = field(default_factory=dict)
    accepted: dict[Subject, datetime] = field(default_factory=dict)
    further: dict[int, Refusal] = field(default_factory=dict)
    """Of credentials beside the providers' main ones, by their ids."""

    def __bool__(self) -> bool:
        return bool(self.refusals or self.accepted or self.further)

    def refuse(self, provider: str, upstream_name: str, refusal: Refusal) -> None:
        subject = (provider, upstream_name if refusal.status in _ONE_MODEL else "")
        self.refusals[subject] = _together(self.refusals.get(subject), refusal)

    def refuse_further(self, credential_id: int, refusal: Refusal) -> None:
        """That is no alarm of its provider, which may well take all others."""
        self.further[credential_id] = _together(self.further.get(credential_id), refusal)

    def accept(self, provider: str, upstream_name: str, began_at: datetime) -> None:
        for subject in ((provider, upstream_name), (provider, "")):
            self.accepted[subject] = max(self.accepted.get(subject, began_at), began_at)

    def clear(self) -> None:
        self.refusals.clear()
        self.accepted.clear()
        self.further.clear()


def _together(earlier: Refusal | None, later: Refusal) -> Refusal:
    if earlier:
        later.began_at = min(earlier.began_at, later.began_at)
        later.last_at = max(earlier.last_at, later.last_at)
        later.calls += earlier.calls
    return later


def write_updates(updates: AlarmUpdates, *, at: datetime) -> None:
    """Raise, count on and clear alarms: one query where there is nothing to tell. Safe to repeat but for counts."""
    for credential_id, refusal in updates.further.items():
        credentials.note_refusal(credential_id, refusal.message, at=refusal.last_at)
    for subject, refusal in updates.refusals.items():
        provider = Provider.objects.filter(slug=subject[0]).first()
        if provider:
            _raise(provider, subject[1], refusal)
    if not updates.accepted:
        return
    for alarm in Alarm.objects.open().select_related("provider"):
        began_at = updates.accepted.get((alarm.provider.slug, alarm.upstream_name))
        if began_at and began_at > alarm.last_at:
            _clear(alarm, at)


def clear_after_probe(*, provider_id: int, at: datetime) -> None:
    """A healthy probe ends what was said of the credential, if a probe had met it too.

    Some providers list their models to anybody, and none of them asks for money for it.
    """
    for alarm in Alarm.objects.open().filter(provider_id=provider_id, upstream_name="").exclude(status=402):
        met = ProbeResult.objects.filter(
            provider_id=provider_id, at__gte=alarm.began_at, status__in=_CREDENTIAL, is_healthy=False
        )
        if met.exists():
            _clear(alarm, at)


def clear_all(*, provider_id: int, at: datetime) -> None:
    """What opens the provider is another one now."""
    Alarm.objects.open().filter(provider_id=provider_id).update(cleared_at=at)


def tell_open(*, at: datetime) -> int:
    """Raise alerts of alarms that nobody was told of: once an hour for a provider at most. How many alerts."""
    waiting = Alarm.objects.to_mail(at, MAIL_PAUSE)
    return sum(
        _tell(provider, waiting, at)
        for provider in Provider.objects.filter(pk__in=waiting.values("provider_id"))
    )


def _raise(provider: Provider, upstream_name: str, refusal: Refusal) -> None:
    if _count_on(provider, upstream_name, refusal):
        return
    try:
        with transaction.atomic():
            Alarm.objects.create(
                provider=provider,
                upstream_name=upstream_name,
                code=refusal.code,
                status=refusal.status,
                message=refusal.message[:600],
                calls=refusal.calls,
                began_at=refusal.began_at,
                last_at=refusal.last_at,
            )
    except IntegrityError:
        # Another process raised it meanwhile.
        _count_on(provider, upstream_name, refusal)
        return
    _log.error("Provider %s refuses the gateway (%s): %s", provider.slug, refusal.status, refusal.message)
    provider.alarms.filter(cleared_at__lt=refusal.last_at - _KEPT).delete()


def _count_on(provider: Provider, upstream_name: str, refusal: Refusal) -> bool:
    """Add to the alarm that is open already; False where there is none."""
    running = Alarm.objects.open().filter(provider=provider, upstream_name=upstream_name)
    return bool(
        running.update(
            calls=F("calls") + refusal.calls,
            last_at=refusal.last_at,
            code=refusal.code,
            status=refusal.status,
            message=refusal.message[:600],
        )
    )


def _clear(alarm: Alarm, at: datetime) -> None:
    if not Alarm.objects.open().filter(pk=alarm.pk, last_at=alarm.last_at).update(cleared_at=at):
        return
    _log.warning("Provider %s takes the gateway's calls again.", alarm.provider.slug)
    # Of an alarm that nobody was told of nobody has to hear that it is over.
    if alarm.mailed_at is not None:
        data = {
            "provider": alarm.provider.slug,
            "provider_name": as_one_line(alarm.provider.name),
            "what": alarm.upstream_name or "All models",
            "began_at": f"{alarm.began_at:%Y-%m-%d %H:%M} UTC",
            "calls": alarm.calls,
        }
        raise_alert("provider.recovered", cause=f"alarm:{alarm.pk}", data=data)


@transaction.atomic
def _tell(provider: Provider, waiting: "QuerySet[Alarm]", at: datetime) -> bool:
    if not waiting.filter(provider=provider).update(mailed_at=at):
        # Another process was first.
        return False
    lines = [
        f"{alarm.upstream_name or 'All models'}: {alarm.calls} calls since {alarm.began_at:%Y-%m-%d %H:%M} UTC.\n"
        f"{alarm.message}"
        for alarm in provider.alarms.open()
    ]
    data = {"provider": provider.slug, "provider_name": as_one_line(provider.name), "lines": lines}
    window = at.isoformat(timespec="seconds")
    return raise_alert("provider.alarm", cause=f"provider:{provider.slug}", window=window, data=data)
