"""Staff make the operator's channels, test them and rotate their secrets; alerts are there to read."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.alerts.channels import make_channel, secrets_of
from accounts.alerts.raising import raise_alert
from accounts.alerts.spreading import spread_new
from accounts.models import Alert, AlertChannel, AlertDelivery
from tests.make import make_staff, make_team

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.com/services/secret-abcd"
ADD = "/admin/accounts/alertchannel/add/"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff("ada"))
    return client


def page_of(channel: AlertChannel, act: str = "change") -> str:
    return f"/admin/accounts/alertchannel/{channel.pk}/{act}/"


def test_operators_channel_is_made_and_its_secret_is_shown_once(staff: Client) -> None:
    new = {"name": "ops", "kind": "webhook", "address": URL, "kinds": ["provider.alarm"], "hears_teams": "on"}
    answer = staff.post(ADD, new | {"is_active": "on"})
    channel = AlertChannel.objects.get()
    assert (channel.team, channel.kinds, channel.hears_teams) == (None, ["provider.alarm"], True)
    shown = staff.get(answer["location"]).text
    secret = re.search(r"whsec_[\w+/=]+", shown)
    assert secret is not None
    assert [secret.group()] == secrets_of(channel, at=timezone.now())
    again = staff.get(answer["location"]).text
    assert "whsec_" not in again
    assert "secret-abcd" not in again


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"address": ""}, "URL must begin with https"),
        ({"address": "https://10.0.0.7/"}, "private or reserved address"),
        ({"kinds": ["provider.alarm"], "team": "the team"}, "A team hears nothing of provider.alarm"),
        ({"hears_teams": "on", "team": "the team"}, "for the operator"),
    ],
)
def test_channel_that_cannot_be_is_refused_on_the_form(
    staff: Client, changes: dict[str, Any], told: str
) -> None:
    if "team" in changes:
        changes = changes | {"team": str(make_team().pk)}
    page = staff.post(ADD, {"name": "ops", "kind": "webhook", "address": URL} | changes).text
    assert told in page
    assert not AlertChannel.objects.exists()


def test_change_without_an_address_leaves_it(staff: Client) -> None:
    channel, _ = make_channel(team=None, kind="slack", name="x", address=URL)
    sealed = channel.sealed_address
    staff.post(page_of(channel), {"name": "y", "is_active": "on", "address": ""})
    channel.refresh_from_db()
    assert (channel.name, channel.sealed_address) == ("y", sealed)


def test_test_and_rotation_are_buttons(staff: Client) -> None:
    channel, secret = make_channel(team=None, kind="webhook", name="x", address=URL)
    staff.post(page_of(channel, "send_test"), {"_form_submitted": "True"})
    assert AlertDelivery.objects.get().alert.kind == "channel.test"
    staff.post(page_of(channel, "rotate_secret"), {"_form_submitted": "True"})
    assert "whsec_" in staff.get(page_of(channel)).text
    channel.refresh_from_db()
    assert secrets_of(channel, at=timezone.now())[1] == secret


def test_alerts_are_read_with_whom_they_were_told(staff: Client, settings: Any) -> None:
    settings.ALARM_EMAILS = ["ops@example.com"]
    raise_alert("books.differ", cause="x", data={"what": "Sums differ", "lines": ["a & b"]})
    spread_new(at=timezone.now())
    alert = Alert.objects.get()
    assert "Sums differ" in staff.get("/admin/accounts/alert/").text
    page = staff.get(f"/admin/accounts/alert/{alert.pk}/change/").text
    assert "a &amp; b" in page
    assert "ops@example.com" in page
