"""The catalogue's pages with a team's eyes, and without: nobody else sees what is the team's."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Key, Team
from accounts.recording import record_attempts
from tests.gateway.spooling import attempt
from tests.make import (
    make_key,
    make_model,
    make_offering,
    make_price,
    make_provider,
    make_team,
    make_user,
    publish_all,
)

pytestmark = pytest.mark.django_db
PAGES = ("/models", "/models/acme/one", "/models/compare?id=acme/one")


@pytest.fixture
def team() -> Team:
    offering = make_offering(make_model("acme/one"), make_provider("groq"))
    make_price(offering, "input_text_tokens", "2")
    make_offering(make_model("other/two"), make_provider())
    publish_all()
    return make_team("atlas", name="Atlas", model_patterns=["acme/*"], charge_factor="1.5")


@pytest.fixture
def mary(client: Client, team: Team) -> Client:
    client.force_login(make_user("mary", teams=[team]))
    return client


@pytest.mark.parametrize("page", PAGES)
def test_nobody_sees_a_team_without_signing_in(team: Team, page: str) -> None:
    key, _ = make_key(team, "ci-robot")
    joined = "&" if "?" in page else "?"
    for asked in (page, f"{page}{joined}team=atlas&key={key.public_id}"):
        answer = Client().get(asked)
        assert answer.status_code == 200
        assert [word in answer.text for word in ("Atlas", "ci-robot", "may call")] == [False] * 3
        assert "Cache-Control" not in answer


@pytest.mark.parametrize("page", PAGES)
def test_team_sees_what_it_may_call_and_no_shared_cache_keeps_it(mary: Client, page: str) -> None:
    answer = mary.get(page)
    assert "may call" in answer.text
    assert "Atlas" in answer.text
    assert "private" in answer["Cache-Control"]


def test_what_is_closed_says_why_and_where_to_ask(mary: Client) -> None:
    page = mary.get("/models/other/two").text
    assert "cannot call it" in page
    assert "Atlas lists the models that it may call" in page
    ask = "/team/requests/new?team=atlas&amp;kind=model&amp;model=other%2Ftwo"
    assert f'href="{ask}"' in page
    assert 'value="other/two"' in mary.get(ask.replace("&amp;", "&")).text
    assert "Try in the playground" not in page
    assert "/playground?team=atlas&amp;model=acme%2Fone" in mary.get("/models/acme/one").text
    assert "closed" in mary.get("/models").text


def test_models_that_are_compared_are_tried_side_by_side(mary: Client) -> None:
    page = mary.get("/models/compare?id=acme/one&id=other/two").text
    address = "/playground?team=atlas&amp;model=acme/one&amp;model=other/two"
    assert f'href="{address}"' in page
    assert 'value="other/two"' in mary.get(address.replace("&amp;", "&")).text


def test_viewer_is_led_to_no_playground(client: Client, team: Team) -> None:
    client.force_login(make_user("vera", teams=[team], role="viewer"))
    assert "Try in the playground" not in client.get("/models/acme/one").text
    assert "Try side by side" not in client.get("/models/compare?id=acme/one").text


def test_key_may_be_chosen_and_stays_chosen(mary: Client, team: Team) -> None:
    key, _ = make_key(team, "ci", denied_model_patterns=["acme/one"])
    page = mary.get(f"/models?key={key.public_id}&sort=name").text
    assert "The key ci denies “acme/one”." in page
    assert f"/models/acme/one?key={key.public_id}" in page
    assert f'name="key" value="{key.public_id}"' in page
    assert "was left out" not in page


def test_keys_and_teams_of_others_are_not_looked_through(mary: Client) -> None:
    foreign = make_team("zeus", name="Zeus", model_patterns=["secret/*"])
    key, _ = make_key(foreign, "thunder")
    for query in (
        f"key={key.public_id}",
        "team=zeus",
        f"team=zeus&key={key.public_id}",
        "key=%C3%BC",
        "team=%20",
    ):
        page = mary.get(f"/models/acme/one?{query}").text
        assert [word in page for word in ("Zeus", "thunder")] == [False, False]
        assert "For <bdi>Atlas</bdi>" in page


def test_other_team_of_the_same_person_is_chosen_by_the_address(client: Client, team: Team) -> None:
    second = make_team("zeus", name="Zeus")
    client.force_login(make_user("mary", teams=[team, second]))
    page = client.get("/models/other/two?team=zeus").text
    assert "For <bdi>Zeus</bdi>" in page
    assert "may call it" in page
    assert "/models/other/two?team=zeus" in client.get("/models?team=zeus").text


def use(key: Key, cost: str, model: str = "acme/one") -> None:
    told = {"team_id": key.team_id, "lineage_id": key.pk, "started_at": timezone.now().timestamp()}
    record_attempts([attempt(end={"cost_usd": cost}, model=model, **told)])


def test_what_was_used_and_what_it_costs_the_team_is_told(mary: Client, team: Team) -> None:
    (key, _), (other, _) = make_key(team), make_key(team)
    use(key, "1.25")
    use(key, "0.75")
    use(make_key(make_team("zeus"))[0], "64")
    assert "2 calls, $2" in mary.get("/models/acme/one").text
    assert "2 calls, $2" in mary.get("/models").text
    assert "not at all" in mary.get(f"/models/acme/one?key={other.public_id}").text
    page = mary.get("/models/acme/one").text
    assert "Input as charged" in page
    assert "from $3.00 per million" in page


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({"lifecycle_policy": "block"}, "Deprecated models are refused as if they were retired."),
        ({"regions": ["eu"]}, "Calls keep to regions eu."),
        ({}, "is charged 1.5 times as much"),
    ],
)
def test_terms_of_the_team_stand_over_the_list(
    mary: Client, team: Team, terms: dict[str, Any], says: str
) -> None:
    Team.objects.filter(pk=team.pk).update(**terms)
    assert says in mary.get("/models").text


def test_what_stops_all_calls_stands_over_the_list(mary: Client, team: Team) -> None:
    key, _ = make_key(team, "ci")
    assert "calls with it are refused" not in mary.get(f"/models?key={key.public_id}").text
    Key.objects.update(expires_at=timezone.now())
    assert "calls with it are refused" in mary.get(f"/models?key={key.public_id}").text
    Team.objects.update(frozen_at=timezone.now())
    assert "Atlas is frozen." in mary.get("/models").text


def test_names_of_teams_and_keys_stay_text(client: Client) -> None:
    team = make_team("atlas", name="<i>Atlas</i>", model_patterns=["x/*"])
    make_key(team, "<b>ci</b>")
    make_offering(make_model("acme/one"), make_provider())
    publish_all()
    client.force_login(make_user("mary", teams=[team]))
    for page in PAGES:
        assert [word in client.get(page).text for word in ("<i>Atlas", "<b>ci")] == [False, False]


def test_eyes_cost_a_few_queries_however_many_models_there_are(
    mary: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        make_offering(make_model(f"acme/more-{number}"), make_provider())
    publish_all()
    mary.get("/models")
    with django_assert_max_num_queries(13):
        mary.get("/models")
    # Two of them are the savepoint of the test's own transaction.
    with django_assert_max_num_queries(15):
        mary.get("/models/acme/one")
