"""The playground is a client like any other: its key is the person's own, short-lived, and bound as others are."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.key_facts import find_key
from accounts.keys import digest_secret, read_key
from accounts.models import Alert, Key, Team
from accounts.services import PLAYGROUND_LIFE, archive_team, revoke_key
from tests.make import (
    make_model,
    make_offering,
    make_price,
    make_provider,
    make_team,
    make_user,
    publish_all,
)

pytestmark = pytest.mark.django_db
ISSUE = "/playground/key"


@pytest.fixture
def team() -> Team:
    return make_team("atlas")


@pytest.fixture
def member(client: Client, team: Team) -> Client:
    client.force_login(make_user("mary", teams=[team]))
    return client


def test_page_names_the_model_that_its_address_names(member: Client) -> None:
    page = member.get("/playground?model=acme/one").text
    assert 'value="acme/one"' in page
    assert 'aria-current="page">Playground' in page


def test_page_takes_up_to_four_models_and_names_the_rest(member: Client) -> None:
    page = member.get(
        "/playground?model=a/1&model=a/2&model=a/3&model=a/1&model=&model=a/4&model=%3Cb%3E"
    ).text
    assert [f'value="a/{number}"' in page for number in range(1, 5)] == [True] * 4
    assert "Left out: <code>&lt;b&gt;</code>" in page


def offered(client: Client, team: str = "atlas") -> dict[str, Any]:
    answer = client.get(f"/playground/models?team={team}")
    assert answer.status_code == 200
    return {each["id"]: each for each in answer.json()["models"]}


def test_pickers_offer_what_the_team_may_call_with_price_context_and_parameters(
    member: Client, team: Team
) -> None:
    one = make_model("acme/one", aliases=["one"], context_length=128_000, input_types=["text", "image"])
    offering = make_offering(one, params=["temperature", "tools"])
    make_price(offering, "input_text_tokens", "2")
    make_price(offering, "output_text_tokens", "4")
    make_offering(make_model("acme/embeds"), endpoints=["embeddings"])
    make_offering(make_model("closed/two"))
    make_offering(make_model("acme/away"), make_provider(has_credential=False))
    publish_all()
    Team.objects.filter(pk=team.pk).update(model_patterns=["acme/*"])
    found = offered(member)
    assert list(found) == ["acme/one"]
    assert found["acme/one"] == {
        "id": "acme/one",
        "name": "One",
        "aliases": ["one"],
        "status": "active",
        "context": "128K",
        "usd": {"prompt": "0.000002", "completion": "0.000004"},
        "price": {"prompt": "$2.00", "completion": "$4.00"},
        "params": ["temperature", "tools"],
        "reads": ["image", "text"],
        "tier": None,
    }
    Team.objects.filter(pk=team.pk).update(model_patterns=[])
    assert list(offered(member)) == ["acme/one", "closed/two"]


def test_pickers_tell_nothing_of_other_teams(member: Client, client: Client) -> None:
    make_team("zeus")
    assert member.get("/playground/models?team=zeus").status_code == 404
    assert Client().get("/playground/models?team=atlas").status_code == 401


def test_viewer_has_no_playground(client: Client, team: Team) -> None:
    client.force_login(make_user("vera", teams=[team], role="viewer"))
    for address in ("/playground?team=atlas", "/playground/models?team=atlas"):
        assert client.get(address).status_code == 403


def test_key_is_the_persons_own_and_ends_within_the_hour(member: Client, team: Team) -> None:
    before = timezone.now()
    told = member.post(ISSUE, {"team": "atlas"}).json()
    shown = read_key(told["key"])
    assert shown
    key = find_key(shown.public_id)
    assert key
    assert key.digest == digest_secret(shown.secret)
    assert (key.team, str(key.owner), key.is_playground) == (team, "mary", True)
    assert key.scope_set == {"inference", "catalogue"}
    assert key.expires_at
    assert before + PLAYGROUND_LIFE <= key.expires_at <= timezone.now() + PLAYGROUND_LIFE


def test_next_key_is_of_the_same_lineage_and_the_former_one_goes_on_until_its_end(
    member: Client, team: Team
) -> None:
    for _ in range(3):
        member.post(ISSUE, {"team": "atlas"})
    keys = list(Key.objects.order_by("pk"))
    assert len({key.lineage_id for key in keys}) == 1
    now = timezone.now()
    assert all(now < key.expires_at <= now + PLAYGROUND_LIFE for key in keys if key.expires_at)
    Key.objects.update(expires_at=now - timedelta(days=1), created_at=now - timedelta(days=1, hours=1))
    member.post(ISSUE, {"team": "atlas"})
    last = Key.objects.order_by("pk").last()
    assert last
    assert last.lineage_id == keys[0].pk
    assert last.expires_at
    assert now < last.expires_at <= timezone.now() + PLAYGROUND_LIFE


def test_revoked_one_is_followed_by_another_and_nobody_is_told_of_either(member: Client) -> None:
    member.post(ISSUE, {"team": "atlas"})
    revoke_key(key=Key.objects.get())
    assert member.post(ISSUE, {"team": "atlas"}).status_code == 200
    assert Key.objects.count() == 2
    assert not Alert.objects.filter(kind__startswith="key.").exists()


def test_keys_page_lists_what_works_and_not_what_is_over(member: Client) -> None:
    member.post(ISSUE, {"team": "atlas"})
    assert "Playground of mary" in member.get("/keys").text
    Key.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "Playground of mary" not in member.get("/keys").text


def test_nobody_has_a_key_of_a_team_that_is_not_theirs(member: Client) -> None:
    make_team("zeus")
    refused = member.post(ISSUE, {"team": "zeus"})
    assert (refused.status_code, refused.json()) == (404, {"error": "You belong to no such team."})
    assert not Key.objects.exists()


def test_team_that_is_archived_says_so(member: Client, team: Team) -> None:
    archive_team(team=team, is_archived=True)
    refused = member.post(ISSUE, {"team": "atlas"})
    assert refused.status_code == 400
    assert "archived" in refused.json()["error"]


def test_signed_out_page_is_told_and_not_led_astray(client: Client) -> None:
    told = client.post(ISSUE, {"team": "atlas"})
    assert told.status_code == 401
    assert "Sign in" in told.json()["error"]
    assert client.get("/playground").status_code == 302


def test_key_takes_a_form_of_ours(team: Team) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user("mary", teams=[team]))
    assert strict.post(ISSUE, {"team": "atlas"}).status_code == 403
    assert strict.get(ISSUE).status_code == 405


def test_keys_of_past_visits_are_listed_only_where_they_are_asked_for(member: Client) -> None:
    texts = [member.post(ISSUE, {"team": "atlas"}).json()["key"] for _ in range(3)]
    first, second, last = (text.split("-")[2] for text in texts)
    page = member.get("/keys?team=atlas").text
    assert [id_ in page for id_ in (first, second, last)] == [False, False, True]
    assert "2 short-lived keys of past visits to the playground are not shown" in page
    assert 'href="?team=atlas&amp;playground=all"' in page
    page = member.get("/keys?team=atlas&playground=all").text
    assert [id_ in page for id_ in (first, second, last)] == [True, True, True]
    assert 'are among these: <a href="?team=atlas"' in page
    page = member.get("/keys?team=atlas&q=elsewhere").text
    assert "past visits" not in page
