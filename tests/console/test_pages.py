"""Every page of the console opens for who may, asks few things of SQL, and shows what people typed as text."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.console.world import REQUEST, World, make_world
from tests.pages import MOST_QUERIES

pytestmark = pytest.mark.django_db
ASKED = {"/team/requests/new": "kind=role", "/models/compare": "id=acme/one"}


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


def test_pages_ask_few_queries_and_show_hostile_texts_as_text(world: World) -> None:
    client, many, seen = world.client("owner"), {}, 0
    for address in world.pages():
        page = opened(client, address)
        if not page:
            continue
        seen += 1
        assert "<b class=probe" not in page, address
        assert "<img src=//evil" not in page, address
        assert "49</b>" not in page, address
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
