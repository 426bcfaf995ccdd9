"""Keys in addresses: feed keys open feeds, and no other key goes there."""

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.directory import touches
from accounts.models import Key, Team
from accounts.services import revoke_key
from tests.make import make_key, make_published, make_team

pytestmark = pytest.mark.django_db
FEEDS = [
    f"/v1/gateway/{route}?format={form}"
    for route in ("models", "changes", "lifecycle")
    for form in ("rss", "atom", "jsonfeed")
] + ["/v1/gateway/lifecycle?format=ics", "/v1/gateway/models?feed=atom"]


@pytest.fixture
def team() -> Team:
    make_published()
    return make_team()


@pytest.fixture
def token(team: Team) -> str:
    return make_key(team, scope="feed")[1]


@pytest.mark.parametrize("url", FEEDS)
def test_feed_key_opens_feeds_from_the_address(url: str, token: str) -> None:
    assert Client().get(f"{url}&token={token}").status_code == 200


@pytest.mark.parametrize(("pages", "status"), [("public", 200), ("signed-in", 401), ("off", 401)])
@pytest.mark.parametrize("url", FEEDS)
def test_feeds_of_what_everybody_may_look_at_need_no_key(
    url: str, pages: str, status: int, team: Team, settings: LazySettings
) -> None:
    settings.PUBLIC_CATALOGUE = pages
    assert Client().get(url).status_code == status


@pytest.mark.parametrize(
    "url",
    [
        "/v1/gateway/models",
        "/v1/gateway/models?format=json",
        "/v1/gateway/models?format=json&feed=rss",
        "/v1/gateway/models?format=pdf",
        "/v1/gateway/models?format=rss&privacy_scope=team",
        "/v1/gateway/models?format=rss&privacy=team",
        "/v1/gateway/models/acme/one?format=rss",
        "/v1/gateway/models/acme/one/history?format=rss",
        "/v1/gateway/changes",
        "/v1/gateway/lifecycle",
        "/v1/gateway/providers?format=rss",
        "/v1/models?format=rss",
    ],
)
def test_nothing_but_feeds_is_open_to_everybody(url: str, team: Team) -> None:
    answer = Client().get(url)
    assert (answer.status_code, "acme" in answer.text) == (401, False)


def test_wrong_key_of_a_public_feed_is_told_so(team: Team) -> None:
    client = Client(headers={"authorization": "Bearer sk-gw-nobody"})
    assert client.get(FEEDS[0]).status_code == 401


@pytest.mark.parametrize("url", FEEDS)
def test_token_is_nowhere_in_the_answer(url: str, token: str) -> None:
    answer = Client().get(f"{url}&token={token}" + ("" if "ics" in url else "&limit=1"))
    assert token not in answer.content.decode() + str(answer.headers)
    assert "token=" not in answer.content.decode() + str(answer.headers)


def test_next_page_does_not_name_the_token(token: str) -> None:
    make_published("acme/two")
    answer = Client().get(f"/v1/gateway/models?format=rss&limit=1&token={token}")
    assert 'rel="next"' in answer["Link"]
    assert "token" not in answer["Link"]


@pytest.mark.parametrize(
    "url",
    [
        "/v1/gateway/models?",
        "/v1/gateway/models?format=json&",
        "/v1/gateway/models?format=json&feed=rss&",
        "/v1/gateway/models?format=pdf&",
        "/v1/gateway/changes?",
        "/v1/gateway/models/acme/one/history?",
    ],
)
def test_token_opens_nothing_but_feeds(url: str, token: str) -> None:
    answer = Client().get(f"{url}token={token}")
    assert (answer.status_code, answer.json()["code"]) == (401, "feed_key_required")


@pytest.mark.parametrize(
    "url", ["/v1/models?", "/v1/gateway/models/acme/one?", "/v1/gateway/providers?", "/v1/keys?"]
)
def test_other_addresses_take_no_token(url: str, token: str) -> None:
    assert Client().get(f"{url}format=rss&token={token}").status_code in {401, 403}


@pytest.mark.parametrize("scope", ["inference", "management"])
def test_costly_key_in_an_address_is_refused_with_the_way_out(team: Team, scope: str) -> None:
    _, text = make_key(team, scope=scope)
    answer = Client().get(f"/v1/gateway/models?format=rss&token={text}")
    said = answer.json()
    assert (answer.status_code, said["ok"], said["code"]) == (401, False, "feed_key_required")
    assert "Make one in the portal" in said["message"]
    assert text not in answer.content.decode()


def test_costly_key_in_an_address_is_refused_beside_a_good_one(team: Team, token: str) -> None:
    _, text = make_key(team)
    client = Client(headers={"authorization": f"Bearer {token}"})
    assert client.get(f"/v1/gateway/models?format=rss&token={text}").status_code == 401


@pytest.mark.parametrize("text", ["", "x", "sk-gw-nobody", "%00", "é"])
def test_text_that_is_no_key_is_refused(team: Team, text: str) -> None:
    answer = Client().get("/v1/gateway/models", {"format": "rss", "token": text})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_api_key")


def test_revoked_token_is_refused_at_once_even_for_what_is_kept(token: str) -> None:
    url = f"/v1/gateway/models?format=rss&token={token}"
    tag = Client().get(url)["ETag"]
    revoke_key(key=Key.objects.get())
    assert Client().get(url, headers={"if-none-match": tag}).status_code == 401


def test_token_counts_as_used(token: str) -> None:
    Client().get(f"/v1/gateway/models?format=rss&token={token}")
    touches.flush()
    assert Key.objects.get().last_used_at is not None


def test_feed_key_in_a_header_reads_the_catalogue(token: str) -> None:
    client = Client(headers={"authorization": f"Bearer {token}"})
    for url in ("/v1/gateway/models", "/v1/models", "/v1/gateway/changes", "/v1/gateway/lifecycle"):
        assert client.get(url).status_code == 200
    body = {"models": ["acme/one"]}
    assert client.post("/v1/gateway/lifecycle/check", body, "application/json").status_code == 200


@pytest.mark.parametrize("method", ["get", "post"])
def test_feed_key_manages_no_keys(token: str, method: str) -> None:
    client = Client(headers={"authorization": f"Bearer {token}"})
    answer = getattr(client, method)("/v1/keys")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "management_key_required")
    assert "key of scope feed" in answer.json()["error"]["message"]


def test_feed_key_is_issued_like_any_other(team: Team) -> None:
    _, manager = make_key(team, scope="management")
    client = Client(headers={"authorization": f"Bearer {manager}"})
    issued = client.post("/v1/keys", {"name": "reader", "scope": "feed"}, "application/json").json()
    assert issued["scope"] == "feed"
    assert Client().get(f"/v1/gateway/models?format=rss&token={issued['key']}").status_code == 200
    client.delete(f"/v1/keys/{issued['id']}")
    assert Client().get(f"/v1/gateway/models?format=rss&token={issued['key']}").status_code == 401
