"""Other weights of a named route are tried on recent calls before they are saved."""

import re
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Key
from accounts.recording import record_attempts
from catalogue.facts import RouteMember
from catalogue.models import Route
from gateway.ops.route_trial import NO_KEY, NO_USAGE, members_of, try_route, weighed
from tests import make
from tests.gateway.spooling import attempt

pytestmark = pytest.mark.django_db
MILLION = 1_000_000


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def key() -> Key:
    return make.make_key(make.make_team("atlas"), "billing")[0]


@pytest.fixture
def route() -> Route:
    """A cheap model and one that costs three times as much, for half of the calls each; published."""
    models = []
    for slug, amount in (("cheap", "1"), ("dear", "3")):
        model = make.make_model(f"acme/{slug}")
        offering = make.make_offering(model, make.make_provider(slug), upstream_name=slug)
        make.make_price(offering, "input_text_tokens", amount)
        models.append(model)
    made = make.make_route("house/fast", *models)
    make.publish_all()
    return Route.objects.complete().get(pk=made.pk)


def spend(key: Key, now: datetime, *, calls: int = 1, **told: Any) -> None:
    end = {"cost_usd": "3", "usage": {"input_tokens": MILLION}} | told.pop("end", {})
    owner = {"team_id": key.team_id, "key_id": key.pk, "lineage_id": key.pk}
    place = {
        "model": "acme/dear",
        "provider": "dear",
        "upstream_name": "dear",
        "requested_model": "house/fast",
    }
    record_attempts(
        [
            attempt(
                end=end,
                **{"call_id": uuid4().hex, **owner, **place, "started_at": now.timestamp() - 60, **told},
            )
            for _ in range(calls)
        ]
    )


def trial(route: Route, now: datetime, *weights: tuple[int, int, int | None]) -> Any:
    return try_route(route, weighed(members_of(route), dict(enumerate(weights))), at=now, days=7)


def places(members: list[RouteMember]) -> list[tuple[str, int]]:
    return [(member.model_id, member.weight) for member in members]


def test_all_calls_go_to_the_cheap_one_and_cost_what_it_costs(key: Key, route: Route, now: datetime) -> None:
    spend(key, now, calls=4)
    found = trial(route, now, (1, 0, None), (0, 0, None))
    cheap, dear = found.in_order
    assert (cheap.model, cheap.calls, cheap.calls_then, cheap.cost_then_usd) == (
        "acme/cheap",
        0,
        4,
        Decimal(4),
    )
    assert (dear.model, dear.calls, dear.calls_then, dear.cost_usd) == ("acme/dear", 4, 0, Decimal(12))
    assert (found.cost_usd, found.cost_then_usd) == (12, 4)


def test_the_same_trial_comes_to_the_same_and_shares_calls_by_weight(
    key: Key, route: Route, now: datetime
) -> None:
    spend(key, now, calls=200)
    first, second = (trial(route, now, (3, 0, None), (1, 0, None)) for _ in range(2))
    shares = {share.model: share.calls_then for share in first.in_order}
    assert shares == {share.model: share.calls_then for share in second.in_order}
    assert sum(shares.values()) == 200
    # Each of two hundred draws falls to the cheap one three times of four: five deviations on either side.
    assert 120 <= shares["acme/cheap"] <= 180


def test_conditions_hold_by_what_the_ledger_knows(key: Key, route: Route, now: datetime) -> None:
    route.members.filter(model__slug="cheap").update(is_streamed=True)
    route = Route.objects.complete().get(pk=route.pk)
    spend(key, now, is_streamed=False)
    spend(key, now, is_streamed=True)
    found = trial(route, now, (1, 0, None), (0, 0, None))
    assert {share.model: share.calls_then for share in found.in_order} == {"acme/cheap": 1, "acme/dear": 0}
    assert sum(found.refused.values()) == 1


def test_what_cannot_be_tried_is_counted_by_its_reason(key: Key, route: Route, now: datetime) -> None:
    spend(key, now, key_id=key.pk + 1000)
    spend(key, now, end={"usage": {}})
    found = trial(route, now)
    assert (found.seen, found.left) == (2, {NO_KEY: 1, NO_USAGE: 1})


def test_calls_of_others_and_of_before_are_not_looked_at(key: Key, route: Route, now: datetime) -> None:
    spend(key, now, requested_model="acme/other")
    spend(key, now, started_at=now.timestamp() - 8 * 86_400)
    spend(key, now, end={"outcome": "failed"})
    assert trial(route, now).seen == 0


def test_page_tries_and_saves_nothing(client: Client, key: Key, route: Route, now: datetime) -> None:
    spend(key, now, calls=2)
    client.force_login(make.make_staff("ada"))
    page = f"/admin/routes/{route.pk}/trial/"
    assert f'href="{page}"' in client.get(f"/admin/catalogue/route/{route.pk}/change/").text
    assert client.get(page).status_code == 200
    sent = {
        "days": "7",
        "member-0-weight": "1",
        "member-0-tier": "0",
        "member-0-canary_percent": "",
        "member-1-weight": "0",
        "member-1-tier": "0",
        "member-1-canary_percent": "",
    }
    tried = client.post(page, sent).text
    cells = re.findall(r'<td class="number">([^<]*)</td>', tried)
    assert cells == ["0", "0", "2", "2", "2", "6", "0", "0"]
    assert "$6 as it was, $2 by this route, -4." in tried
    assert places(members_of(Route.objects.complete().get(pk=route.pk))) == [
        ("acme/cheap", 1),
        ("acme/dear", 1),
    ]


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ({"member-0-weight": "0", "member-1-weight": "0"}, "In tier 0 no member has a weight above 0."),
        ({"member-0-canary_percent": "100"}, "less than or equal to 99"),
        ({"member-0-weight": "many"}, "whole number"),
        ({"days": "31"}, "less than or equal to 30"),
    ],
)
def test_what_the_routes_page_would_refuse_is_refused(
    client: Client, route: Route, sent: dict[str, str], told: str
) -> None:
    client.force_login(make.make_staff("ada"))
    whole = {
        "days": "7",
        **{f"member-{place}-{name}": "1" for place in range(2) for name in ("weight", "tier")},
        "member-0-tier": "0",
        "member-1-tier": "0",
        **sent,
    }
    answer = client.post(f"/admin/routes/{route.pk}/trial/", whole)
    assert answer.status_code == 200
    assert told in answer.text


def test_staff_without_the_rights_may_not_look(client: Client, route: Route) -> None:
    client.force_login(make.make_user("bob", is_staff=True))
    assert client.get(f"/admin/routes/{route.pk}/trial/").status_code == 403
    client.force_login(make.make_staff("ada"))
    assert client.get("/admin/routes/999999/trial/").status_code == 404
