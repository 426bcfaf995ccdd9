"""An alert as a mail: to a person, to the operator, or to a mail channel."""

from collections.abc import Sequence

from django.conf import settings

from accounts.alerts.kinds import DIGEST, FOR_PEOPLE, KINDS, WEEKLY, Concerns
from accounts.alerts.rewording import reader_for, reword
from accounts.mail.message import Button, Message, Part, kept_parts, read_parts
from accounts.mail.stopping import stop_address
from accounts.models import Alert, AlertDelivery
from gateway.core.lines import as_one_line

_WHOM = {
    Concerns.OWNERS: "you are an owner of the team, it names you, or you asked for it",
    Concerns.PEOPLE: "it concerns you, or you are an owner of the team",
    Concerns.MANAGERS: "you are an owner or an admin of a team, or asked for it",
}
_AT_SETTINGS = "You choose what you are mailed under Notifications in Gatehouse"


def letter(row: AlertDelivery, link: str) -> Message:
    """`link`: where people look on; empty where the gateway does not know its own address."""
    alert = row.alert
    why, stop, address = _foot(row)
    title, text = reword(alert, reader_for(row))
    return Message(
        kind=alert.kind,
        subject=title,
        parts=_parts(alert, text),
        why=why,
        stop=stop,
        button=Button(_button(alert), link) if link else None,
        stop_address=address,
        id=f"{alert.public_id}.{row.pk}",
    )


def _parts(alert: Alert, text: str) -> Sequence[Part]:
    # Too long to be kept, they are left out of what an alert holds.
    kept = alert.data.get("parts") if alert.kind == WEEKLY else None
    return list(kept_parts(kept)) if kept else read_parts(text)


def _button(alert: Alert) -> str:
    if alert.team is None:
        return "See it in Gatehouse" if alert.kind == WEEKLY else "See it in the admin"
    return f"See it in {as_one_line(alert.team.name)}"


def _foot(row: AlertDelivery) -> tuple[str, str, str]:
    """Why one gets it, how to stop it, and the address that does so by one click."""
    alert, channel = row.alert, row.channel
    named = _kind_told(alert)
    kind = KINDS.get(named)
    if channel is not None:
        whose = f"team {as_one_line(channel.team.name)}" if channel.team else "the operator"
        why = f"You get this because the alert channel “{as_one_line(channel.name)}” of {whose} names this address."
        return why, "Whoever looks after the channel can take the address out of it.", ""
    is_operators = alert.team is None and named != WEEKLY
    if kind is None or is_operators or named not in FOR_PEOPLE:
        why = "You get this because you run this Gatehouse, or work on it."
        return (
            why,
            "It is a duty, so it cannot be stopped from here: GATEWAY_ALARM_EMAILS and staff's rights decide.",
            "",
        )
    why = f"You get this because {_WHOM[kind.concerns]} (“{kind.label}”)."
    if kind.is_required:
        return why, "It is about something that cannot wait unread, so it cannot be turned off.", ""
    at = f": {settings.PUBLIC_URL}/notifications" if settings.PUBLIC_URL else "."
    return why, f"{_AT_SETTINGS}{at}", stop_address(named, row.address)


def _kind_told(alert: Alert) -> str:
    """Of a digest, of what it is one."""
    return str(alert.data.get("kind", "")) if alert.kind == DIGEST else alert.kind
