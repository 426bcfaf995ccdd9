"""Changes to alert channels: made, changed, tested, their secrets rotated, deliveries asked for again."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from accounts import audit, limits
from accounts.alerts.kinds import FOR_CHANNELS, FOR_TEAMS, KINDS, TEST
from accounts.alerts.raising import make_alert
from accounts.alerts.signing import mint_secret
from accounts.models import AlertChannel, AlertDelivery, Team, User
from gateway.core.outbound import OutboundPolicy
from gateway.core.refusals import InvalidField
from gateway.core.sealing import SecretUnreadable, seal, unseal

MOST = 20
"""Of one team, and of the operator."""
OVERLAP = timedelta(hours=24)
"""So long after a rotation both secrets sign."""
_ADDRESS_LENGTH = 1_000
_MAILS_MOST = 10
Kind, State = AlertChannel.Kind, AlertDelivery.State


def outbound_policy() -> OutboundPolicy:
    """Where alerts may go. Their addresses are people's of teams: what is open for providers is not open for them."""
    return OutboundPolicy(frozenset(settings.ALERT_PRIVATE_ADDRESSES_ALLOWED))


@transaction.atomic
def make_channel(
    *,
    team: Team | None,
    kind: str,
    name: str,
    address: str,
    kinds: Collection[str] = (),
    hears_teams: bool = False,
    created_by: User | None = None,
) -> tuple[AlertChannel, str]:
    """A channel, with the secret that is shown once; empty where none signs. Raises InvalidField."""
    limits.check_choice("kind", kind, Kind.values)
    if AlertChannel.objects.filter(team=team).count() >= MOST:
        raise InvalidField("team", f"There are {MOST} alert channels already; remove one first.")
    secret = mint_secret() if kind == Kind.WEBHOOK else ""
    channel = AlertChannel(team=team, kind=kind, hears_teams=hears_teams, created_by=created_by)
    _set_terms(channel, {"name": name, "address": address, "kinds": kinds})
    channel.sealed_secret = seal(secret.encode()) if secret else ""
    channel.save()
    return channel, secret


@transaction.atomic
def change_channel(*, channel: AlertChannel, changes: Mapping[str, Any]) -> AlertChannel:
    """Of name, address, kinds, hears_teams and is_active those that are named. Raises InvalidField."""
    _set_terms(channel, changes)
    if changes.get("is_active"):
        channel.disabled_because, channel.failing_since, channel.paused_until = "", None, None
    channel.save(update_fields=_CHANGEABLE)
    if not channel.is_active:
        drop_waiting(channel, "The channel was switched off.")
    return channel


@transaction.atomic
def rotate_secret(*, channel: AlertChannel) -> str:
    """A new secret, shown once; the one before signs beside it for a day. Raises InvalidField."""
    if channel.kind != Kind.WEBHOOK:
        raise InvalidField("kind", f"Only a webhook has a secret, and this is {channel.get_kind_display()}.")
    secret = mint_secret()
    channel.sealed_former_secret, channel.former_until = channel.sealed_secret, timezone.now() + OVERLAP
    channel.sealed_secret = seal(secret.encode())
    channel.save(update_fields=["sealed_secret", "sealed_former_secret", "former_until"])
    return secret


@transaction.atomic
def test_channel(*, channel: AlertChannel) -> AlertDelivery:
    """Send it something at once, whatever kinds it is narrowed to. Raises InvalidField."""
    if not channel.is_active:
        raise InvalidField("is_active", "This channel is switched off; switch it on first.")
    alert = make_alert(TEST, cause=channel.public_id, team=channel.team, data={"channel_name": channel.name})
    return AlertDelivery.objects.create(alert=alert, channel=channel)


def replay(*, delivery: AlertDelivery) -> AlertDelivery:
    """Send it once more, with as many tries as a new one, under the id that it had. Raises InvalidField."""
    if delivery.channel is None or not delivery.channel.is_active:
        raise InvalidField("is_active", "This channel is switched off; switch it on first.")
    done = AlertDelivery.objects.filter(pk=delivery.pk, state__in=[State.DELIVERED, State.FAILED])
    if not done.update(state=State.WAITING, tries=0, due_at=timezone.now()):
        raise InvalidField("state", "This delivery is still waiting to be sent.")
    delivery.refresh_from_db()
    return delivery


def drop_waiting(channel: AlertChannel, problem: str) -> None:
    """Nothing that waits for a channel that is off goes out once it is on again."""
    waiting = channel.deliveries.filter(state__in=[State.WAITING, State.HELD])
    note = {"at": timezone.now().isoformat(timespec="seconds"), "status": None, "problem": problem}
    for delivery in waiting.select_for_update(of=("self",)):
        delivery.state, delivery.log = State.FAILED, [*delivery.log, note]
        delivery.save(update_fields=["state", "log"])


def address_of(channel: AlertChannel) -> str:
    """Raises SecretError."""
    return unseal(channel.sealed_address).decode()


def mails_of(channel: AlertChannel) -> list[str]:
    """The addresses of one that mails. Raises SecretError."""
    return _words(address_of(channel))


def secrets_of(channel: AlertChannel, *, at: Any) -> Sequence[str]:
    """The newest first; those that sign now. Raises SecretError."""
    sealed = [channel.sealed_secret]
    if channel.sealed_former_secret and channel.former_until and at < channel.former_until:
        sealed.append(channel.sealed_former_secret)
    return [unseal(each).decode() for each in sealed if each]


def seal_anew() -> list[str]:
    """Encrypt all addresses and secrets with the newest key. Returns what could not be read, one line each."""
    problems = []
    for channel in AlertChannel.objects.select_for_update(of=("self",)):
        try:
            sealed = {name: _sealed_anew(getattr(channel, name)) for name in _SEALED}
        except SecretUnreadable as error:
            problems.append(f"alert channel {channel.public_id}: {error}")
            continue
        AlertChannel.objects.filter(pk=channel.pk).update(**sealed)
        audit.record_changes([channel], {"sealed_address": audit.SECRET_CHANGED})
    return problems


def check_address(kind: str, text: str) -> None:
    """Whether alerts of that kind of channel can go there. Raises InvalidField."""
    if len(text) > _ADDRESS_LENGTH:
        raise InvalidField("address", f"address is longer than {_ADDRESS_LENGTH} characters.")
    if kind == Kind.MAIL:
        _check_mails(_words(text))
        return
    # Some chats have their secret in the query, which no provider's address may have.
    base, _, query = text.partition("?")
    refusal = outbound_policy().url_refusal(base)
    if refusal or not query.isascii() or not query.isprintable() or "#" in query or " " in query:
        raise InvalidField("address", refusal or "The URL may not have blanks or a fragment.")


_CHANGEABLE = (
    *("name", "kinds", "hears_teams", "shown", "sealed_address"),
    *("is_active", "disabled_because", "failing_since", "paused_until"),
)
_SEALED = ("sealed_address", "sealed_secret", "sealed_former_secret")


def _set_terms(channel: AlertChannel, changes: Mapping[str, Any]) -> None:
    if "name" in changes:
        limits.check_name(changes["name"])
        channel.name = changes["name"].strip()
    if "kinds" in changes:
        channel.kinds = _checked_kinds(channel, changes["kinds"])
    if "address" in changes:
        text = changes["address"].strip()
        check_address(channel.kind, text)
        channel.sealed_address, channel.shown = seal(text.encode()), _show(channel.kind, text)
    for field in ("is_active", "hears_teams"):
        if field in changes:
            setattr(channel, field, changes[field])


def _checked_kinds(channel: AlertChannel, kinds: Collection[str]) -> list[str]:
    allowed = FOR_CHANNELS if channel.team_id is None else FOR_TEAMS
    for name in kinds:
        if name not in allowed:
            raise InvalidField("kinds", f"kinds holds '{str(name)[:40]}'; use any of {', '.join(allowed)}.")
    return [name for name in KINDS if name in kinds]


def _check_mails(addresses: Sequence[str]) -> None:
    if not addresses or len(addresses) > _MAILS_MOST:
        raise InvalidField("address", f"address takes 1 to {_MAILS_MOST} mail addresses.")
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError:
            raise InvalidField("address", f"'{address[:80]}' is no mail address.") from None
        domain = address.rpartition("@")[2].lower()
        if settings.ALERT_MAIL_DOMAINS and domain not in settings.ALERT_MAIL_DOMAINS:
            allowed = ", ".join(settings.ALERT_MAIL_DOMAINS)
            raise InvalidField("address", f"Alerts are mailed to these domains only: {allowed}.")


def _show(kind: str, text: str) -> str:
    """What people may see of an address: of a chat's whoever knows it may write there, and a path may hold a key."""
    if kind == Kind.MAIL:
        return ", ".join(_words(text))[:300]
    parts = urlsplit(text)
    return f"{parts.scheme}://{parts.netloc}/…{text[-4:]}" if parts.path.strip("/") else text[:300]


def _words(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _sealed_anew(sealed: str) -> str:
    return seal(unseal(sealed)) if sealed else ""
