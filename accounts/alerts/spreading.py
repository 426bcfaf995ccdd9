"""Who is told of a new alert: a delivery for each channel and each person, or a place in their next digest."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min, Q

from accounts.alerts.kinds import DIGEST, FOR_TEAMS, KINDS
from accounts.alerts.people import addresses_of
from accounts.alerts.raising import make_alert
from accounts.models import Alert, AlertChannel, AlertDelivery

DIGEST_EVERY = timedelta(hours=1)
KEPT = timedelta(days=90)
_BATCH = 100
_LINES_MOST = 100
State = AlertDelivery.State
Whom = tuple[int | None, str]
"""A channel's id, or the address of a person."""


def spread_new(*, at: datetime) -> int:
    """Make the deliveries of alerts that have none yet. How many alerts.

    Those of a kind that only a newer version knows are left to its processes.
    """
    spread, known = 0, Alert.objects.filter(spread_at=None, kind__in=list(KINDS)).order_by("pk")
    while batch := list(known[:_BATCH]):
        spread += sum(_spread(alert, at) for alert in batch)
    return spread


def send_digests(*, at: datetime) -> int:
    """Tell together what was held back for an hour. How many digests."""
    held = AlertDelivery.objects.filter(state=State.HELD, alert__kind__in=list(KINDS))
    groups = held.values("channel_id", "address", "alert__kind").annotate(since=Min("created_at"))
    due = groups.filter(since__lte=at - DIGEST_EVERY).order_by("since")
    return sum(
        _digest((each["channel_id"], each["address"]), each["alert__kind"], at) for each in list(due[:_BATCH])
    )


def forget_old(*, at: datetime) -> int:
    """Remove alerts, with their deliveries, that are older than anybody asks after them. How many, at most a batch."""
    old = Alert.objects.filter(raised_at__lt=at - KEPT).order_by("raised_at").values_list("pk", flat=True)
    return Alert.objects.filter(pk__in=list(old[: _BATCH * 10])).delete()[0]


@transaction.atomic
def _spread(alert: Alert, at: datetime) -> int:
    if not Alert.objects.filter(pk=alert.pk, spread_at=None).update(spread_at=at):
        # Another process was first.
        return 0
    told: list[Whom] = [(channel.pk, "") for channel in _channels_for(alert)]
    people: list[Whom] = [(None, address) for address in addresses_of(alert)]
    flooded = _flooded(alert, [*told, *people], at)
    AlertDelivery.objects.bulk_create(
        [
            AlertDelivery(
                alert=alert,
                channel_id=channel,
                address=address,
                state=State.HELD if (channel, address) in flooded else State.WAITING,
                due_at=at,
                created_at=at,
            )
            for channel, address in [*told, *people]
        ],
        ignore_conflicts=True,
    )
    return 1


def _channels_for(alert: Alert) -> Sequence[AlertChannel]:
    of_team = Q(team=alert.team_id) | Q(team=None, hears_teams=True)
    channels = AlertChannel.objects.filter(of_team if alert.team_id else Q(team=None), is_active=True)
    # What is told of a channel that takes nothing would not arrive there.
    about = alert.data.get("channel_id")
    return [
        each
        for each in channels.order_by("pk")
        if each.public_id != about and (not each.kinds or alert.kind in each.kinds)
    ]


def _flooded(alert: Alert, told: Iterable[Whom], at: datetime) -> set[Whom]:
    """Those of them who had so many of the kind in the last hour that the rest comes together. Programs want each."""
    most = settings.ALERTS_BEFORE_DIGEST
    if not most or KINDS[alert.kind].is_urgent:
        return set()
    channels, addresses = [pk for pk, _ in told if pk], [address for _, address in told if address]
    recent = (
        AlertDelivery.objects.filter(alert__kind=alert.kind, created_at__gt=at - DIGEST_EVERY)
        .filter(Q(channel__in=channels) | Q(channel=None, address__in=addresses))
        .exclude(channel__kind=AlertChannel.Kind.WEBHOOK)
    )
    counted = recent.order_by().values_list("channel_id", "address").annotate(Count("pk"))
    return {(channel, address) for channel, address, count in counted if count >= most}


def _digest(whom: Whom, kind: str, at: datetime) -> int:
    channel, address = whom
    held = AlertDelivery.objects.filter(
        state=State.HELD, channel_id=channel, address=address, alert__kind=kind
    ).select_related("alert", "alert__team")
    with transaction.atomic():
        rows = list(held.order_by("alert__raised_at", "pk"))
        done = AlertDelivery.objects.filter(pk__in=[row.pk for row in rows], state=State.HELD)
        if not rows or done.update(state=State.DELIVERED, delivered_at=at) != len(rows):
            transaction.set_rollback(bool(rows))
            return 0
        lines = [_line(row.alert) for row in rows[:_LINES_MOST]]
        if more := len(rows) - len(lines):
            lines.append(f"and {more} more")
        data = {"count": len(rows), "label": KINDS[kind].label, "kind": kind, "lines": lines}
        alert = make_alert(DIGEST, cause=kind, team=rows[0].alert.team, data=data)
        AlertDelivery.objects.create(
            alert=alert, channel_id=channel, address=address, due_at=at, created_at=at
        )
    return 1


def _line(alert: Alert) -> str:
    team = f" ({alert.team})" if alert.team and alert.kind in FOR_TEAMS else ""
    return f"{alert.raised_at:%Y-%m-%d %H:%M} UTC: {alert.title}{team}"
