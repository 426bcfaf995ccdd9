"""Every page of the console opens for who may, asks few things of SQL, travels small, and shows texts as texts."""

import re
from urllib.parse import urljoin

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.console.world import REQUEST, World, make_world
from tests.pages import MOST_QUERIES

pytestmark = pytest.mark.django_db
ASKED = {"/team/requests/new": "kind=role", "/models/compare": "id=acme/one"}


MOST_BYTES = 60_000
"""Of a page with all that it loads, as it is sent."""
# What a page, a script and a style sheet load.
_LOADED = re.compile(r"""(?:(?:src|href)="|(?:from|import) ?"|url\("?)((?:/static/|\./|copy)[^")]+)""")


@pytest.fixture
def world() -> World:
    return make_world()


def opened(client: Client, address: str) -> str:
    """The page there; empty where there is none for a browser to open."""
    answer = client.get(f"{address}?{ASKED.get(address, '')}")
    assert answer.status_code in {200, 302, 401, 403, 404, 405}, (address, answer.status_code)
    is_html = answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
    # Parts of pages are asked for by scripts.
    return answer.text if is_html and answer.text.startswith("<!DOCTYPE html>") else ""


def weight(client: Client, address: str, seen: set[str]) -> int:
    """In bytes, with what is not among `seen` yet."""
    seen.add(address)
    answer = client.get(address, headers={"accept-encoding": "gzip"})
    plain = client.get(address)
    content, text = (
        b"".join(each) if each.streaming else each.content  # type: ignore[attr-defined]
        for each in (answer, plain)
    )
    loads = {urljoin(address, found) for found in _LOADED.findall(text.decode())} - seen
    return len(content) + sum(weight(client, each, seen) for each in loads if each not in seen)


def test_pages_travel_small(world: World) -> None:
    client, heavy = world.client("owner"), {}
    for address in world.pages():
        if opened(client, address):
            size = weight(client, f"{address}?{ASKED.get(address, '')}", set())
            if size > MOST_BYTES:
                heavy[address] = size
    assert heavy == {}


def test_pages_ask_few_queries_and_show_hostile_texts_as_text(world: World) -> None:
    client, many, seen = world.client("owner"), {}, 0
    for address in world.pages():
        page = opened(client, address)
        if not page:
            continue
        seen += 1
        assert "<b class=probe" not in page, address
        assert "<img src=//evil" not in page, address
        assert "5332114</b>" not in page, address
        with CaptureQueriesContext(connection) as asked:
            opened(client, address)
        if len(asked) > MOST_QUERIES:
            many[address] = len(asked)
    assert many == {}
    assert seen > 35


@pytest.mark.parametrize("who", ["admin", "member", "viewer", "support", "nobody"])
def test_no_page_fails_for_anybody(world: World, who: str) -> None:
    client = world.client(who)
    pages = [address for address in world.pages() if opened(client, address)]
    assert pages
    assert (f"/requests/{REQUEST}" in pages) == (who != "nobody")
