"""What is told of keys and of spending: made, rotated, about to end; a day far above those before it."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts import services
from accounts.key_news import tell_expiring
from accounts.models import Alert, Key, Spend, Team
from accounts.spend_leaps import HISTORY_LEAST, LEAST, Leap, leap_of, tell_leaps
from accounts.tasks import send_alerts, watch_keys_and_spending
from accounts.windows import DAY_S
from tests.accounts.alerts.conftest import AT
from tests.make import make_key

USD = 10**10
DAY = timedelta(days=1)


@pytest.mark.django_db
def test_key_that_is_made_and_rotated_is_told_with_who_did_it(team: Team) -> None:
    boss = team.members.get(username="boss")
    key, text = make_key(team, "billing", created_by=boss)
    new, _ = services.rotate_key(key=key, overlap=timedelta(hours=1), created_by=boss)
    created, rotated = Alert.objects.order_by("pk")
    assert (created.kind, created.title) == (
        "key.created",
        f"A key was made: billing (sk-gw-{key.public_id}-…)",
    )
    assert (created.data["by"], created.people) == ("boss", [boss.pk])
    assert (rotated.kind, rotated.data["key_id"], rotated.data["former_key_id"]) == (
        "key.rotated",
        new.public_id,
        key.public_id,
    )
    assert text not in f"{created.data}{created.text}{rotated.data}{rotated.text}"


def expiring(team: Team, ends: datetime, **terms: Any) -> Key:
    key, _ = make_key(team)
    Key.objects.filter(pk=key.pk).update(**{"created_at": AT - 100 * DAY, "expires_at": ends, **terms})
    return key


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("left", "told"),
    [(7 * DAY + timedelta(seconds=1), 0), (7 * DAY, 1), (timedelta(seconds=1), 1), (-DAY, 0)],
)
def test_key_is_told_of_a_week_before_its_end_and_once(team: Team, left: timedelta, told: int) -> None:
    expiring(team, AT + left)
    assert [tell_expiring(at=AT), tell_expiring(at=AT)] == [told, 0]


@pytest.mark.django_db
def test_key_whose_end_somebody_knows_of_is_not_told_of(team: Team) -> None:
    expiring(team, AT + DAY, revoked_at=AT)
    expiring(team, AT + DAY, unused_told_at=AT)
    expiring(team, AT + DAY, created_at=AT - 12 * DAY)
    rotated = expiring(team, AT + 400 * DAY)
    services.rotate_key(key=rotated, overlap=timedelta(days=1))
    Key.objects.filter(pk=rotated.pk).update(expires_at=AT + DAY)
    assert tell_expiring(at=AT) == 0


QUIET = [USD] * HISTORY_LEAST


@pytest.mark.parametrize(
    ("today", "before", "leap"),
    [
        (3 * USD, QUIET, Leap(USD, USD, HISTORY_LEAST)),
        (3 * USD - 1, QUIET, None),
        (3 * USD, QUIET[1:], None),
        (3 * USD, [0] * 20 + QUIET, Leap(USD, USD, HISTORY_LEAST)),
        (3 * USD, [0] * 20 + QUIET[1:], None),
        (LEAST, [1] * 28, Leap(1, 1, 28)),
        (LEAST - 1, [1] * 28, None),
        # It was so high before, in a month of quiet days.
        (10 * USD, [*QUIET, 10 * USD, *QUIET], None),
        (10 * USD, [], None),
    ],
)
def test_day_leaps_that_is_thrice_a_usual_one_and_above_the_highest(
    today: int, before: list[int], leap: Leap | None
) -> None:
    assert leap_of(today, before, 3) == leap


def test_nothing_leaps_where_the_operator_does_not_want_to_know() -> None:
    assert leap_of(100 * USD, QUIET, 0) is None


@pytest.mark.django_db
def test_team_and_operator_are_told_of_a_leap_once_a_day(team: Team, settings: Any) -> None:
    day = int(AT.timestamp()) // DAY_S * DAY_S
    for subject, loss in ((f"team:{team.pk}", 0), ("deployment", USD)):
        for back in range(8):
            cost = (5 if back == 0 else 1) * USD
            Spend.objects.create(
                subject=subject, grain="day", starts_at=day - back * DAY_S, cost=cost, loss=loss
            )
    assert [tell_leaps(at=AT), tell_leaps(at=AT + timedelta(hours=2))] == [2, 0]
    of_operator, of_team = Alert.objects.order_by("pk")
    assert of_team.title == "Research has spent $5.00 today, 5.0 times as much as usual"
    assert (of_operator.team, of_operator.title) == (
        None,
        "This deployment has spent $6.00 today, 3.0 times as much as usual",
    )
    settings.SPEND_LEAP_FACTOR = 0
    assert tell_leaps(at=AT + DAY) == 0


@pytest.mark.django_db
def test_duties_run_as_tasks() -> None:
    assert (watch_keys_and_spending(), send_alerts()) == (0, 0)
