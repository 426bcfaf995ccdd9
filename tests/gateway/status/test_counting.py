"""Days counted from what calls, probes and breakers left in SQL."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import timezone

from catalogue.models import Offering
from gateway.status.board import read_board
from gateway.status.counting import DAYS_KEPT, count_days
from providers.breakers import hold_breaker, record_transition
from providers.credentials import add_credential
from providers.facts import Way
from providers.health import Transition
from providers.models import ProbeResult, StatusDay, StatusProgress
from tests.gateway.status.conftest import FAULT, Calls, model, provider
from tests.make import make_route, make_team, publish_all

pytestmark = pytest.mark.django_db


def told(day: date) -> dict[str, tuple[int, int]]:
    rows = StatusDay.objects.filter(day=day)
    return {row.name: (row.down_s, row.degraded_s) for row in rows}


def breaker(way: Way, state: str, at: datetime, cause: str = "failures") -> None:
    record_transition(Transition(way, state, cause, 30.0, 1, 1, at.timestamp()), "test")


def left_alone(way: Way, begin: datetime, seconds: int, cause: str = "failures") -> None:
    breaker(way, "open", begin, cause)
    breaker(way, "closed", begin + timedelta(seconds=seconds))


def test_a_quarter_in_which_most_calls_failed_is_down(at: datetime, two_ways: object, calls: Calls) -> None:
    calls(3, at - timedelta(hours=1), **FAULT)
    calls(3, at - timedelta(hours=1))
    calls(9, at - timedelta(hours=3))
    count_days(at)
    assert told(at.date()) == {"acme/one": (900, 0), "alpha": (900, 0), "acme/two": (0, 0)}


def test_callers_own_mistakes_count_against_nobody(at: datetime, two_ways: object, calls: Calls) -> None:
    began = at - timedelta(hours=1)
    calls(9, began, outcome="failed", error_code="context_length_exceeded", status=400)
    calls(9, began, outcome="failed", error_code="string_above_max_length", status=400)
    calls(9, began, outcome="cancelled")
    count_days(at)
    assert told(at.date())["acme/one"] == (0, 0)


def test_what_a_teams_own_account_is_refused_counts_against_nobody(
    at: datetime, two_ways: object, calls: Calls
) -> None:
    refused = {"outcome": "failed", "error_code": "provider_auth_error", "status": 401}
    calls(4, at - timedelta(hours=1), **refused, own_credential_id=7)
    calls(1, at - timedelta(hours=1))
    calls(4, at - timedelta(hours=2), **refused)
    count_days(at)
    assert told(at.date())["alpha"] == (900, 0)


def test_a_call_that_another_provider_answered_is_the_first_ones_failure_alone(
    at: datetime, two_ways: object, calls: Calls
) -> None:
    began = at - timedelta(hours=1)
    calls(4, began, **FAULT | {"outcome": "failed_over"})
    calls(4, began, provider="beta")
    count_days(at)
    assert told(at.date()) == {"acme/one": (0, 0), "alpha": (900, 0), "beta": (0, 0), "acme/two": (0, 0)}


def test_a_day_on_which_nothing_was_seen_has_no_row(at: datetime, two_ways: object) -> None:
    count_days(at)
    assert told(at.date()) == {}


def test_probes_are_seen_and_tell_where_nobody_calls(at: datetime, two_ways: object) -> None:
    began = at - timedelta(minutes=14)
    for number in range(4):
        found = at - timedelta(minutes=2 + number)
        ProbeResult.objects.create(provider=provider("alpha"), at=found, is_healthy=False)
        ProbeResult.objects.create(provider=provider("beta"), at=found, is_healthy=True)
    assert began < at
    count_days(at)
    assert told(at.date()) == {"alpha": (900, 0), "beta": (0, 0), "acme/two": (900, 0), "acme/one": (0, 0)}


def test_breakers_of_all_offerings_make_a_model_down_and_of_one_degrade_it(
    at: datetime, two_ways: tuple[Offering, Offering], calls: Calls
) -> None:
    first, second = two_ways
    calls(1, at - timedelta(hours=5))
    left_alone(first.pk, at - timedelta(hours=2), 600)
    left_alone(second.pk, at - timedelta(hours=2) + timedelta(seconds=540), 600)
    count_days(at)
    assert told(at.date())["acme/one"] == (60, 1080)
    assert told(at.date())["acme/two"] == (0, 0)


def test_a_further_credential_keeps_an_offering_going_and_a_teams_own_does_not_count(
    at: datetime, two_ways: tuple[Offering, Offering], calls: Calls
) -> None:
    first, second = two_ways
    further = add_credential(provider=first.provider, team=None, label="backup", secret="sk-backup")
    own = add_credential(provider=second.provider, team=make_team(), label="own", secret="sk-own-one")
    calls(1, at - timedelta(hours=5))
    left_alone(first.pk, at - timedelta(hours=2), 600)
    left_alone(f"{second.pk}:{own.pk}", at - timedelta(hours=2), 600)
    count_days(at)
    assert told(at.date())["acme/one"] == (0, 0)
    left_alone(f"{first.pk}:{further.pk}", at - timedelta(hours=2), 60)
    count_days(at)
    assert told(at.date())["acme/one"] == (0, 60)


def test_what_staff_hold_open_does_not_answer(
    at: datetime, two_ways: tuple[Offering, Offering], calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls(1, at - timedelta(hours=5))
    monkeypatch.setattr(timezone, "now", lambda: at - timedelta(seconds=300))
    for offering in two_ways:
        hold_breaker(offering.provider, "open")
    count_days(at)
    assert told(at.date())["acme/one"] == (300, 0)
    hold_breaker(two_ways[1].provider, "")
    count_days(at + timedelta(seconds=100))
    assert told(at.date())["acme/one"] == (0, 400)


def test_counting_again_changes_nothing(
    at: datetime, two_ways: tuple[Offering, Offering], calls: Calls
) -> None:
    calls(5, at - timedelta(hours=6), **FAULT)
    calls(5, at - timedelta(days=40), **FAULT)
    left_alone(two_ways[0].pk, at - timedelta(days=1), 600)
    for _ in range(20):
        count_days(at)
    before = list(StatusDay.objects.order_by("pk").values())
    count_days(at)
    assert list(StatusDay.objects.order_by("pk").values()) == before
    StatusDay.objects.all().delete()
    StatusProgress.objects.all().delete()
    for _ in range(20):
        count_days(at)
    again = list(StatusDay.objects.order_by("pk").values())
    assert [row | {"id": 0} for row in again] == [row | {"id": 0} for row in before]


def test_days_of_before_are_filled_back_and_then_left_alone(
    at: datetime, two_ways: object, calls: Calls
) -> None:
    calls(5, at - timedelta(days=40), **FAULT)
    calls(5, at - timedelta(days=120), **FAULT)
    for _ in range(20):
        count_days(at)
    assert told((at - timedelta(days=40)).date())["acme/one"] == (900, 0)
    assert told((at - timedelta(days=120)).date()) == {}
    version = StatusProgress.objects.get().version
    count_days(at)
    assert StatusProgress.objects.get().version == version


def test_a_day_is_closed_once_what_began_last_in_it_has_been_told(
    at: datetime, two_ways: object, calls: Calls
) -> None:
    evening = at.replace(hour=23, minute=50)
    count_days(evening)
    calls(4, evening + timedelta(minutes=8), **FAULT)
    count_days(evening + timedelta(minutes=12))
    assert told(at.date())["acme/one"] == (900, 0)
    calls(4, evening + timedelta(minutes=9))
    calls(4, evening + timedelta(minutes=9))
    count_days(evening + timedelta(minutes=30))
    assert told(at.date())["acme/one"] == (0, 900)
    assert StatusProgress.objects.get().today == at.date() + timedelta(days=1)


def test_days_are_counted_though_nobody_did_for_a_long_time(
    at: datetime, two_ways: object, calls: Calls
) -> None:
    count_days(at - timedelta(days=200))
    calls(4, at - timedelta(days=3), **FAULT)
    count_days(at)
    assert told((at - timedelta(days=3)).date())["acme/one"] == (900, 0)


def test_days_are_forgotten(at: datetime, two_ways: object) -> None:
    old = at.date() - timedelta(days=DAYS_KEPT + 1)
    StatusDay.objects.create(kind="model", name="acme/one", day=old)
    count_days(at)
    assert told(old) == {}
    assert at.tzinfo is UTC


def test_a_named_route_is_down_only_where_all_of_its_members_are(
    at: datetime, two_ways: object, calls: Calls
) -> None:
    make_route("house/fast", model("acme/one"), model("acme/two"))
    publish_all(at=at - timedelta(days=100))
    calls(3, at - timedelta(hours=1), model="acme/one", **FAULT)
    count_days(at)
    assert told(at.date())["house/fast"] == (0, 900)
    calls(3, at - timedelta(hours=1), model="acme/two", **FAULT)
    StatusProgress.objects.all().delete()
    count_days(at)
    assert told(at.date())["house/fast"] == (900, 0)
    board = read_board(at, sees_providers=True)
    assert {component.id for component in board.models} == {"acme/one", "acme/two", "house/fast"}
    assert [len(component.days) for component in board.models] == [90] * 3
