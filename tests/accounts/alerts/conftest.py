"""A team with an owner and a member, a receiver, and channels to it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.alerts import delivering
from accounts.alerts.channels import make_channel
from accounts.alerts.raising import raise_alert
from accounts.alerts.spreading import spread_new
from accounts.models import AlertChannel, Membership, Team
from tests.accounts.alerts.receiver import Receiver, running
from tests.make import make_team, make_user

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def team(db: None) -> Team:
    team = make_team("research")
    for name, role in (("boss", "owner"), ("member", "member")):
        person = make_user(name, email=f"{name}@example.com")
        Membership.objects.create(team=team, user=person, role=role)
    return team


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    with running() as found:
        settings.ALERT_PRIVATE_ADDRESSES_ALLOWED = [found.address]
        yield found


@pytest.fixture
def channel_to(team: Team, receiver: Receiver) -> Callable[..., tuple[AlertChannel, str]]:
    """`channel_to(kind="webhook", **terms)`: of the team, to the receiver; with its secret."""

    def make(kind: str = "webhook", **terms: Any) -> tuple[AlertChannel, str]:
        given = {"team": team, "name": "on-call", "address": receiver.url}
        return make_channel(kind=kind, **(given | terms))

    return make


def send_due(*, at: datetime) -> int:
    """In no time."""
    return delivering.send_due(at=at, now=lambda: at)


def deliver(at: datetime) -> int:
    """What the duty does every few seconds. How many were tried."""
    spread_new(at=at)
    return send_due(at=at)


def tell(team: Team | None, at: datetime = AT, *, cause: str = "x", kind: str = "key.created") -> int:
    """Raise an alert that is mailed to nobody, and send what is due. How many were tried."""
    raise_alert(kind, cause=cause, team=team, data={"key": "billing"})
    return deliver(at)
