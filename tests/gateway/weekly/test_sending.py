"""The weekly digest: to whom, when, once, and with what."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.alerts import delivering
from accounts.alerts.delivering import CLAIM
from accounts.alerts.kinds import WEEKLY
from accounts.alerts.people import choose
from accounts.models import Alert, AlertDelivery, Budget, Key, Membership, Team, User
from accounts.recording import record_attempts
from gateway.weekly import sending
from tests.gateway.spooling import attempt
from tests.make import (
    make_key,
    make_membership,
    make_model,
    make_published,
    make_team,
    make_user,
    publish_all,
)

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 6, 1, 8, tzinfo=UTC)
IN_WEEK = datetime(2026, 5, 27, 12, tzinfo=UTC)
Call = Callable[..., None]


def person(name: str, team: Team, role: str = "owner", **fields: Any) -> User:
    made = make_user(name, email=f"{name}@example.com", date_joined=IN_WEEK - timedelta(days=90), **fields)
    make_membership(team, made, role=role)
    Membership.objects.update(created_at=IN_WEEK - timedelta(days=90))
    return made


@pytest.fixture
def team() -> Team:
    return make_team("atlas", name="Atlas")


@pytest.fixture
def used(team: Team) -> Call:
    """`used(cost, at, outcome=…)`: one call of the team."""

    def call(cost: str = "0.1", at: datetime = IN_WEEK, *, team: Team = team, **opened: Any) -> None:
        end = {"cost_usd": cost, "outcome": opened.pop("outcome", "finished")}
        whose = {"team_id": team.pk, "key_id": 1, "lineage_id": 1}
        record_attempts([attempt(end=end, started_at=at.timestamp(), **whose | opened)])

    return call


def told() -> list[str]:
    return list(
        AlertDelivery.objects.filter(alert__kind=WEEKLY).order_by("address").values_list("address", flat=True)
    )


def text() -> str:
    return Alert.objects.filter(kind=WEEKLY).latest("pk").text


def test_owners_and_admins_are_told_and_others_by_choice(team: Team, used: Call) -> None:
    used()
    person("ann", team), person("ben", team, "admin"), person("cem", team, "member")
    choose(person("dia", team, "viewer"), {WEEKLY: True})
    choose(person("eve", team), {WEEKLY: False})
    assert sending.send_due(at=MONDAY) == 3
    assert told() == ["ann@example.com", "ben@example.com", "dia@example.com"]


def test_it_comes_once_a_week_however_often_it_is_due(team: Team, used: Call) -> None:
    used()
    person("ann", team)
    assert [sending.send_due(at=MONDAY + timedelta(hours=n)) for n in (-1, 0, 1, 40)] == [0, 1, 0, 0]
    used(at=MONDAY + timedelta(days=1))
    assert sending.send_due(at=MONDAY + timedelta(days=7)) == 1
    assert len(told()) == 2


def test_it_comes_at_eight_in_the_persons_zone_else_in_the_teams(team: Team, used: Call) -> None:
    used()
    Team.objects.update(time_zone="Asia/Tokyo", usage_zone="Asia/Tokyo")
    person("ann", team, time_zone="America/New_York")
    person("ben", team)
    assert sending.send_due(at=datetime(2026, 5, 31, 23, tzinfo=UTC)) == 1
    assert told() == ["ben@example.com"]
    assert sending.send_due(at=datetime(2026, 6, 1, 11, 59, tzinfo=UTC)) == 0
    assert sending.send_due(at=datetime(2026, 6, 1, 12, tzinfo=UTC)) == 1


def test_it_is_made_up_for_after_a_stop_for_three_days(team: Team, used: Call) -> None:
    used()
    person("ann", team)
    assert sending.send_due(at=MONDAY + timedelta(days=3)) == 0
    assert sending.send_due(at=MONDAY + timedelta(days=2, hours=23)) == 1


def test_week_with_nothing_to_tell_is_not_told(team: Team) -> None:
    person("ann", team)
    assert sending.send_due(at=MONDAY) == 0
    assert User.objects.get().digest_week == MONDAY.date()


@pytest.mark.parametrize("fields", [{"is_active": False}, {"email": ""}])
def test_who_cannot_be_mailed_is_not_told(team: Team, used: Call, fields: dict[str, Any]) -> None:
    used()
    ann = person("ann", team)
    User.objects.filter(pk=ann.pk).update(**fields)
    assert sending.send_due(at=MONDAY) == 0


def test_process_that_dies_has_claimed_nothing(
    team: Team, used: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    used()
    person("ann", team)

    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sending, "make_alert", die)
        with pytest.raises(KeyboardInterrupt):
            sending.send_due(at=MONDAY)
    assert User.objects.get().digest_week is None
    assert sending.send_due(at=MONDAY) == 1


def test_mail_that_may_have_left_is_not_sent_again(
    team: Team, used: Call, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]
) -> None:
    used()
    person("ann", team)
    sending.send_due(at=MONDAY)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(delivering, "_note", die)
        with pytest.raises(KeyboardInterrupt):
            delivering.send_due(at=MONDAY, now=lambda: MONDAY)
    later = MONDAY + CLAIM * 2
    delivering.send_due(at=later, now=lambda: later)
    assert len(mailoutbox) == 1


def test_mail_that_was_not_taken_is_tried_again(
    team: Team, used: Call, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]
) -> None:
    used()
    person("ann", team)
    sending.send_due(at=MONDAY)

    def refuse(*_: Any) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(delivering, "send", refuse)
        delivering.send_due(at=MONDAY, now=lambda: MONDAY)
    later = MONDAY + timedelta(hours=1)
    delivering.send_due(at=later, now=lambda: later)
    assert len(mailoutbox) == 1
    assert AlertDelivery.objects.get().state == "delivered"


def test_figures_stand_against_the_week_before(team: Team, used: Call) -> None:
    person("ann", team)
    used("0.5"), used("0.7", outcome="failed")
    used("1", at=IN_WEEK - timedelta(days=7))
    sending.send_due(at=MONDAY)
    assert "Spent: $1.20, which is 20\xa0% more than in the week before" in text()
    assert "Calls: 2, which is 100\xa0% more than in the week before" in text()
    assert "Errors: 1, that is 50\xa0% of the calls, after none in the week before" in text()
    assert "acme/one  $1.20      2" in text()


def test_numbers_and_days_are_the_readers_own(team: Team, used: Call) -> None:
    person("ann", team, locale="de", time_zone="Europe/Berlin")
    used("1234.5")
    sending.send_due(at=MONDAY)
    assert "1.234,50\xa0$" in text()
    assert Alert.objects.get().title == "Your week in Gatehouse: 25.05.2026 to 31.05.2026"


def test_changes_of_the_week_are_told(team: Team, used: Call) -> None:
    used("9")
    ann = person("ann", team)
    Budget.objects.create(team=team, amount_usd=10, window="lifetime")
    key, _ = make_key(team, "nightly <b>")
    Key.objects.filter(pk=key.pk).update(expires_at=MONDAY + timedelta(days=5))
    newcomer = make_membership(team, make_user("new"))
    left = make_membership(team, make_user("old"))
    Membership.objects.filter(pk=newcomer.pk).update(created_at=IN_WEEK)
    Membership.objects.filter(pk=left.pk).update(
        created_at=IN_WEEK - timedelta(days=50), suspended_at=IN_WEEK
    )
    sending.send_due(at=MONDAY)
    assert ann.username not in text()
    for line in (
        "- team Atlas, ever: $9.00 of $10.00 spent",
        "- nightly <b> (sk-gw-",
        "Joined\n- new, member",
        "Left\n- old",
    ):
        assert line in text()


def test_models_in_use_that_end_are_told_with_their_successor(team: Team, used: Call) -> None:
    person("ann", team)
    make_published("acme/two")
    one = make_model(
        "acme/one",
        deprecation_at=MONDAY - timedelta(days=9),
        retirement_at=MONDAY + timedelta(days=29),
    )
    one.successor = type(one).objects.get(slug="two")
    one.save()
    publish_all()
    used()
    sending.send_due(at=MONDAY)
    assert "acme/one: deprecated on 23 May 2026 and retired on 30 Jun 2026; use acme/two" in text()


def test_names_of_other_teams_are_not_told(team: Team, used: Call) -> None:
    other = make_team("other", name="Secret plans")
    used(), used(team=other)
    person("ann", team), person("ben", other)
    sending.send_due(at=MONDAY)
    by_person = {alert.people[0]: alert.text for alert in Alert.objects.filter(kind=WEEKLY)}
    assert "Secret plans" not in by_person[User.objects.get(username="ann").pk]


def test_statements_do_not_grow_with_people_but_for_their_own_three(used: Call) -> None:
    def statements(people: int, monday: datetime) -> int:
        for number in range(people):
            its = make_team(f"team-{monday:%d}-{number}")
            used(team=its, at=monday - timedelta(days=3))
            person(f"p{monday:%d}-{number}", its)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert sending.send_due(at=monday) == people
        return len(seen)

    few = statements(2, MONDAY)
    User.objects.update(is_active=False)
    many = statements(12, MONDAY + timedelta(days=7))
    # A savepoint's two, the claim, the alert and its delivery.
    assert many - few <= 10 * 6
