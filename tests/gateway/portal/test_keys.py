"""A team's keys in the portal: listed, created, shown once, revoked, and kept apart from other teams'."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.keys import digest_secret, read_key
from accounts.models import Key, Team
from accounts.services import revoke_key
from tests.make import make_entry, make_key, make_team, make_user

pytestmark = pytest.mark.django_db

KEY = re.compile(r"sk-gw-[0-9A-Za-z]{12}-[0-9A-Za-z]{38}")


@pytest.fixture
def team() -> Team:
    return make_team("atlas")


@pytest.fixture
def member(client: Client, team: Team) -> Client:
    client.force_login(make_user("mary", teams=[team], role="admin"))
    return client


def create(client: Client, team: Team, **fields: Any) -> str:
    """Fill the form and follow to the page after it."""
    data = {"name": "billing", "scopes": ["inference", "catalogue"], **fields}
    return client.post(f"/keys?team={team.slug}", data, follow=True).text


def test_new_key_is_shown_once(member: Client, team: Team) -> None:
    shown = KEY.findall(create(member, team))
    assert len(set(shown)) == 1
    assert not KEY.search(member.get("/keys?team=atlas").text)


def test_shown_key_is_the_one_that_works(member: Client, team: Team) -> None:
    text = KEY.findall(create(member, team))[0]
    shown = read_key(text)
    key = Key.objects.get()
    assert shown is not None
    assert shown.public_id == key.public_id
    assert digest_secret(shown.secret) == key.digest


def test_creating_a_key_answers_with_a_redirect_that_does_not_hold_it(member: Client, team: Team) -> None:
    response = member.post("/keys?team=atlas", {"name": "billing", "scopes": ["inference", "catalogue"]})
    assert (response.status_code, response.headers["Location"]) == (302, "/keys?team=atlas")
    assert "sk-gw-" not in str(response.headers) + response.cookies.output() + response.text


def test_secret_rests_in_the_session_sealed_and_only_until_it_is_shown(member: Client, team: Team) -> None:
    member.post("/keys?team=atlas", {"name": "billing", "scopes": ["inference", "catalogue"]})
    assert "sk-gw-" not in str(Session.objects.get().get_decoded())
    assert "new_key" in member.session
    member.get("/keys?team=atlas")
    assert "new_key" not in member.session


def test_asking_for_the_head_only_does_not_use_up_the_look(member: Client, team: Team) -> None:
    member.post("/keys?team=atlas", {"name": "billing", "scopes": ["inference", "catalogue"]})
    member.head("/keys?team=atlas")
    assert KEY.search(member.get("/keys?team=atlas").text)


def test_page_with_a_secret_is_kept_by_nobody(member: Client, team: Team) -> None:
    assert "no-store" in member.get("/keys").headers["Cache-Control"]


def test_code_in_three_languages_names_this_host_and_the_new_key(member: Client, team: Team) -> None:
    page = create(member, team)
    key = KEY.findall(page)[0]
    samples = re.findall(r'<pre id="sample-(\w+)"[^>]*>(.*?)</pre>', unescape(page), re.DOTALL)
    assert [language for language, _ in samples] == ["curl", "python", "node"]
    assert all("http://testserver/v1" in text and key in text for _, text in samples)


def test_new_feed_key_shows_addresses_that_work_once(member: Client, team: Team) -> None:
    page = create(member, team, scopes=["feed"])
    addresses = re.findall(r'<code id="feed-[a-z-]+" dir="ltr">http://testserver([^<]+)</code>', page)
    assert len(addresses) == 11
    for address in addresses:
        assert Client().get(address.replace("&amp;", "&")).status_code == 200
    assert "sample-curl" not in page
    assert not KEY.search(member.get("/team/feeds?team=atlas").text)


def test_key_of_another_scope_shows_no_address(member: Client, team: Team) -> None:
    assert "token=" not in create(member, team)


def test_terms_are_those_of_the_form(member: Client, team: Team) -> None:
    day = (timezone.now() + timedelta(days=30)).date()
    create(
        member,
        team,
        scopes=["inference", "catalogue", "usage", "management"],
        model_patterns="anthropic/*\r\n demo/chat, openai/*",
        requests_per_minute="60",
        concurrency="4",
        expires_on=str(day),
        regions="eu\nus",
        quantizations="bf16",
        zero_retention="on",
    )
    key = Key.objects.get()
    assert (key.regions, key.quantizations) == (["eu", "us"], ["bf16"])
    assert (key.zero_retention, key.no_data_collection) == (True, False)
    assert (key.scope, key.requests_per_minute, key.concurrency) == ("management", 60, 4)
    assert key.model_patterns == ["anthropic/*", "demo/chat", "openai/*"]
    assert key.expires_at == datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert key.created_by is not None
    assert key.created_by.username == "mary"


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("name", " ", "This field is required."),
        ("name", "tab\tinside", "Only printable characters."),
        ("name", "x" * 101, "at most 100 characters"),
        ("name", "nul\x00", "Null characters are not allowed."),
        ("scopes", "root", "Select a valid choice."),
        ("scopes", ["feed", "usage"], "feed stands alone"),
        ("scopes", [], "This field is required."),
        ("requests_per_minute", "0", "greater than or equal to 1"),
        ("concurrency", "many", "Enter a whole number."),
        ("expires_on", "2020-01-01", "This day has already begun."),
        ("regions", "EU", "each is written in lower case, such as eu"),
        ("quantizations", "FP8", "each is one lower-case word, such as fp8"),
        ("model_patterns", "a " * 101, "This list holds more than 100 patterns."),
    ],
)
def test_answer_that_cannot_be_taken_is_marked_at_its_field(
    member: Client, team: Team, field: str, value: str, complaint: str
) -> None:
    page = create(member, team, **{field: value})
    assert re.search(rf'id="id_{field}_error"[^>]*><li>[^<]*{re.escape(complaint)}', page)
    assert not Key.objects.exists()


def test_answers_are_still_there_after_an_error(member: Client, team: Team) -> None:
    page = create(member, team, name="", concurrency="4")
    assert 'name="concurrency" value="4"' in page
    assert "<details open>" in page


def test_key_of_the_team_is_listed_with_its_terms(member: Client, team: Team) -> None:
    key, _ = make_key(team, "nightly", requests_per_minute=1200, concurrency=3, model_patterns=["demo/*"])
    page = member.get("/keys").text
    for text in (
        "nightly",
        f"sk-gw-{key.public_id}-…",
        "1,200 requests a minute",
        "3 calls at once",
        "demo/*",
        "never",
    ):
        assert text in page


def test_last_use_is_relative_with_the_exact_instant_on_hover(member: Client, team: Team) -> None:
    key, _ = make_key(team)
    used = timezone.now() - timedelta(hours=3)
    Key.objects.filter(pk=key.pk).update(last_used_at=used)
    page = member.get("/keys").text.replace("\xa0", " ")
    assert re.search(rf'title="{used:%Y-%m-%d %H:%M:%S} UTC"[^>]*>3 hours ago</time>', page)


@pytest.mark.parametrize("state", ["active", "expired", "revoked"])
def test_status_is_always_a_word(member: Client, team: Team, state: str) -> None:
    key, _ = make_key(team)
    if state == "expired":
        Key.objects.filter(pk=key.pk).update(expires_at=timezone.now())
    if state == "revoked":
        revoke_key(key=key)
    assert f">{state}</span>" in member.get("/keys").text


def test_question_before_revoking_names_the_key_and_what_would_stop(member: Client, team: Team) -> None:
    key, _ = make_key(team, "nightly")
    page = member.get(f"/keys/{key.public_id}/revoke").text
    assert "Revoke “nightly”?" in page
    assert "never" in page
    assert "no call" in page
    assert Key.objects.get().revoked_at is None


def test_question_counts_calls_of_the_last_week_once_each(member: Client, team: Team) -> None:
    key, _ = make_key(team)
    for outcome in ("failed_over", "finished", "failed"):
        make_entry(key, outcome, started_at=timezone.now() - timedelta(days=1))
    make_entry(key, started_at=timezone.now() - timedelta(days=8))
    assert "2 calls" in member.get(f"/keys/{key.public_id}/revoke").text


def test_revoking_ends_the_key_and_says_so(member: Client, team: Team) -> None:
    key, _ = make_key(team, "nightly")
    response = member.post(f"/keys/{key.public_id}/revoke", follow=True)
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert "“nightly” is revoked." in response.text


def test_revoking_again_changes_nothing(member: Client, team: Team) -> None:
    key, _ = make_key(team)
    before = revoke_key(key=key).revoked_at
    assert "revoked already" in member.get(f"/keys/{key.public_id}/revoke", follow=True).text
    member.post(f"/keys/{key.public_id}/revoke")
    key.refresh_from_db()
    assert key.revoked_at == before


@pytest.mark.parametrize("method", ["get", "post"])
def test_key_of_another_team_is_not_there(member: Client, team: Team, method: str) -> None:
    key, _ = make_key(make_team("other"))
    assert getattr(member, method)(f"/keys/{key.public_id}/revoke").status_code == 404
    key.refresh_from_db()
    assert key.revoked_at is None


@pytest.mark.parametrize("method", ["get", "post"])
def test_another_team_is_not_there(member: Client, team: Team, method: str) -> None:
    other = make_team("other")
    response = getattr(member, method)(
        "/keys?team=other", {"name": "x", "scopes": ["inference", "catalogue"], "team": "other"}
    )
    assert response.status_code == 404
    assert not other.keys.exists()


def test_address_with_a_nul_is_refused(member: Client) -> None:
    assert member.get("/keys/a%00b/revoke").status_code == 400


def test_keys_of_other_teams_are_not_listed(member: Client, team: Team) -> None:
    make_key(make_team("other"), "secret plan")
    assert "secret plan" not in member.get("/keys").text


def test_member_of_several_teams_chooses_one_in_the_address(client: Client) -> None:
    teams = [make_team("atlas"), make_team("boreas")]
    client.force_login(make_user(teams=teams))
    assert client.get("/keys").headers["Location"] == "/keys?team=atlas"
    page = client.get("/keys?team=boreas").text
    assert "Keys of Boreas" in page
    assert 'href="/keys?team=atlas"' in page


def test_secret_is_shown_on_the_page_of_its_own_team_only(client: Client) -> None:
    teams = [make_team("atlas"), make_team("boreas")]
    client.force_login(make_user(teams=teams))
    client.post("/keys?team=boreas", {"name": "billing", "scopes": ["inference", "catalogue"]})
    assert not KEY.search(client.get("/keys?team=atlas").text)
    assert KEY.search(client.get("/keys?team=boreas").text)


def test_member_of_no_team_is_told_the_way_out(client: Client) -> None:
    client.force_login(make_user("newcomer"))
    assert "Ask an administrator" in client.get("/keys").text


def test_staff_of_no_team_are_led_to_the_teams(client: Client) -> None:
    client.force_login(make_user("boss", is_staff=True))
    assert "/admin/accounts/team/" in client.get("/keys").text


def test_team_without_keys_learns_what_a_key_is(member: Client) -> None:
    page = member.get("/keys").text
    assert "No keys yet" in page
    assert "curl http://testserver/v1/chat/completions" in page
    assert 'href="#create"' in page


def test_team_switched_off_creates_no_key_and_learns_why(member: Client, team: Team) -> None:
    make_key(team, "old one")
    Team.objects.update(is_active=False)
    page = member.get("/keys").text
    assert "switched off" in page
    assert "old one" in page
    create(member, team)
    assert Key.objects.count() == 1


def test_long_list_is_cut_into_pages(member: Client, team: Team) -> None:
    for number in range(51):
        make_key(team, f"key number {number}.")
    first, second = member.get("/keys?page=1").text, member.get("/keys?page=2").text
    assert "Page 1 of 2, 51 keys" in first
    assert "key number 50." in first
    assert "key number 0." in second


def test_list_costs_as_many_queries_for_many_keys_as_for_one(
    member: Client, team: Team, django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    for _ in range(10):
        make_key(team)
    member.get("/keys")
    with django_assert_max_num_queries(11):
        member.get("/keys")


def test_keys_are_searched_and_filtered_by_the_address(member: Client, team: Team) -> None:
    robot = team.service_accounts.create(slug="robot", name="Robot")
    nightly, _ = make_key(team, "nightly", service_account=robot)
    mine, _ = make_key(team, "mine", owner=team.memberships.get().user)
    over, _ = make_key(team, "over")
    revoke_key(key=over)
    names = {
        "q=NIGHT": {"nightly"},
        f"q=sk-gw-{mine.public_id[:6]}": {"mine"},
        f"q={nightly.public_id}": {"nightly"},
        "state=revoked": {"over"},
        "state=active": {"nightly", "mine"},
        "owner=mine": {"mine"},
        "owner=account:robot": {"nightly"},
        "owner=team": {"over"},
        "scope=feed": set(),
        "q=nightly&state=revoked": set(),
    }
    for query, wanted in names.items():
        page = member.get(f"/keys?team=atlas&{query}")
        assert {row.key.name for row, _ in page.context["rows"]} == wanted, query
    assert "No key of" in page.text


@pytest.mark.parametrize("query", ["state=odd", "owner=account:nobody", f"q={'x' * 101}"])
def test_filter_that_cannot_be_is_named_and_nothing_fails(member: Client, team: Team, query: str) -> None:
    make_key(team, "nightly")
    page = member.get(f"/keys?{query}")
    assert page.status_code == 200
    assert "errorlist" in page.text
