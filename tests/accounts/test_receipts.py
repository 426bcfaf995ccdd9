"""A receipt tells all that is known of one request, to its own team and to nobody else."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.booking import refund
from accounts.models import Key, LedgerEntry, RoutingNote, RoutingPlan, Team, TranslationNote
from accounts.receipts import in_words, read_routing
from accounts.retention import forget_notes
from tests.accounts.conftest import Caller
from tests.make import make_entry, make_key, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
PRICE = {"meter": "input_text_tokens", "plan": "standard", "unit_size": 1, "amount": "0.1", "currency": "USD"}
PLAN = {
    "order": [
        ["acme/one", "fast", "one", 0, "nothing", 1],
        ["acme/one", "slow", "one", 0, "hint", 0],
        ["acme/one", "later", "one", 0, "nothing", 2],
        ["acme/one", "ill", "one", 0, "nothing", 0],
        ["acme/one", "own", "one", 1, "nothing", 0],
    ],
    "dropped": {"breaker_open": [["acme/one", "broken", "one"]], "lacks:tools": [["acme/one", "bare", "x"]]},
    "more": [0, 3],
}


@pytest.fixture
def key(team: Team) -> Key:
    return make_key(team, "billing")[0]


@pytest.fixture
def reader(team: Team) -> str:
    return make_key(team, "reader", scopes=["usage"])[1]


def make_call(key: Key, request_id: str = "req_1") -> tuple[LedgerEntry, LedgerEntry]:
    """Failed over, and answered."""
    shared: dict[str, Any] = {
        "request_id": request_id,
        "call_id": uuid4(),
        "lineage_id": key.pk,
        "surface": "openai",
    }
    first = make_entry(
        key, "failed_over", **shared, number=1, provider="slow", started_at=AT, status=503, error_code="bad"
    )
    last = make_entry(
        key,
        **shared,
        number=2,
        provider="fast",
        upstream_name="one-large",
        started_at=AT + timedelta(seconds=1),
        ended_at=AT + timedelta(seconds=2),
        usage={"input_tokens": 10},
        input_tokens=10,
        prices=[PRICE],
        cost_usd=Decimal(1),
        charge_usd=Decimal("0.9"),
        charge_factor=Decimal("0.9"),
        latency_ms=1000.5,
    )
    return first, last


def test_all_attempts_are_told_with_usage_prices_and_charge(call: Caller, key: Key, reader: str) -> None:
    make_call(key)
    told = call("GET", "/v1/receipts/req_1", reader).json()
    assert (told["object"], told["team"], told["key"], told["key_name"]) == (
        "receipt",
        key.team.slug,
        key.public_id,
        "billing",
    )
    assert (told["outcome"], told["cost_usd"], told["charge_usd"]) == ("finished", "1", "0.9")
    failed, answered = told["attempts"]
    assert (failed["provider"], failed["outcome"], failed["status"]) == ("slow", "failed_over", 503)
    assert (failed["usage_source"], failed["charge_usd"]) == ("none", "0")
    assert (answered["provider"], answered["upstream_name"]) == ("fast", "one-large")
    assert (answered["usage"], answered["usage_source"]) == ({"input_tokens": 10}, "provider")
    assert (answered["prices"], answered["charge_factor"]) == ([PRICE], "0.9")
    assert (answered["latency_ms"], told["routing"]) == (1000.5, None)
    assert "loss" not in json.dumps(told)


def test_what_was_put_right_is_told_and_counted(call: Caller, key: Key, reader: str) -> None:
    _, entry = make_call(key)
    refund(entry=entry, amount_usd=Decimal("0.45"), note="cut short")
    told = call("GET", "/v1/receipts/req_1", reader).json()
    assert (len(told["attempts"]), told["charge_usd"], told["cost_usd"]) == (2, "0.45", "0.5")
    answered = told["attempts"][1]
    assert answered["charge_usd"] == "0.9"
    correction = answered["corrections"][0]
    assert (correction["kind"], correction["charge_usd"], correction["note"]) == (
        "refund",
        "-0.45",
        "cut short",
    )


def test_a_plan_names_the_further_credential_of_each() -> None:
    told = read_routing(
        PLAN
        | {"credentials": {"order": [0, 7, 0, 0, 9], "dropped": {"breaker_open": [8], "lacks:tools": [0]}}}
    )
    assert [each.credential_id for each in told.order] == [0, 7, 0, 0, 9]
    assert [each.credential_id for each in told.dropped] == [8, 0]


def test_routing_and_what_was_said_in_other_words_are_told_while_they_are_kept(
    call: Caller, key: Key, reader: str
) -> None:
    _, entry = make_call(key)
    plan = RoutingPlan.objects.create(id=uuid4(), content=json.dumps(PLAN), used_at=AT)
    scores = '{"waited_ms": 250.5}'
    RoutingNote.objects.create(call_id=entry.call_id, plan_id=plan.pk, scores=scores, noted_at=AT)
    TranslationNote.objects.create(attempt_id=entry.pk, content='["seed -> left out"]', noted_at=AT)
    told = call("GET", "/v1/receipts/req_1", reader).json()
    assert [each["provider"] for each in told["routing"]["order"]][:2] == ["fast", "slow"]
    assert told["routing"]["dropped"][0] == {
        "model": "acme/one",
        "provider": "broken",
        "upstream_name": "one",
        "credential_id": 0,
        "why": "failed too often lately",
        "reason": "breaker_open",
    }
    assert (told["routing"]["more_dropped"], told["waited_ms"]) == (3, 250.5)
    assert [each["translated"] for each in told["attempts"]] == [[], ["seed -> left out"]]
    later = AT + timedelta(days=33)
    assert forget_notes(30, at=later, most_s=9) == 3
    told = call("GET", "/v1/receipts/req_1", reader).json()
    assert (told["routing"], told["waited_ms"]) == (None, 0.0)


def test_notes_are_kept_to_the_last_instant_of_their_days() -> None:
    RoutingNote.objects.create(call_id=uuid4(), plan_id=uuid4(), noted_at=AT)
    assert forget_notes(30, at=AT + timedelta(days=30), most_s=9) == 0
    assert forget_notes(30, at=AT + timedelta(days=30, microseconds=1), most_s=9) == 1


def test_each_place_in_the_order_has_its_reason() -> None:
    whys = [place.why for place in read_routing(PLAN).order]
    assert whys[0] == ""
    assert "lose more" in whys[1]
    assert "catalogue's order" in whys[2]
    assert "went worse lately" in whys[3]
    assert "credential comes later" in whys[4]


def test_scores_of_a_call_are_told_beside_the_plan_that_it_shares() -> None:
    scores = {"draw": 0.25, "order": [[0.99, 12], None], "kept_at": 1}
    told = read_routing(
        {**PLAN, "choices": [["auto", None]], "passed_over": [["acme/old", "model_retired"]]}, scores
    )
    assert told.draw == 0.25
    assert [(each.name, each.means) for each in (*told.choices, *told.passed_over)] == [
        ("auto", ""),
        ("acme/old", "model_retired"),
    ]
    first, second, third = told.order[:3]
    assert (first.success_rate, first.latency_ms, first.held_cache) == (0.99, 12, False)
    assert (second.success_rate, second.held_cache) == (None, True)
    assert (third.success_rate, third.held_cache) == (None, False)


def test_note_of_before_there_were_scores_is_read() -> None:
    told = read_routing(PLAN)
    assert (told.draw, told.choices, told.order[0].success_rate, told.order[0].rank) == (None, [], None, 0)


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("lacks:tools,seed", "does not support tools,seed"),
        ("excluded:only", "left out by the request's provider.only"),
        ("excluded:max_price", "left out by the request's provider.max_price"),
        ("floor:zero_retention", "outside what the calls of this key keep to: zero_retention"),
        ("cannot_generate:top_k", "cannot do what top_k asks for"),
        ("something_new", "something new"),
    ],
)
def test_reason_is_said_in_words_also_one_that_is_not_known_here(reason: str, words: str) -> None:
    assert in_words(reason) == words


def test_another_teams_receipt_is_a_404_like_one_that_is_none(call: Caller, key: Key, reader: str) -> None:
    make_call(make_key(make_team("other"))[0], "req_other")
    answers = [
        call("GET", f"/v1/receipts/{id_}", reader) for id_ in ("req_other", "req_none", "%00", "x" * 99)
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert {answer.json()["error"]["code"] for answer in answers[:2]} == {"receipt_not_found"}
    assert "Other" not in answers[0].text


def test_key_that_only_calls_models_may_not_read_and_a_managing_one_may(
    call: Caller, key: Key, manager: str, team: Team
) -> None:
    make_call(key)
    refused = call("GET", "/v1/receipts/req_1", make_key(team)[1])
    assert (refused.status_code, refused.json()["error"]["param"]) == (403, "scopes")
    assert call("GET", "/v1/receipts/req_1", manager).status_code == 200
    assert call("GET", "/v1/receipts/req_1", "").status_code == 401


def test_people_read_those_of_their_teams_and_staff_everybodys(client: Client, key: Key) -> None:
    make_call(key)
    outsider = make_user("outsider", teams=[make_team("other")])
    client.force_login(outsider)
    assert client.get("/v1/receipts/req_1").status_code == 404
    assert client.get("/requests/req_1").status_code == 404
    outsider.is_staff = True
    outsider.save()
    outsider.user_permissions.add(Permission.objects.get(codename="view_ledgerentry"))
    assert client.get("/v1/receipts/req_1").status_code == 200
    client.force_login(make_user("member", teams=[key.team]))
    assert client.get("/v1/receipts/req_1").status_code == 200


def test_portal_leads_from_a_call_to_its_receipt(client: Client, key: Key) -> None:
    _, entry = make_call(key)
    refund(entry=entry, amount_usd=Decimal("0.45"), note="cut short")
    client.force_login(make_user("member", teams=[key.team]))
    assert 'href="/requests/req_1"' in client.get(f"/keys/{key.public_id}").text
    page = client.get("/requests/req_1").text
    for text in ("Attempt 1", "fast", "0.45 USD", "cut short", "by the factor 0.9", "input_tokens: 10"):
        assert text in page
    assert "Borne by us" not in page


def test_admin_shows_what_the_operator_bore_and_leads_to_a_correction(client: Client, key: Key) -> None:
    _, entry = make_call(key)
    client.force_login(make_staff())
    assert "/admin/accounts/ledgerentry/receipts/req_1/" in client.get("/admin/accounts/ledgerentry/").text
    page = client.get("/admin/accounts/ledgerentry/receipts/req_1/").text
    assert "Borne by us" in page
    assert f"/admin/accounts/ledgerentry/{entry.pk}/correct/" in page
    assert client.get("/admin/accounts/ledgerentry/receipts/req_none/").status_code == 404
    client.force_login(make_user("staff", is_staff=True))
    assert client.get("/admin/accounts/ledgerentry/receipts/req_1/").status_code == 403


def test_what_the_operator_asked_itself_is_told_as_the_operators(client: Client, key: Key) -> None:
    entry = make_entry(key, request_id="req_probe", loss_usd=Decimal("0.01"), surface="probe")
    LedgerEntry.objects.update(team=0, key=0)
    client.force_login(make_staff())
    assert (
        "the operator, key the operator" in client.get("/admin/accounts/ledgerentry/receipts/req_probe/").text
    )
    assert "the operator" in client.get(f"/admin/accounts/ledgerentry/{entry.pk}/change/").text
    assert client.get("/v1/receipts/req_probe").json()["key_name"] == "the operator"


def test_receipt_takes_as_many_queries_for_many_attempts_as_for_one(
    call: Caller, key: Key, reader: str, django_assert_max_num_queries: Any
) -> None:
    for _ in range(10):
        _, entry = make_call(key)
        LedgerEntry.objects.filter(pk=entry.pk).update(call_id=uuid4())
    call("GET", "/v1/receipts/req_1", reader)
    with django_assert_max_num_queries(12):
        call("GET", "/v1/receipts/req_1", reader)
