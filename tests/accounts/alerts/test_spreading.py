"""Who is told: those whom it concerns, those who asked, each once; and a flood comes together."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from accounts.alerts.kinds import FOR_TEAMS, KINDS
from accounts.alerts.people import choices_of, choose
from accounts.alerts.raising import raise_alert
from accounts.alerts.spreading import DIGEST_EVERY, KEPT, forget_old, send_digests, spread_new
from accounts.models import Alert, AlertChannel, AlertDelivery, Membership, Team, User
from accounts.rights import Role
from gateway.core.refusals import InvalidField
from tests.accounts.alerts.conftest import AT, deliver
from tests.accounts.alerts.receiver import Receiver
from tests.make import make_team, make_user

pytestmark = pytest.mark.django_db
Channels = Callable[..., tuple[AlertChannel, str]]
BOSS, MEMBER = "boss@example.com", "member@example.com"


def told(kind: str, team: Team | None, **terms: Any) -> list[str]:
    """The addresses that an alert is mailed to."""
    raise_alert(kind, cause=kind, team=team, **terms)
    spread_new(at=AT)
    rows = AlertDelivery.objects.filter(alert__kind=kind, channel=None).order_by("address")
    return list(rows.values_list("address", flat=True))


def person(name: str) -> User:
    return User.objects.get(username=name)


def test_owners_and_those_whom_it_names_are_told(team: Team) -> None:
    assert told("budget.threshold", team) == [BOSS]
    assert told("spend.leaped", team, people=[person("member").pk]) == [BOSS, MEMBER]


def test_what_concerns_people_is_told_to_owners_where_they_have_left(team: Team) -> None:
    gone = make_user("gone", email="gone@example.com")
    assert told("key.expiring", team, people=[person("member").pk]) == [MEMBER]
    assert told("key.unused", team, people=[gone.pk]) == [BOSS]


def test_nobody_who_is_switched_off_or_has_no_address_is_told(team: Team) -> None:
    User.objects.filter(username="boss").update(is_active=False)
    other = make_user("nameless", email="")
    Membership.objects.create(team=team, user=other, role=Role.OWNER)
    assert told("budget.threshold", team) == []


def test_people_of_another_team_are_not_told(team: Team) -> None:
    other = make_team("other")
    Membership.objects.create(team=other, user=make_user("spy", email="spy@example.com"), role=Role.OWNER)
    assert told("budget.threshold", team, people=[person("spy").pk]) == [BOSS]


def test_person_turns_mail_off_and_asks_for_what_concerns_others(team: Team) -> None:
    choose(person("boss"), {"budget.threshold": False})
    choose(person("member"), {"budget.threshold": True, "key.created": True})
    assert told("budget.threshold", team) == [MEMBER]
    assert told("key.created", team) == [MEMBER]
    choose(person("member"), {"key.created": None})
    assert choices_of(person("member"))["key.created"] is None


@pytest.mark.parametrize("kind", [name for name in FOR_TEAMS if KINDS[name].is_required])
def test_required_mail_cannot_be_turned_off(team: Team, kind: str) -> None:
    with pytest.raises(InvalidField, match="cannot be turned off"):
        choose(person("boss"), {kind: False})
    assert told(kind, team) == [BOSS]


@pytest.mark.parametrize("kind", ["provider.alarm", "channel.test", "alert.digest", "nonsense"])
def test_nobody_chooses_what_there_is_not_for_them(team: Team, kind: str) -> None:
    with pytest.raises(InvalidField):
        choose(person("boss"), {kind: True})


def test_operators_alerts_go_to_the_addresses_of_the_settings(settings: Any) -> None:
    settings.ALARM_EMAILS = ["ops@example.com", "cto@example.com"]
    assert told("books.differ", None) == ["cto@example.com", "ops@example.com"]


def test_channel_gets_only_the_kinds_that_it_is_for(team: Team, channel_to: Channels) -> None:
    channel_to(kinds=["key.leaked"], name="narrow")
    channel_to(name="wide")
    channel_to(name="off")[0]
    AlertChannel.objects.filter(name="off").update(is_active=False)
    for kind in ("key.leaked", "key.created"):
        raise_alert(kind, cause="x", team=team)
    raise_alert("key.leaked", cause="x", team=make_team("other"))
    spread_new(at=AT)
    rows = AlertDelivery.objects.exclude(channel=None).values_list("channel__name", "alert__kind")
    assert sorted(rows) == [("narrow", "key.leaked"), ("wide", "key.created"), ("wide", "key.leaked")]


def test_alert_about_a_channel_does_not_go_there(team: Team, channel_to: Channels) -> None:
    broken, other = channel_to()[0], channel_to(name="other")[0]
    raise_alert("channel.failing", cause="x", team=team, data={"channel_id": broken.public_id})
    spread_new(at=AT)
    assert [row.channel for row in AlertDelivery.objects.exclude(channel=None)] == [other]


def flood(team: Team, count: int, at: Any = AT) -> None:
    for number in range(count):
        raise_alert("model.retired", cause=f"{at}{number}", team=team, data={"model": f"m{number}"})
    deliver(at)


def test_more_than_five_of_a_kind_in_an_hour_come_as_one_mail(team: Team, mailoutbox: list[Any]) -> None:
    flood(team, 5)
    flood(team, 1, AT + timedelta(minutes=10))
    flood(team, 2, AT + timedelta(minutes=20))
    assert len(mailoutbox) == 5
    assert send_digests(at=AT + timedelta(minutes=10) + DIGEST_EVERY - timedelta(seconds=1)) == 0
    after = AT + timedelta(minutes=10) + DIGEST_EVERY
    assert [send_digests(at=after), send_digests(at=after)] == [1, 0]
    deliver(after)
    digest = mailoutbox[-1]
    assert len(mailoutbox) == 6
    assert (digest.to, digest.subject) == ([BOSS], "3 more: A model in use is retired")
    assert digest.body.count(" is retired (Research)\n") == 3
    assert set(AlertDelivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_an_hour_later_they_come_one_by_one_again(team: Team, mailoutbox: list[Any]) -> None:
    flood(team, 5)
    flood(team, 1, AT + DIGEST_EVERY)
    assert len(mailoutbox) == 6


def test_flood_is_sent_one_by_one_where_the_operator_wants_that(
    team: Team, mailoutbox: list[Any], settings: Any
) -> None:
    settings.ALERTS_BEFORE_DIGEST = 0
    flood(team, 8)
    assert len(mailoutbox) == 8


def test_urgent_alerts_and_those_of_another_kind_do_not_wait_for_a_digest(
    team: Team, mailoutbox: list[Any]
) -> None:
    flood(team, 6)
    for number in range(6):
        raise_alert("key.leaked", cause=str(number), team=team)
    raise_alert("model.repriced", cause="x", team=team)
    deliver(AT)
    assert len(mailoutbox) == 12


def test_programs_get_each_of_a_flood_and_chats_a_digest(
    team: Team, receiver: Receiver, channel_to: Channels
) -> None:
    channel_to(name="program")
    channel_to("slack", name="chat")
    flood(team, 7)
    for _ in range(3):
        deliver(AT)
    sent = [got.json for got in receiver.received]
    assert [len([each for each in sent if ("blocks" in each) is is_chat]) for is_chat in (False, True)] == [
        7,
        5,
    ]
    later = AT + DIGEST_EVERY
    assert send_digests(at=later) == 2
    deliver(later)
    assert receiver.received[-1].json["text"] == "2 more: A model in use is retired"


def test_old_alerts_are_forgotten_with_their_deliveries(team: Team) -> None:
    flood(team, 2)
    Alert.objects.filter(pk=Alert.objects.earliest("pk").pk).update(raised_at=AT - KEPT)
    forget_old(at=AT + timedelta(seconds=1))
    assert (Alert.objects.count(), AlertDelivery.objects.count()) == (1, 1)


def test_kind_that_only_a_newer_version_knows_is_left_to_it_and_stops_nothing(team: Team) -> None:
    raise_alert("key.leaked", cause="x", team=team)
    Alert.objects.update(kind="key.borrowed")
    assert told("budget.threshold", team) == [BOSS]
    assert Alert.objects.get(kind="key.borrowed").spread_at is None
