"""Teams hear of changes of the models that they use, and of no others."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Alert, Team
from accounts.recording import record_attempts
from catalogue.changes import model_alerts
from catalogue.changes.model_alerts import LOOKED_BACK, USED_DAYS, tell_changes
from catalogue.models import Alias, Model, Price
from catalogue.tasks import tell_of_models
from tests.gateway.spooling import attempt
from tests.make import (
    NOW,
    make_model,
    make_offering,
    make_price,
    make_route,
    make_team,
    publish_all,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def forget_told() -> Iterator[None]:
    yield
    model_alerts._told.clear()


@pytest.fixture
def model() -> Model:
    """Published long ago."""
    model = make_model("acme/one")
    for meter in ("input_text_tokens", "output_text_tokens"):
        make_price(model.offerings.first() or make_offering(model), meter)
    publish_all(at=NOW - 90 * DAY)
    return model


@pytest.fixture
def team(model: Model) -> Team:
    """It called the model twice."""
    team = make_team("research")
    for days in (1, 2):
        call(team, NOW - days * DAY)
    call(team, NOW, model="acme/other")
    call(team, NOW, end={"outcome": "failed_over"})
    make_team("others")
    return team


def call(
    team: Team, at: datetime, *, model: str = "acme/one", end: dict[str, Any] | None = None, **asked: str
) -> None:
    made = attempt(team_id=team.pk, lineage_id=1, model=model, started_at=at.timestamp(), end=end, **asked)
    record_attempts([made])


def told() -> list[tuple[str, str, str]]:
    """Kind, team and news."""
    rows = Alert.objects.filter(kind__startswith="model.").order_by("pk")
    return [(row.kind, row.team.slug, row.text.partition("\n")[0]) for row in rows if row.team]


def change(model: Model, **fields: object) -> None:
    Model.objects.filter(pk=model.pk).update(**fields)
    publish_all(at=NOW)


def test_team_that_uses_a_model_hears_that_its_end_is_announced(model: Model, team: Team) -> None:
    change(model, retirement_at=NOW + 100 * DAY)
    assert [tell_changes(at=NOW), tell_changes(at=NOW)] == [1, 0]
    [(kind, slug, news)] = told()
    assert (kind, slug) == ("model.announced", "research")
    assert news == "The end of model 'acme/one' is announced: retirement_date none → 2026-09-09T12:00:00Z."
    assert Alert.objects.get(kind=kind).text.endswith("Your team called it 2 times in the last 30 days.")


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"deprecation_at": NOW, "retirement_at": NOW + 9 * DAY}, "model.deprecated"),
        ({"retirement_at": NOW}, "model.retired"),
    ],
)
def test_team_hears_of_each_turn_of_a_models_life(
    model: Model, team: Team, fields: dict[str, object], kind: str
) -> None:
    change(model, **fields)
    tell_changes(at=NOW)
    assert [each for each, *_ in told()] == [kind]


def test_date_that_comes_by_itself_is_told_when_it_comes(model: Model, team: Team) -> None:
    Model.objects.update(retirement_at=NOW)
    publish_all(at=NOW - 80 * DAY)
    assert tell_changes(at=NOW - timedelta(seconds=1)) == 0
    assert tell_changes(at=NOW) == 1
    assert told()[0][0] == "model.retired"


def test_team_hears_of_new_prices(model: Model, team: Team) -> None:
    Price.objects.filter(meter="input_text_tokens").update(amount=Decimal(3))
    publish_all(at=NOW)
    tell_changes(at=NOW)
    [(kind, _, news)] = told()
    assert (kind, "has new prices" in news) == ("model.repriced", True)


def test_change_that_nobody_has_to_act_on_is_not_told(model: Model, team: Team) -> None:
    change(model, description="Better words.")
    assert tell_changes(at=NOW) == 0


@pytest.mark.parametrize(("late", "raised"), [(LOOKED_BACK, 1), (LOOKED_BACK + timedelta(seconds=1), 0)])
def test_round_that_was_missed_is_made_up_for(model: Model, team: Team, late: timedelta, raised: int) -> None:
    change(model, retirement_at=NOW)
    assert tell_changes(at=NOW + late) == raised


@pytest.mark.parametrize(("ago", "raised"), [(USED_DAYS * DAY, 1), ((USED_DAYS + 1) * DAY, 0)])
def test_team_that_has_stopped_using_it_does_not_hear(model: Model, ago: timedelta, raised: int) -> None:
    call(make_team(), NOW - ago)
    change(model, retirement_at=NOW)
    assert tell_changes(at=NOW) == raised


def test_duty_runs_as_a_task() -> None:
    assert tell_of_models() == 0


def test_team_that_calls_a_route_hears_of_its_end_and_of_prices_once(model: Model, team: Team) -> None:
    route = make_route("house/fast", model, retirement_at=NOW + 100 * DAY)
    Alias.objects.create(model=route, name="quick")
    publish_all(at=NOW - 80 * DAY)
    caller = make_team("callers")
    for name in ("house/fast", "quick"):
        call(caller, NOW - DAY, requested_model=name)
    Price.objects.update(amount=Decimal(9))
    change(route, retirement_at=NOW + 50 * DAY)
    tell_changes(at=NOW)
    kinds = sorted((kind, slug) for kind, slug, _ in told())
    assert kinds == [
        ("model.announced", "callers"),
        ("model.repriced", "callers"),
        ("model.repriced", "research"),
    ]
    assert Alert.objects.get(kind="model.announced").text.endswith("called it 2 times in the last 30 days.")
