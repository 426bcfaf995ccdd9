"""Alert channels on a team's pages, and what a person chooses to be mailed."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.alerts.channels import make_channel, secrets_of
from accounts.alerts.kinds import FOR_PEOPLE
from accounts.alerts.raising import raise_alert
from accounts.alerts.spreading import spread_new
from accounts.models import AlertChannel, AlertChoice, AlertDelivery, Membership, Team
from accounts.rights import Role
from tests.make import make_team, make_user

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.com/services/secret-abcd"
NEW = {"name": "on-call", "kind": "webhook", "address": URL}


@pytest.fixture
def team() -> Team:
    return make_team("atlas", name="Atlas")


@pytest.fixture
def member(client: Client, team: Team) -> Client:
    client.force_login(make_user("mary", teams=[team], email="mary@example.com"))
    return client


@pytest.fixture
def owner(member: Client) -> Client:
    Membership.objects.update(role=Role.OWNER)
    return member


@pytest.fixture
def channel(team: Team) -> AlertChannel:
    return make_channel(team=team, kind="webhook", name="on-call", address=URL)[0]


def page_of(channel: AlertChannel, act: str = "") -> str:
    return f"/team/alerts/{channel.public_id}{act}"


def test_owner_makes_a_channel_and_sees_its_secret_once(owner: Client) -> None:
    made = owner.post("/team/alerts", NEW | {"kinds": ["key.leaked"]}, follow=True)
    channel = AlertChannel.objects.get()
    assert channel.kinds == ["key.leaked"]
    [secret] = secrets_of(channel, at=timezone.now())
    assert secret in unescape(made.text)
    again = owner.get(page_of(channel)).text
    assert "whsec_" not in again
    assert "secret-abcd" not in again
    assert "https://hooks.example.com/…abcd" in again


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"address": "https://10.0.0.7/"}, "private or reserved"),
        ({"address": ""}, "This field is required"),
        ({"kinds": ["provider.alarm"]}, "not one of the available choices"),
    ],
)
def test_channel_that_cannot_be_says_why(owner: Client, changes: dict[str, Any], told: str) -> None:
    page = owner.post("/team/alerts", NEW | changes).text
    assert told in page
    assert "No channel was made." in page
    assert not AlertChannel.objects.exists()


def test_owner_changes_what_was_changed_and_nothing_else(owner: Client, channel: AlertChannel) -> None:
    sealed = channel.sealed_address
    owner.post(page_of(channel), {"name": "night", "kinds": ["key.leaked"], "is_active": "on", "address": ""})
    channel.refresh_from_db()
    assert (channel.name, channel.kinds, channel.is_active) == ("night", ["key.leaked"], True)
    assert channel.sealed_address == sealed
    owner.post(page_of(channel), {"name": "night", "address": ""})
    channel.refresh_from_db()
    assert (channel.kinds, channel.is_active) == ([], False)


def test_owner_sends_a_test_and_sends_it_again(owner: Client, channel: AlertChannel) -> None:
    owner.post(page_of(channel, "/test"))
    row = AlertDelivery.objects.get()
    assert "A test of the alert channel on-call" in owner.get(page_of(channel)).text
    AlertDelivery.objects.update(
        state="failed", log=[{"at": "x", "status": 500, "problem": "It answered 500."}]
    )
    assert "It answered 500." in owner.get(page_of(channel)).text
    owner.post(page_of(channel, f"/deliveries/{row.pk}/replay"))
    row.refresh_from_db()
    assert row.state == "waiting"
    assert "still waiting" in owner.post(page_of(channel, f"/deliveries/{row.pk}/replay"), follow=True).text


def test_owner_rotates_the_secret_and_removes_the_channel(owner: Client, channel: AlertChannel) -> None:
    assert "whsec_" in owner.post(page_of(channel, "/rotate"), follow=True).text
    channel.refresh_from_db()
    assert len(secrets_of(channel, at=timezone.now())) == 2
    owner.post(page_of(channel, "/remove"))
    assert not AlertChannel.objects.exists()


def test_member_looks_and_does_not_change(member: Client, channel: AlertChannel) -> None:
    raise_alert("key.leaked", cause="x", team=channel.team, data={"key": "billing", "team_name": "Atlas"})
    spread_new(at=timezone.now())
    pages = member.get("/team/alerts").text + member.get(page_of(channel)).text
    assert "A key of Atlas was found in public: billing" in pages
    assert "Send a test" not in pages
    assert "Make a channel" not in pages
    row = AlertDelivery.objects.get(channel=channel)
    for act in ("", "/test", "/rotate", "/remove", f"/deliveries/{row.pk}/replay"):
        assert member.post(page_of(channel, act), NEW).status_code == 403
    assert member.post("/team/alerts", NEW).status_code == 403


def test_channels_of_others_and_of_the_operator_are_not_there(owner: Client) -> None:
    for team in (make_team("other"), None):
        other, _ = make_channel(team=team, kind="webhook", name="secret plans", address=URL)
        assert owner.get(page_of(other)).status_code == 404
        assert owner.post(page_of(other, "/remove")).status_code == 404
    assert "secret plans" not in owner.get("/team/alerts").text


def test_person_chooses_what_they_are_mailed(member: Client) -> None:
    page = unescape(member.get("/notifications").text)
    assert set(re.findall(r'<select name="([\w.]+)"', page)) == {*FOR_PEOPLE, "time_zone", "locale"}
    member.post("/notifications", {"budget.threshold": "none", "key.created": "mail"})
    assert sorted(AlertChoice.objects.values_list("kind", "by_mail")) == [
        ("budget.threshold", False),
        ("key.created", True),
    ]
    member.post("/notifications", {"key.created": "mail"})
    assert list(AlertChoice.objects.values_list("kind", flat=True)) == ["key.created"]


def test_required_mail_cannot_be_turned_off_on_the_page(member: Client) -> None:
    page = member.post("/notifications", {"key.leaked": "none"}).text
    assert "Nothing was changed." in page
    assert not AlertChoice.objects.exists()


def test_person_without_an_address_is_told_so(member: Client) -> None:
    assert "There is no mail address" not in member.get("/notifications").text
    Membership.objects.get().user.__class__.objects.update(email="")
    assert "There is no mail address" in member.get("/notifications").text


def test_pages_ask_for_a_sign_in(client: Client, channel: AlertChannel) -> None:
    for path in ("/team/alerts", page_of(channel), "/notifications"):
        assert client.get(path).status_code == 302
