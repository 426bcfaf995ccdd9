"""The admin's search: one box for everything, in the limits of what somebody may see."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import Key
from gateway.web.admin_search import rank_of
from tests.make import (
    make_entry,
    make_key,
    make_model,
    make_offering,
    make_provider,
    make_staff,
    make_team,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def key() -> Key:
    """Beside rows of every kind."""
    model = make_model("openai/gpt-5.1-mini", name="GPT-5.1 mini", aliases=["gpt-mini-latest"])
    make_offering(model, make_provider("groq", name="Groq Cloud"))
    make_model("openai/gpt-4o", name="GPT-4o")
    make_user("mary", email="mary@atlas.example")
    key, _ = make_key(make_team("atlas", name="Team Atlas"), "billing service")
    make_entry(key, request_id="req_019c0b7e", project="nightly")
    return key


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_staff("boss"))
    return client


def look_for(client: Client, text: str) -> Any:
    return client.get(f"/admin/search/?s={quote(text)}", follow=True)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("gpt5", "openai/gpt-5.1-mini"),
        ("GPT 5.1", "openai/gpt-5.1-mini"),
        ("5.1mini", "openai/gpt-5.1-mini"),
        ("mini-latest", "openai/gpt-5.1-mini"),
        ("openai/gpt", "openai/gpt-4o"),
        ("groq c", "Groq Cloud"),
        ("openai", "Openai</a>"),
        ("tlas", "Team Atlas"),
        ("mary@", "mary</a>"),
        ("bill", "billing service"),
        ("worklist", "/admin/catalogue/model/worklist/"),
    ],
)
def test_part_of_a_name_finds_it(staff: Client, key: Key, text: str, title: str) -> None:
    assert title in look_for(staff, text).text.partition('<div class="staff-page">')[2]


@pytest.mark.parametrize(
    ("find", "page"),
    [
        (lambda _: "openai/gpt-4o", "/admin/catalogue/model/"),
        (lambda _: "groq", "/admin/providers/provider/"),
        (lambda key: key.public_id, "/admin/accounts/key/"),
        (lambda key: f"sk-gw-{key.public_id}-…", "/admin/accounts/key/"),
        (lambda _: "req_019c0b7e", "/admin/accounts/ledgerentry/?q=req_019c0b7e"),
        (lambda key: str(key.ledger_entries.get().call_id), "/admin/accounts/ledgerentry/?q="),
        (lambda _: "nightly", "/admin/accounts/ledgerentry/?q=nightly"),
    ],
)
def test_very_name_of_one_thing_leads_straight_to_it(
    staff: Client, key: Key, find: Callable[[Key], str], page: str
) -> None:
    answer = staff.get(f"/admin/search/?s={quote(find(key))}")
    assert answer.status_code == 302
    assert answer["Location"].startswith(page)


@pytest.mark.parametrize("before", ["", "sk-gw-"])
@pytest.mark.parametrize(("letters", "is_found"), [(3, False), (4, True), (11, True)])
def test_key_is_found_by_four_letters_that_it_begins_with(
    staff: Client, key: Key, before: str, letters: int, is_found: bool
) -> None:
    Key.objects.filter(pk=key.pk).update(public_id="Zq7XkLmN2pQr")
    found = "billing service" in look_for(staff, before + "Zq7XkLmN2pQr"[:letters]).text
    assert found == is_found


def test_nearest_name_comes_first(staff: Client) -> None:
    for slug in ("one-b", "one", "my-one"):
        make_model(f"acme/{slug}", name=slug.title())
    text = look_for(staff, "ONE").text
    assert text.index("acme/one</a>") < text.index("acme/one-b</a>") < text.index("acme/my-one</a>")


@pytest.mark.parametrize(
    ("text", "name", "rank"),
    [
        ("gpt-5", "gpt-5", 0),
        ("GPT-5", "gpt-5", 1),
        ("gpt5", "gpt-5", 2),
        ("gp", "gpt-5", 3),
        ("t5", "gpt-5", 4),
        ("gpt-6", "gpt-5", None),
        ("-", "gpt-5", None),
        ("", "gpt-5", None),
    ],
)
def test_rank_tells_how_near_a_name_is(text: str, name: str, rank: int | None) -> None:
    assert rank_of(text, [name]) == rank


@pytest.mark.parametrize("text", ["", "x", "nowhere", "%", "'", "<z>", "é" * 900])
def test_what_finds_nothing_is_told_what_can_be_looked_for(staff: Client, key: Key, text: str) -> None:
    answer = look_for(staff, text)
    assert (answer.status_code, "A part of a name is enough" in answer.text) == (200, True)


@pytest.mark.parametrize(
    ("right", "text", "seen"),
    [
        ("view_model", "gpt", True),
        ("view_provider", "gpt", False),
        ("view_key", "billing", True),
        ("view_team", "billing", False),
        ("view_ledgerentry", "req_019c0b7e", True),
        ("view_key", "req_019c0b7e", False),
        ("", "atlas", False),
        ("", "worklist", False),
    ],
)
def test_each_finds_what_they_may_view(client: Client, key: Key, right: str, text: str, seen: bool) -> None:
    person = make_user("narrow", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename=right))
    client.force_login(person)
    assert ("A part of a name is enough" not in look_for(client, text).text) == seen


def test_who_is_no_staff_is_asked_to_sign_in(client: Client) -> None:
    client.force_login(make_user("mary"))
    assert client.get("/admin/search/?s=gpt")["Location"].startswith("/admin/login/")


def test_search_asks_as_many_queries_for_many_rows_as_for_one(
    staff: Client, django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    team = make_team("one")
    for number in range(30):
        make_model(f"acme/one-{number}")
        make_key(team, f"one {number}")
    # The first page lists the session, which takes queries of its own.
    look_for(staff, "one")
    with django_assert_max_num_queries(16):
        assert "No more than 20 of a kind" in look_for(staff, "one").text
