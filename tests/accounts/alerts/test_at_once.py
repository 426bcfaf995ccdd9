"""Several processes raise, spread and send the same alerts at once: nobody hears of anything twice."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.alerts.raising import raise_alert
from accounts.alerts.spreading import send_digests, spread_new
from accounts.models import Alert, AlertChannel, AlertDelivery, Team
from tests.accounts.alerts.conftest import AT, send_due
from tests.accounts.alerts.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
Channels = Callable[..., tuple[AlertChannel, str]]


def test_alert_that_several_raise_at_once_is_new_to_one(team: Team, at_once: Any) -> None:
    asked = [lambda: raise_alert("key.leaked", cause="x", team=team)] * 8
    assert sorted(at_once(*asked)) == [False] * 7 + [True]


def test_alerts_that_several_deliver_at_once_arrive_once(
    team: Team, receiver: Receiver, channel_to: Channels, at_once: Any
) -> None:
    for name in ("first", "second"):
        channel_to(name=name)
    for number in range(6):
        raise_alert("key.created", cause=str(number), team=team)
    at_once(*[lambda: spread_new(at=AT)] * 4)
    assert AlertDelivery.objects.count() == 12
    for _ in range(2):
        at_once(*[lambda: send_due(at=AT)] * 4)
    got = [each.headers["webhook-id"] for each in receiver.received]
    assert sorted(got) == sorted([alert.public_id for alert in Alert.objects.all()] * 2)
    assert set(AlertDelivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_digest_that_several_make_at_once_is_made_once(team: Team, settings: Any, at_once: Any) -> None:
    settings.ALERTS_BEFORE_DIGEST = 1
    for number in range(4):
        raise_alert("model.retired", cause=str(number), team=team)
    spread_new(at=AT)
    made = at_once(*[lambda: send_digests(at=AT.replace(hour=13))] * 4)
    assert sorted(made) == [0, 0, 0, 1]
    assert Alert.objects.filter(kind="alert.digest").count() == 1
