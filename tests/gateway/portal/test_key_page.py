"""A key's page in the portal: its terms changed, what it may call, its last calls, and code to call it with."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Key, LedgerEntry, Team
from accounts.policies import LifecyclePolicy
from accounts.services import OVERLAP, revoke_key, rotate_key
from gateway.portal.keys.calls import SHOWN
from gateway.server.front import read_public_url
from tests.make import (
    make_entry,
    make_key,
    make_model,
    make_offering,
    make_published,
    make_team,
    make_user,
    publish_all,
)
from tests.pages import MOST_QUERIES

pytestmark = pytest.mark.django_db
# Browsers leave a field for a day empty whose value is written in any other way.
_A_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@pytest.fixture
def team() -> Team:
    return make_team("atlas")


@pytest.fixture
def key(team: Team) -> Key:
    terms: Any = {"requests_per_minute": 60, "concurrency": 3, "model_patterns": ["acme/*", "demo/chat"]}
    return make_key(team, "nightly", expires_at=datetime(2031, 5, 1, 15, 30, tzinfo=UTC), **terms)[0]


@pytest.fixture
def member(client: Client, team: Team) -> Client:
    client.force_login(make_user("mary", teams=[team], role="admin"))
    return client


def address(key: Key) -> str:
    return f"/keys/{key.public_id}"


def shown_form(client: Client, key: Key) -> dict[str, str]:
    """What a browser would send of the page as it stands, with what it remembers of what was shown."""
    page = unescape(client.get(address(key)).text)
    inputs = re.findall(r'<input type="(\w+)" name="([\w-]+)"(?: value="([^"]*)")?', page)
    fields = {name: value for kind, name, value in inputs if kind != "date" or _A_DAY.fullmatch(value)}
    fields["model_patterns"] = re.findall(r"<textarea[^>]*>\s*([^<]*)</textarea>", page)[0]
    return {name: value for name, value in fields.items() if name != "csrfmiddlewaretoken"}


def change(client: Client, key: Key, **answers: str) -> Any:
    return client.post(address(key), shown_form(client, key) | answers, follow=True)


def test_name_in_the_list_leads_to_the_page(member: Client, key: Key) -> None:
    assert f'<a href="{address(key)}"><bdi>nightly</bdi></a>' in member.get("/keys").text


def test_every_term_of_the_page_can_be_changed(member: Client, key: Key) -> None:
    answers = {"name": "weekly", "model_patterns": "acme/one", "requests_per_minute": "5", "concurrency": ""}
    page = change(member, key, **answers, expires_on="2032-01-02").text
    key.refresh_from_db()
    assert (key.name, key.model_patterns) == ("weekly", ["acme/one"])
    assert (key.requests_per_minute, key.concurrency) == (5, None)
    assert key.expires_at == datetime(2032, 1, 2, tzinfo=UTC)
    assert "“weekly” is changed." in page


def test_change_is_told_to_every_process(member: Client, key: Key) -> None:
    before = key.revision
    change(member, key, name="weekly")
    key.refresh_from_db()
    assert key.revision > before


def test_what_was_left_alone_stays_to_the_second(member: Client, key: Key) -> None:
    before = key.expires_at
    change(member, key, name="weekly")
    key.refresh_from_db()
    assert (key.expires_at, key.model_patterns) == (before, ["acme/*", "demo/chat"])


def test_change_does_not_undo_what_somebody_else_changed_meanwhile(member: Client, key: Key) -> None:
    form = shown_form(member, key)
    change(member, key, requests_per_minute="7")
    member.post(address(key), form | {"name": "weekly"})
    key.refresh_from_db()
    assert (key.name, key.requests_per_minute) == ("weekly", 7)


def test_expired_key_keeps_its_date_and_may_be_given_a_later_one(member: Client, key: Key) -> None:
    past = timezone.now() - timedelta(days=3)
    Key.objects.update(expires_at=past)
    assert "is changed." in change(member, key, name="weekly").text
    change(member, key, expires_on="2032-01-02")
    key.refresh_from_db()
    assert key.state_at(timezone.now()) is Key.State.ACTIVE


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("name", "", "This field is required."),
        ("requests_per_minute", "0", "greater than or equal to 1"),
        ("requests_per_minute", "1000001", "less than or equal to 1000000"),
        ("concurrency", "many", "Enter a whole number."),
        ("expires_on", "2020-01-01", "This day has already begun."),
        ("model_patterns", "a " * 101, "This list holds more than 100 patterns."),
        ("model_patterns", "x" * 201, "This list holds"),
    ],
)
def test_change_obeys_the_limits_of_creation(
    member: Client, key: Key, field: str, value: str, complaint: str
) -> None:
    before = Key.objects.values().get()
    page = change(member, key, **{field: value}).text
    assert re.search(rf'id="id_{field}_error"[^>]*><li>[^<]*{re.escape(complaint)}', page)
    assert Key.objects.values().get() == before


def test_change_is_in_the_audit_with_who_and_what(member: Client, key: Key) -> None:
    change(member, key, requests_per_minute="5")
    entry = AuditEntry.objects.filter(page=f"accounts.key/{key.pk}").latest("id")
    assert (entry.actor.username, entry.changes) == ("mary", {"amount": [60, 5]})


def test_revoked_key_cannot_be_changed(member: Client, key: Key) -> None:
    form = shown_form(member, key)
    revoke_key(key=key)
    assert "This key is revoked" in member.post(address(key), form | {"name": "weekly"}).text
    assert Key.objects.get().name == "nightly"


def test_revoked_key_is_shown_without_a_form(member: Client, key: Key) -> None:
    revoke_key(key=key)
    page = member.get(address(key)).text
    assert "A revoked key stays as it was" in page
    assert 'name="name"' not in page


def test_key_of_a_team_that_is_switched_off_cannot_be_changed(member: Client, key: Key) -> None:
    form = shown_form(member, key)
    Team.objects.update(is_active=False)
    assert "is switched off" in member.post(address(key), form | {"name": "weekly"}).text
    assert Key.objects.get().name == "nightly"


@pytest.mark.parametrize("method", ["get", "head", "post"])
@pytest.mark.parametrize("public_id", ["other", "unknown00000", "ä", "a'b"])
def test_what_is_not_ones_own_is_not_there(member: Client, method: str, public_id: str) -> None:
    other, _ = make_key(make_team("other"))
    name = other.public_id if public_id == "other" else public_id
    assert getattr(member, method)(f"/keys/{name}", {"name": "mine"}).status_code == 404
    assert Key.objects.get().name == "test"


def test_stranger_is_asked_to_sign_in_first(client: Client, key: Key) -> None:
    assert client.get(address(key)).headers["Location"] == f"/sign-in?next={address(key)}"


def permitted(page: str) -> list[str]:
    names = re.search(r'<ul class="names">(.*?)</ul>', page, re.DOTALL)
    return re.findall(r"<code>([^<]+)</code>", names[1]) if names else []


def test_models_are_those_that_the_list_for_programs_has(member: Client, team: Team) -> None:
    for name in ("acme/one", "acme/two", "zeta/one"):
        make_published(name)
    key, text = make_key(team, model_patterns=["acme/*"])
    listed = Client().get("/v1/models", headers={"Authorization": f"Bearer {text}"}).json()["data"]
    assert permitted(member.get(address(key)).text) == [each["id"] for each in listed]
    assert {each["id"] for each in listed} == {"acme/one", "acme/two"}


@pytest.mark.parametrize(
    ("patterns", "query"),
    [
        ([], "?availability=active"),
        (["acme/*"], "?organisation=acme&availability=active"),
        (["zeta/*", "acme/*"], "?organisation=acme&organisation=zeta&availability=active"),
        (["acme/*", "gone/*"], "?organisation=acme&availability=active"),
        (["acme/one"], None),
        (["acme/o*"], None),
        (["*"], None),
        (["gone/*"], None),
    ],
)
def test_catalogue_is_linked_where_it_can_list_the_same(
    member: Client, team: Team, patterns: list[str], query: str | None
) -> None:
    make_published("acme/one")
    make_published("zeta/one")
    key, _ = make_key(team, model_patterns=patterns)
    page = unescape(member.get(address(key)).text)
    links = re.findall(r'href="/models(\?[^"]+)">See them in the catalogue', page)
    assert links == ([query] if query else [])
    if query:
        shown = re.findall(r'id="tick-([^"]+)"', member.get(f"/models{query}").text)
        assert sorted(shown) == sorted(permitted(page))


def test_deprecated_models_are_left_out_where_the_team_blocks_them(member: Client, team: Team) -> None:
    make_published("acme/new")
    make_published("acme/old", deprecation_at=datetime(2026, 1, 1, tzinfo=UTC))
    key, _ = make_key(team)
    assert permitted(member.get(address(key)).text) == ["acme/new", "acme/old"]
    Team.objects.update(lifecycle_policy=LifecyclePolicy.BLOCK)
    page = unescape(member.get(address(key)).text)
    assert permitted(page) == ["acme/new"]
    assert "/models?availability=active&status=active" in page


def test_key_that_fits_nothing_is_told_so(member: Client, key: Key) -> None:
    page = unescape(member.get(address(key)).text)
    assert "no model that can be called here matches" in page
    assert "No model matches 'acme/*' now." in page


def test_code_has_a_place_for_the_key_and_this_host(member: Client, key: Key) -> None:
    samples = re.findall(r'<pre id="sample-\w+"[^>]*>(.*?)</pre>', member.get(address(key)).text, re.DOTALL)
    assert len(samples) == 3
    assert all("http://testserver/v1" in text and "sk-gw-YOUR-KEY" in text for text in samples)


def test_code_names_the_address_that_people_know(member: Client, key: Key, settings: LazySettings) -> None:
    settings.PUBLIC_URL = read_public_url("https://gateway.example")
    samples = re.findall(r'<pre id="sample-\w+"[^>]*>(.*?)</pre>', member.get(address(key)).text, re.DOTALL)
    assert all("https://gateway.example/v1" in text for text in samples)


def test_code_of_a_key_for_embeddings_embeds(member: Client, team: Team) -> None:
    model = make_model("acme/embed", output_types=["embedding"])
    make_offering(model, endpoints=["embeddings"])
    publish_all()
    key, _ = make_key(team)
    page = unescape(member.get(address(key)).text)
    assert 'client.embeddings.create(model="acme/embed"' in page


def test_feed_key_has_neither_models_nor_calls_nor_code(member: Client, team: Team) -> None:
    key, _ = make_key(team, scope="feed")
    page = member.get(address(key)).text
    assert not any(f'id="{part}"' in page for part in ("models", "calls", "code"))


def rows(page: str) -> list[str]:
    table = re.search(r'<table class="calls">.*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    return re.findall(r"<tr>(.*?)</tr>", table[1], re.DOTALL) if table else []


def test_last_calls_are_told_with_id_outcome_tokens_and_cost(member: Client, key: Key) -> None:
    make_entry(
        key,
        request_id="req_1",
        outcome=LedgerEntry.Outcome.CUT,
        error_code="provider_truncated",
        input_tokens=1200,
        output_tokens=0,
        cost_usd="0.0000123456",
        latency_ms=1234.567,
    )
    (row,) = rows(member.get(address(key)).text)
    for text in (
        ">req_1</code>",
        "cut by the provider",
        "provider_truncated",
        ">1,200</td>",
        ">0</td>",
        "$0.00001235",
        "0.0000123456 USD",
        "1.23 s",
    ):
        assert text in row


def test_call_on_the_teams_own_provider_key_says_so(member: Client, key: Key) -> None:
    make_entry(key)
    assert "own key" not in member.get(f"/keys/{key.public_id}").text
    make_entry(key, own_credential_id=7, own_cost_usd="0.25")
    page = member.get(f"/keys/{key.public_id}").text
    assert "Here it would have cost $0.25." in page
    assert page.count(">own key<") == 1


def test_call_is_told_once_however_many_offerings_it_needed(member: Client, key: Key) -> None:
    make_entry(key, request_id="req_1", outcome="failed_over", number=1)
    make_entry(key, request_id="req_1", outcome="finished", number=2)
    (row,) = rows(member.get(address(key)).text)
    assert "at attempt 2" in row


def test_last_calls_are_those_of_the_lineage(member: Client, key: Key) -> None:
    now = timezone.now()
    new, _ = rotate_key(key=key, overlap=OVERLAP)
    newest, _ = rotate_key(key=new, overlap=OVERLAP)
    for place, each in enumerate((newest, key, new, newest)):
        make_entry(each, request_id=f"req_{place}", started_at=now - timedelta(seconds=place))
    for each, others in ((new, ("0", "1", "3")), (key, ("0", "2", "3"))):
        told = rows(member.get(address(each)).text)
        assert [re.findall(r">req_(\d)<", row)[0] for row in told] == ["0", "1", "2", "3"]
        assert [row for row in told if "with sk-gw-" in row] == [told[int(place)] for place in others]
    assert f"with sk-gw-{key.public_id}-…" in rows(member.get(address(new)).text)[1]


def test_last_calls_are_the_newest_of_this_key_alone(member: Client, team: Team, key: Key) -> None:
    now = timezone.now()
    other, _ = make_key(team)
    make_entry(other, request_id="req_other")
    for number in range(SHOWN + 1):
        make_entry(key, request_id=f"req_{number}", started_at=now - timedelta(seconds=number))
    shown = re.findall(r">(req_\w+)</code>", member.get(address(key)).text)
    assert shown == [f"req_{number}" for number in range(SHOWN)]


def test_page_asks_as_many_queries_for_many_calls_as_for_none(
    member: Client, key: Key, django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    make_published("acme/one")
    for _ in range(20):
        make_entry(key)
    member.get(address(key))
    with django_assert_max_num_queries(MOST_QUERIES):
        member.get(address(key))
