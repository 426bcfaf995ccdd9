"""Who may look at the catalogue's pages, and where links to them are."""

import pytest
from django.conf import LazySettings
from django.test import Client

from gateway.boot.greeting import ready_text
from tests.make import make_team, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]

PAGES = ["/models", "/models/acme/big", "/models/compare", "/models/retirements"]
LINK = 'href="/models"'


@pytest.mark.parametrize("page", PAGES)
def test_everybody_may_look_unless_told_otherwise(client: Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 200
    assert LINK in answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
def test_switched_off_there_is_nothing(client: Client, settings: LazySettings, page: str) -> None:
    settings.PUBLIC_CATALOGUE = "off"
    client.force_login(make_user())
    assert client.get(page).status_code == 404


def test_who_must_sign_in_comes_back_to_the_same_list(client: Client, settings: LazySettings) -> None:
    settings.PUBLIC_CATALOGUE = "signed-in"
    make_user("mary")
    answer = client.get("/models?organisation=acme&q=big")
    assert answer["Location"] == "/sign-in?next=/models%3Forganisation%3Dacme%26q%3Dbig"
    sent = {"username": "mary", "password": "password", "next": "/models?organisation=acme&q=big"}
    assert client.post("/sign-in", sent)["Location"] == "/models?organisation=acme&q=big"
    assert client.get("/models").status_code == 200


def test_portal_links_to_it_only_for_those_who_may_look(client: Client, settings: LazySettings) -> None:
    assert LINK in client.get("/sign-in").content.decode()
    settings.PUBLIC_CATALOGUE = "signed-in"
    assert LINK not in client.get("/sign-in").content.decode()
    client.force_login(make_user(teams=[make_team()]))
    assert 'href="/models?team=' in client.get("/keys").content.decode()
    settings.PUBLIC_CATALOGUE = "off"
    assert 'href="/models' not in client.get("/keys").content.decode()


def test_greeting_says_where_it_is(settings: LazySettings) -> None:
    assert "http://here/models\n" in ready_text("http://here", None)
    settings.PUBLIC_CATALOGUE = "off"
    assert "/models\n" not in ready_text("http://here", None)


@pytest.mark.parametrize("page", PAGES)
def test_pages_only_read(client: Client, page: str) -> None:
    assert client.post(page).status_code == 405


@pytest.mark.parametrize("page", PAGES)
def test_pages_carry_the_strict_policy_and_nothing_inline(client: Client, page: str) -> None:
    answer = client.get(page)
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert " style=" not in answer.content.decode()
