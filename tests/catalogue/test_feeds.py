"""Feeds as readers meet them: RSS 2.0, Atom and JSON Feed of models, changes and lives."""

from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser
import pytest
from django.test import Client
from django.utils import timezone

from catalogue.models import Model
from catalogue.publishing.editions import publish
from tests.catalogue.atom_rules import complaints
from tests.make import make_key, make_published

pytestmark = pytest.mark.django_db
ROUTES = ("/v1/gateway/models", "/v1/gateway/changes", "/v1/gateway/lifecycle")
TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "jsonfeed": "application/feed+json; charset=utf-8",
}
each_route = pytest.mark.parametrize("route", ROUTES)
each_xml = pytest.mark.parametrize("form", ["rss", "atom"])
NASTY_NAME = "<b>Bold & “quoted”</b> \U0001f680"
NASTY = f"{NASTY_NAME} \x07"


@pytest.fixture
def client() -> Client:
    return Client(headers={"authorization": f"Bearer {make_key()[1]}"})


@pytest.fixture(autouse=True)
def catalogue() -> None:
    make_published(
        "acme/two", name=NASTY_NAME, description=NASTY, release_at=datetime(2026, 2, 1, tzinfo=UTC)
    )
    make_published(
        "acme/one",
        release_at=datetime(2026, 1, 1, tzinfo=UTC),
        deprecation_at=timezone.now() - timedelta(days=3),
        retirement_at=datetime(2099, 1, 1, tzinfo=UTC),
    )


def parsed(client: Client, url: str) -> Any:
    answer = client.get(url)
    assert answer.status_code == 200, answer.content
    feed = feedparser.parse(answer.content, response_headers={"content-type": answer["Content-Type"]})
    assert not feed.bozo, feed.get("bozo_exception")
    return feed


@each_route
@pytest.mark.parametrize("form", TYPES)
def test_feed_has_its_media_type(client: Client, route: str, form: str) -> None:
    assert client.get(f"{route}?format={form}")["Content-Type"] == TYPES[form]


@each_route
@each_xml
def test_reader_understands_it(client: Client, route: str, form: str) -> None:
    feed = parsed(client, f"{route}?format={form}")
    assert feed.version == {"rss": "rss20", "atom": "atom10"}[form]
    assert len(feed.entries) >= 2
    for entry in feed.entries:
        assert entry.title
        assert entry.link.startswith("http://testserver/models/acme/")
        assert entry.id.startswith("urn:uuid:")
        assert entry.tags


@each_route
def test_atom_keeps_the_rules(client: Client, route: str) -> None:
    assert complaints(client.get(f"{route}?format=atom").content) == []
    assert complaints(client.get(f"{route}?format=atom&organisation=z-ai").content) == []


@each_route
def test_json_feed_has_what_its_version_asks(client: Client, route: str) -> None:
    feed = client.get(f"{route}?format=jsonfeed").json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == f"http://testserver{route}?format=jsonfeed"
    assert {type(item["id"]) for item in feed["items"]} == {str}
    assert all(
        item["content_text"] and datetime.fromisoformat(item["date_modified"]).tzinfo
        for item in feed["items"]
    )


@each_xml
def test_texts_survive_and_cannot_be_markup(client: Client, form: str) -> None:
    first = parsed(client, f"/v1/gateway/models?format={form}").entries[0]
    assert first.title.startswith("<b>Bold & “quoted”</b>") or "Bold &" in first.title
    assert "\U0001f680" in first.title
    assert "<b>" not in first.summary


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("", 2),
        ("limit=1", 1),
        ("offset=1", 1),
        ("organisation=z-ai", 0),
        ("q=one", 1),
        ("status=deprecated", 1),
        ("sort=name&limit=250", 2),
    ],
)
def test_filters_paging_and_order_of_the_list_apply(client: Client, query: str, titles: int) -> None:
    feed = parsed(client, f"/v1/gateway/models?format=atom&{query}")
    listed = client.get(f"/v1/gateway/models?{query}").json()["models"]
    assert [entry.link.partition("/models/")[2] for entry in feed.entries] == [
        model["id"] for model in listed
    ]
    assert len(feed.entries) == titles


@pytest.mark.parametrize(
    "query", ["limit=251", "limit=0", "offset=5001", "fields=id", "format=atom&format=rss"]
)
def test_bounds_of_the_list_hold_for_its_feeds(client: Client, query: str) -> None:
    assert client.get(f"/v1/gateway/models?format=rss&{query}").status_code == 400


@pytest.mark.parametrize(
    ("query", "form"),
    [("feed=rss", "rss"), ("feed=atom&format=rss", "rss"), ("feed=rss&format=atom", "atom")],
)
def test_format_wins_over_feed(client: Client, query: str, form: str) -> None:
    assert client.get(f"/v1/gateway/models?{query}")["Content-Type"] == TYPES[form]


def test_format_json_wins_over_feed(client: Client) -> None:
    assert client.get("/v1/gateway/models?feed=rss&format=json").json()["ok"] is True


@each_route
@each_xml
def test_self_link_keeps_its_query(client: Client, route: str, form: str) -> None:
    links = parsed(client, f"{route}?format={form}&organisation=acme").feed.links
    (own,) = [link.href for link in links if link.rel == "self"]
    assert own == f"http://testserver{route}?format={form}&organisation=acme"
    assert f"http://testserver{route}?organisation=acme" in [
        link.href for link in links if link.rel == "alternate"
    ]


def test_release_is_published_and_last_date_is_updated(client: Client) -> None:
    by_id = {entry.link[-8:]: entry for entry in parsed(client, "/v1/gateway/models?format=atom").entries}
    assert by_id["acme/one"].published.startswith("2026-01-01")
    assert by_id["acme/one"].updated >= by_id["acme/two"].updated
    assert parsed(client, "/v1/gateway/models?format=rss").entries[0].published.startswith("Sun, 01 Feb 2026")


def test_date_that_comes_updates_the_entry_of_its_model(client: Client) -> None:
    at = datetime(2099, 1, 1, tzinfo=UTC)
    Model.objects.filter(public_id="acme/two").update(deprecation_at=at)
    publish(Model.objects.all())
    first, second = (
        {e.id: e for e in parsed(client, f"/v1/gateway/models?format=atom&as_of={when}&q=two").entries}
        for when in ("2098-12-31", "2099-01-01")
    )
    (id_,) = set(first) & set(second)
    assert (first[id_].updated < "2099", second[id_].updated) == (True, "2099-01-01T00:00:00+00:00")
    assert "deprecated since 2099-01-01" in second[id_].summary


def test_edition_updates_the_entry_under_the_same_id(client: Client) -> None:
    before = {entry.id: entry.updated for entry in parsed(client, "/v1/gateway/models?format=atom").entries}
    Model.objects.filter(public_id="acme/two").update(description="New.")
    publish(Model.objects.all())
    after = {entry.id: entry.updated for entry in parsed(client, "/v1/gateway/models?format=atom").entries}
    assert before.keys() == after.keys()
    assert sum(after[id_] > before[id_] for id_ in after) == 1


def test_changes_are_entries_under_their_ids(client: Client) -> None:
    feed = parsed(client, "/v1/gateway/changes?format=atom")
    told = client.get("/v1/gateway/changes").json()["changes"]
    assert [entry.id for entry in feed.entries] == [change["id"] for change in told]
    assert [entry.tags[0].term for entry in feed.entries] == [change["kind"] for change in told]


def test_dates_of_a_life_are_entries_of_it(client: Client) -> None:
    titles = {
        entry.title for entry in parsed(client, "/v1/gateway/lifecycle?format=rss&model=acme/one").entries
    }
    assert len(titles) == 2
    assert "One will be retired on 2099-01-01" in titles


@each_route
@each_xml
def test_feed_is_not_sent_twice(client: Client, route: str, form: str) -> None:
    first = client.get(f"{route}?format={form}")
    again = client.get(f"{route}?format={form}", headers={"if-none-match": first["ETag"]})
    assert again.status_code == 304
    assert {"Authorization", "X-Api-Key"} <= {name.strip() for name in first["Vary"].split(",")}
    assert client.get(f"{route}?format={form}").content == first.content


@each_route
def test_reader_that_accepts_feeds_only_is_served(client: Client, route: str) -> None:
    answer = client.get(f"{route}?format=rss", headers={"accept": "application/rss+xml"})
    assert answer.status_code == 200


def test_next_page_is_named_in_a_header(client: Client) -> None:
    link = client.get("/v1/gateway/models?format=atom&limit=1")["Link"]
    assert 'rel="next"' in link
    assert "format=atom" in link
