"""The page of feeds: addresses that work as they stand, narrowed as asked, and the keys that stand in them."""

import re
from html import unescape
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from accounts.models import Key, Membership, Team
from tests.make import make_key, make_published, make_team, make_user

pytestmark = pytest.mark.django_db
PAGE = "/team/feeds?team=atlas"
_ADDRESS = re.compile(r'<code id="feed-([a-z-]+)"[^>]*>http://testserver([^<]+)</code>')


@pytest.fixture
def team() -> Team:
    return make_team("atlas", name="Atlas")


@pytest.fixture
def mary(client: Client, team: Team) -> Client:
    client.force_login(make_user("mary", teams=[team]))
    return client


def addresses(page: str) -> dict[str, str]:
    return dict(_ADDRESS.findall(unescape(page)))


def test_addresses_of_an_open_catalogue_work_without_a_key(mary: Client) -> None:
    make_published("acme/one")
    page = mary.get(PAGE).text
    found = addresses(page)
    assert len(found) == 11
    assert {Client().get(address).status_code for address in found.values()} == {200}
    assert "token=" not in page
    assert "No feed keys yet" in page


def test_new_key_stands_in_all_of_them_once(mary: Client, settings: LazySettings) -> None:
    settings.PUBLIC_CATALOGUE = settings.STATUS_PAGE = "off"
    assert "token=sk-gw-YOUR-FEED-KEY" in mary.get(PAGE).text
    page = mary.post(PAGE, {"name": "my reader"}, follow=True).text
    key = Key.objects.get()
    assert (key.scope, key.owner, key.name) == ("feed", Membership.objects.get().user, "my reader")
    found = addresses(page)
    assert len(found) == 10
    assert all(key.public_id in address for address in found.values())
    assert {Client().get(address).status_code for address in found.values()} == {200}
    assert not any(key.public_id in address for address in addresses(mary.get(PAGE).text).values())


def test_addresses_are_narrowed_by_the_pages_own(mary: Client) -> None:
    make_published("acme/one", aliases=["one"])
    found = addresses(mary.get(f"{PAGE}&organisation=acme&model=one&kind=retired").text)
    assert found["gateway-changes-rss"].endswith("?organisation=acme&model=acme/one&kind=retired&format=rss")
    assert found["gateway-lifecycle-ics"].endswith("?organisation=acme&model=acme/one&format=ics")
    assert found["gateway-models-atom"].endswith("?organisation=acme&format=atom")
    assert {Client().get(address).status_code for address in found.values()} == {200}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("model=acme/gone", "There is no model"),
        ("organisation=x", "Select a valid choice"),
        ("kind=x", "valid choice"),
    ],
)
def test_what_they_cannot_be_narrowed_by_is_said(mary: Client, query: str, says: str) -> None:
    page = mary.get(f"{PAGE}&{query}").text
    assert says in page
    assert "?format=atom" in addresses(page)["gateway-changes-atom"]


def test_only_keys_of_feeds_are_listed_each_with_its_end(mary: Client, team: Team) -> None:
    mine = make_key(team, "calendar", scope=Key.Scope.FEED, owner=Membership.objects.get().user)[0]
    others = make_key(team, "deployment", scope=Key.Scope.FEED)[0]
    make_key(team, "for calls")
    page = mary.get(PAGE).text
    assert ("calendar" in page, "deployment" in page, "for calls" in page) == (True, True, False)
    ends = [f"/keys/{key.public_id}/revoke" in page for key in (mine, others)]
    assert ends == [True, False]


@pytest.mark.parametrize(("role", "status"), [("owner", 302), ("member", 302), ("viewer", 403)])
def test_viewers_look_and_make_none(client: Client, team: Team, role: str, status: int) -> None:
    client.force_login(make_user("mary", teams=[team], role=role))
    answer: Any = client.get(PAGE)
    assert answer.status_code == 200
    assert ("Make a feed key" in answer.text) == (status == 302)
    assert client.post(PAGE, {"name": "reader"}).status_code == status


def test_frozen_team_makes_none_and_is_told_why(mary: Client, team: Team) -> None:
    Team.objects.update(frozen_at="2026-01-01T00:00Z")
    assert "Atlas is frozen" in mary.post(PAGE, {"name": "reader"}).text
    assert not Key.objects.exists()
