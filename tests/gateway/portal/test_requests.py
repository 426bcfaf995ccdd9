"""The log of a team's requests, and the page of one."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts.attempts import hash_end_user
from accounts.booking import refund
from accounts.calls.filters import FILTERS
from accounts.models import Key, LedgerEntry, RoutingNote, RoutingPlan, Team
from tests.make import make_entry, make_key, make_membership, make_team, make_user

pytestmark = pytest.mark.django_db
TEXT = "<script>alert(1)</script>"
RTL = "\u05e9\u05dc\u05d5\u05dd"


@pytest.fixture
def atlas() -> Team:
    return make_team("atlas", name="Atlas")


@pytest.fixture
def key(atlas: Team) -> Key:
    return make_key(atlas, "billing")[0]


@pytest.fixture
def page(client: Client, atlas: Team) -> Client:
    client.force_login(make_user("mary", teams=[atlas]))
    return client


def make_call(key: Key, name: str = "req_1", **fields: Any) -> LedgerEntry:
    return make_entry(
        key, **{"request_id": name, "call_id": uuid4(), "endpoint": "chat.completions"} | fields
    )


def make_failed_over(key: Key, name: str = "req_1") -> LedgerEntry:
    call_id, at = uuid4(), timezone.now()
    shared: dict[str, Any] = {"call_id": call_id, "surface": "openai", "is_streamed": True}
    first = shared | {
        "outcome": "failed_over",
        "provider": "slow",
        "status": 429,
        "error_code": "rate_limited",
    }
    make_call(key, name, **first, number=1, started_at=at, latency_ms=80.0)
    last = shared | {
        "provider": "fast",
        "number": 2,
        "status": 200,
        "latency_ms": 1900.0,
        "first_token_ms": 310.0,
    }
    return make_call(
        key,
        name,
        **last,
        started_at=at + timedelta(milliseconds=100),
        input_tokens=1234,
        output_tokens=9,
        cost_usd=Decimal("0.5"),
        charge_usd=Decimal("0.5"),
    )


def test_row_tells_a_call_once_with_what_it_was_failed_over_from(page: Client, key: Key) -> None:
    entry = make_failed_over(key)
    refund(entry=entry, amount_usd=Decimal("0.2"), note="cut")
    text = page.get("/requests").text
    assert text.count('href="/requests/req_1"') == 1
    for told in ("failed over from <bdi>slow: 429 rate_limited", "1,234", "410 ms", "2.00 s", "$0.30"):
        assert told in text


def test_rows_of_other_teams_are_not_there(page: Client, key: Key) -> None:
    make_call(make_key(make_team("other"))[0], "req_theirs")
    make_call(key)
    text = page.get("/requests").text
    assert "req_1" in text
    assert "req_theirs" not in text
    assert page.get("/requests?team=other").status_code == 404
    assert page.get("/requests/req_theirs").status_code == 404
    assert page.get("/requests?q=req_theirs").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("model=acme/one", {"req_1"}),
        ("model=acme/one,acme/two", {"req_1", "req_2"}),
        ("provider=other", {"req_2"}),
        ("status=5xx", {"req_2"}),
        ("status=200", {"req_1"}),
        ("error=provider_error", {"req_2"}),
        ("outcome=failed", {"req_2"}),
        ("streamed=yes", {"req_2"}),
        ("own=yes", {"req_2"}),
        ("project=blue", {"req_2"}),
        ("end_user=ann", {"req_2"}),
        ("min_cost=0.5", {"req_2"}),
        ("min_latency=500", {"req_2"}),
        ("surface=anthropic", {"req_2"}),
        ("endpoint=messages", {"req_2"}),
        ("failed_over=no", {"req_1", "req_2"}),
        ("member=mary", {"req_2"}),
        ("period=1h", {"req_1", "req_2"}),
        ("until=2020-01-01", set()),
        ("member=mary&model=acme/one", set()),
    ],
)
def test_each_filter_narrows(page: Client, atlas: Team, key: Key, query: str, found: set[str]) -> None:
    member = atlas.memberships.get()
    make_call(key, "req_1", status=200, latency_ms=10.0)
    make_call(
        key,
        "req_2",
        outcome="failed",
        model="acme/two",
        provider="other",
        status=503,
        error_code="provider_error",
        is_streamed=True,
        own_credential_id=1,
        project="blue",
        end_user=hash_end_user(atlas.pk, "ann"),
        cost_usd=Decimal("0.5"),
        latency_ms=500.0,
        surface="anthropic",
        endpoint="messages",
        member_id=member.pk,
    )
    answer = page.get(f"/requests?{query}")
    assert answer.status_code == 200
    assert {name for name in ("req_1", "req_2") if f"/requests/{name}" in answer.text} == found
    assert 'title="Take this filter off"' in answer.text


def test_key_is_found_with_its_lineage(page: Client, atlas: Team, key: Key) -> None:
    successor = make_key(atlas, "billing")[0]
    Key.objects.filter(pk=successor.pk).update(first=key)
    make_call(successor)
    make_call(make_key(atlas, "other")[0], "req_2")
    text = page.get(f"/requests?key={key.public_id}").text
    assert "/requests/req_1" in text
    assert "/requests/req_2" not in text


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("modle=x", "modle is no filter"),
        ("period=9h", "period holds"),
        ("period=1h&from=2026-01-01", "period cannot stand"),
        ("from=yesterday", "from is"),
        ("from=2026-02-01&until=2026-01-01", "until must be later"),
        ("key=nobody", "key is"),
        ("key=abcdefghijkl", "there is no key"),
        ("member=nobody", "no member"),
        ("service_account=nobody", "no service account"),
        ("outcome=fine", "outcome holds"),
        ("outcome=failed_over", "outcome holds"),
        ("status=abc", "status is"),
        ("status=٤٢٩", "status is"),
        ("streamed=maybe", "streamed holds"),
        ("min_cost=much", "min_cost is"),
        ("min_cost=NaN", "min_cost is"),
        ("min_latency=-1", "min_latency is"),
        ("before=x", "before is"),
        ("after=1-2", "after is"),
        ("model=%01", "model holds"),
    ],
)
def test_what_cannot_be_asked_is_named(page: Client, key: Key, query: str, named: str) -> None:
    make_call(key)
    answer = page.get(f"/requests?{query}")
    assert answer.status_code == 400
    assert named in answer.text
    assert "/requests/req_1" not in answer.text


def test_empty_filters_of_the_form_leave_the_address(page: Client, atlas: Team) -> None:
    answer = page.get("/requests?team=atlas&model=&provider=fast&status=")
    assert answer["Location"] == "/requests?team=atlas&provider=fast"


@pytest.mark.parametrize("kind", ["request_id", "call_id", "pk"])
def test_search_leads_to_the_request_by_any_of_its_ids(page: Client, key: Key, kind: str) -> None:
    entry = make_call(key)
    assert page.get("/requests", {"q": f" {getattr(entry, kind)} "})["Location"] == "/requests/req_1"


def test_search_without_a_find_says_so(page: Client, key: Key) -> None:
    make_call(key)
    answer = page.get("/requests", {"q": "req_\u202e<b>"})
    assert answer.status_code == 404
    assert "No request here has the id" in answer.text


def test_call_of_before_request_ids_has_a_page_by_its_own_id(page: Client, key: Key) -> None:
    entry = make_call(key, "")
    assert f"/requests/{entry.call_id.hex}" in page.get("/requests").text
    assert page.get(f"/requests/{entry.call_id.hex}").status_code == 200


def test_pages_go_back_and_forth(page: Client, key: Key) -> None:
    at = timezone.now()
    for number in range(120):
        make_call(key, f"req_{number:03}", started_at=at - timedelta(seconds=number))
    first = page.get("/requests")
    older = first.context["log"].older
    second = page.get(f"/requests?{older}")
    assert "/requests/req_050" in second.text
    assert "/requests/req_049" not in second.text
    back = page.get(f"/requests?{second.context['log'].newer}")
    assert [row.id for row in back.context["log"].rows] == [row.id for row in first.context["log"].rows]


def test_news_are_what_came_since_and_are_told_once(page: Client, key: Key) -> None:
    now = timezone.now()
    make_call(key, "req_old", started_at=now - timedelta(minutes=9), ended_at=now - timedelta(minutes=8))
    make_call(key, "req_long", started_at=now - timedelta(minutes=9, seconds=1), ended_at=now)
    make_call(key, "req_late", started_at=now - timedelta(hours=1), recorded_at=now)
    since = int(now.timestamp() * 1000)
    answer = page.get(f"/requests/news?team=atlas&since={since}")
    assert [name for name in ("req_old", "req_long", "req_late") if name in answer.text] == [
        "req_long",
        "req_late",
    ]
    again = page.get(f"/requests/news?{answer['X-Next']}", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert page.get("/requests/news?since=x").status_code == 400


def test_page_of_a_request_tells_it_in_words_and_to_scale(page: Client, key: Key) -> None:
    make_failed_over(key)
    text = page.get("/requests/req_1").text
    for told in (
        "failed with status 429 (rate_limited) after 80 ms",
        "began after 100 ms, 20 ms after the one before ended",
        "first token after 310 ms, streamed for 1.59 s",
        '<rect class="bar warning" x="0.0" y="16" width="40.0"',
        "curl http://testserver/v1/chat/completions",
        "&quot;model&quot;: &quot;acme/one&quot;, &quot;stream&quot;: true",
        "/playground?team=atlas&amp;model=acme%2Fone",
        "x-gateway-attempts",
    ):
        assert told in text
    assert "style=" not in text


def test_cost_is_told_by_meter_to_the_last_digit(page: Client, key: Key) -> None:
    prices = [
        {"meter": meter, "plan": "standard", "unit_size": 1_000_000, "amount": amount, "currency": "USD"}
        for meter, amount in (("input_text_tokens", "1"), ("output_text_tokens", "2"))
    ]
    usage = {"input_tokens": 100, "output_tokens": 50}
    charged = {
        "cost_usd": Decimal("0.0002"),
        "charge_usd": Decimal("0.00018"),
        "charge_factor": Decimal("0.9"),
    }
    make_call(key, prices=prices, usage=usage, **charged)
    metered = page.get("/requests/req_1").context["metered"]
    assert [(number, each.meter, each.count) for number, each in metered] == [
        (1, "input_text_tokens", 100),
        (1, "output_text_tokens", 50),
    ]
    assert [each.charged_usd for _, each in metered] == [Decimal("0.00009"), Decimal("0.00009")]


def test_old_address_of_a_request_leads_to_its_page(page: Client, key: Key) -> None:
    make_call(key)
    assert page.get("/calls/req_1")["Location"] == "/requests/req_1"


def test_names_stay_text_and_have_their_own_direction(page: Client, atlas: Team) -> None:
    key = make_key(atlas, f"{RTL} {TEXT}")[0]
    make_failed_over(key, "req_0")
    make_call(
        key,
        model=TEXT,
        requested_model=f"'; rm -rf ~ #{TEXT}",
        provider=TEXT,
        error_code=TEXT,
        project=TEXT,
        surface="openai",
        upstream_name=TEXT,
    )
    for address in ("/requests", "/requests/req_1", f"/requests?model={TEXT}", f"/requests?error={RTL}"):
        text = page.get(address).text
        assert TEXT not in text
        assert "<bdi>" in text
    assert f"<bdi>{RTL}" in page.get("/requests").text


def test_curl_line_quotes_what_clients_name(page: Client, key: Key) -> None:
    make_call(
        key, surface="gemini", endpoint="generate_content", requested_model="x'; rm -rf ~", project="a'b"
    )
    context = page.get("/requests/req_1").context
    assert "x%27%3B%20rm%20-rf%20~:generateContent" in context["curl"]
    assert """'x-gateway-project-id: a'"'"'b'""" in context["curl"]


def test_page_takes_few_queries(
    page: Client, atlas: Team, key: Key, django_assert_max_num_queries: Any
) -> None:
    for number in range(60):
        make_failed_over(make_key(atlas, f"key {number}")[0], f"req_{number}")
    page.get("/requests")
    with django_assert_max_num_queries(11):
        page.get("/requests")
    with django_assert_max_num_queries(14):
        page.get(f"/requests?key={key.public_id}&model=acme/one&status=5xx")
    with django_assert_max_num_queries(12):
        page.get("/requests/req_1")


def test_person_without_a_team_has_no_log(client: Client) -> None:
    client.force_login(make_user("nobody"))
    assert client.get("/requests").status_code == 404
    assert client.get("/requests/req_1").status_code == 404


def test_viewer_reads_the_log_and_has_no_playground(client: Client, atlas: Team, key: Key) -> None:
    person = make_user("ann")
    make_membership(atlas, person, role="viewer")
    client.force_login(person)
    make_call(key)
    assert "/requests/req_1" in client.get("/requests").text
    assert "Try in playground" not in client.get("/requests/req_1").text


def test_every_filter_has_its_field(page: Client) -> None:
    text = page.get("/requests").text
    for name in FILTERS:
        assert f'for="f-{name}"' in text


def test_request_that_waited_says_for_how_long(page: Client, key: Key) -> None:
    entry = make_call(key, latency_ms=500.0)
    plan_id = uuid4()
    content = {"order": [["acme/one", "acme", "one", 0, "nothing", 0, 0]], "dropped": {}}
    RoutingPlan.objects.create(pk=plan_id, content=json.dumps(content), used_at=timezone.now())
    scores = json.dumps({"waited_ms": 250.0})
    RoutingNote.objects.create(pk=entry.call_id, plan_id=plan_id, scores=scores, noted_at=timezone.now())
    text = page.get("/requests/req_1").text
    assert "It waited 250 ms before its first attempt: for room," in text
    assert "began after 250 ms" in text
    make_call(key, "req_2", latency_ms=500.0)
    assert "It waited" not in page.get("/requests/req_2").text
