"""The API document is true: every operation is called, well and badly, and its answers are as it says."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from gateway.web.views import api_document
from tests.gateway.openapi.declared import Declared, operations
from tests.patience import HANG_S
from tests.services import wait_until
from tests.system.admin_pages import AdminPages
from tests.system.embedded import Prepared, Product

pytestmark = pytest.mark.slow

SAY = [{"role": "user", "content": "hello"}]
CHAT: dict[str, Any] = {"model": "demo/chat", "messages": SAY}
CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
RESPONSE = {"model": "demo/chat", "input": "hello"}
LIMITED = "limited"
LIMIT = {"subject": "project", "subject_id": LIMITED, "unit": "tokens", "window": "minute", "amount": 100}
ALLOWANCE = {
    "allowances-TOTAL_FORMS": "1",
    "allowances-0-whose": "key",
    "allowances-0-unit": "tokens",
    "allowances-0-window": "minute",
    "allowances-0-amount": "1000000",
    "allowances-0-most": "2000000",
}
"""On the team's page of the admin."""
CREDENTIAL = {"provider": "demo-a", "label": "made", "secret": "a-key-of-the-demos"}
CHANNEL = {"kind": "webhook", "name": "one", "address": "https://hooks.example.com/one"}
BUDGET = {"subject": "project", "subject_id": LIMITED, "window": "month", "amount_usd": "10"}
RECORDED = "of a call that is recorded"
SINCE = {"start_time": str(int(datetime.now(UTC).timestamp()) - 3600)}
RAISED_UNTIL = (datetime.now(UTC) + timedelta(days=1)).isoformat()


@dataclass(frozen=True, slots=True)
class Good:
    """What is asked and answered; `{name}` in the path is one of `names`."""

    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


# Some more than once: by another form of the answer.
GOOD: dict[str, list[Good]] = {
    "access_request_create": [Good({"kind": "role", "asked": {"role": "admin"}, "reason": "The release"})],
    "access_request_decide": [Good({"decision": "decline"})],
    "alert_channel_create": [Good(CHANNEL)],
    "allowance_create": [Good({"whose": "member", "unit": "usd", "window": "month", "amount": "5"})],
    "allowance_partial_update": [Good({"amount": "4"})],
    "alert_channel_partial_update": [Good({"name": "two"})],
    "budget_create": [Good(BUDGET)],
    "budget_partial_update": [Good({"amount_usd": "50"})],
    "budget_raise": [Good({"raise_usd": "5", "raise_until": RAISED_UNTIL})],
    "chat_completions_create": [Good(CHAT), Good({**CHAT, "stream": True})],
    "completions_create": [
        Good({"model": "demo/chat", "prompt": "hello"}),
        Good({"model": "demo/chat", "prompt": "hello", "stream": True}),
    ],
    "count_tokens": [Good(CONTENTS)],
    "credential_create": [Good(CREDENTIAL)],
    "credential_partial_update": [Good({"place": "after"})],
    "embeddings_create": [Good({"model": "demo/embed", "input": ["hello"]})],
    "gateway_changes_list": [Good(), Good(query={"format": "atom"})],
    "gateway_data_models_list": [Good(query={"model_id": "demo/chat"})],
    "gateway_lifecycle_check": [Good({"models": ["demo/chat", "nobody"]})],
    "gateway_lifecycle_list": [Good(), Good(query={"format": "ics"}), Good(query={"format": "rss"})],
    "gateway_models_list": [Good(), Good(query={"format": "jsonfeed"})],
    "generate_content": [Good(CONTENTS)],
    "leak_report": [Good({"key": "sk-gw-nobodys"}), Good([{"token": "sk-gw-nobodys", "type": "key"}])],
    "keys_create": [Good({"name": "one"})],
    "keys_hand_over_create": [Good({"owner": None})],
    "keys_partial_update": [Good({"name": "two"})],
    "invitation_accept": [Good({"secret": "nobodys"})],
    "invitation_create": [Good({"email": "ann@example.com", "role": "member"})],
    "invitation_renew": [Good({"mail": False})],
    "member_partial_update": [Good({"role": "viewer"})],
    "limit_create": [Good(LIMIT)],
    "limit_partial_update": [Good({"amount": 50})],
    "messages_count_tokens": [Good(CHAT)],
    "messages_create": [Good({**CHAT, "max_tokens": 50}), Good({**CHAT, "max_tokens": 50, "stream": True})],
    "project_create": [Good({"slug": "made", "name": "Made"})],
    "project_partial_update": [Good({"name": "Other"})],
    "service_account_create": [Good({"slug": "made", "name": "Made"})],
    "service_account_partial_update": [Good({"name": "Other"})],
    "team_partial_update": [Good({"cost_centre": "4711"})],
    "usage_list": [
        Good(),
        Good(query={"group_by": "model,key", "bucket": "none"}),
        Good(query={"format": "csv"}),
    ],
    "focus_export": [Good(), Good(query={"format": "jsonl"})],
    "statement_list": [Good(), Good(query={"format": "csv"})],
    "statement_retrieve": [Good(), Good(query={"format": "csv"})],
    "organization_completions": [Good(query=SINCE)],
    "organization_embeddings": [Good(query=SINCE | {"group_by": "model"})],
    "organization_costs": [Good(query=SINCE | {"group_by": "line_item"})],
    "generation_retrieve": [Good(query={"id": RECORDED})],
    "models_list": [
        Good(),
        Good(headers={"anthropic-version": "2023-06-01"}),
        Good(headers={"x-goog-api-client": "test"}),
    ],
    "models_retrieve": [
        Good(),
        Good(headers={"anthropic-version": "2023-06-01"}),
        Good(headers={"x-goog-api-client": "test"}),
    ],
    "responses_create": [Good(RESPONSE), Good({**RESPONSE, "stream": True})],
    "responses_input_tokens": [Good(RESPONSE)],
    "route_explain": [Good(CHAT), Good({**CHAT, "max_tokens": 50}, query={"path": "/v1/messages"})],
    "stream_generate_content": [Good(CONTENTS)],
}


def goods_of(operation: Declared) -> list[Good]:
    return GOOD.get(operation.id, [Good()])


def body_of(operation: Declared) -> dict[str, Any]:
    return goods_of(operation)[0].body or {}


def each_of(some: Iterable[Declared]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", list(some), ids=lambda operation: operation.id)


OPERATIONS = list(operations(api_document()))
MANAGED = (
    *(
        "/v1/access-requests",
        "/v1/alert-channels",
        "/v1/allowances",
        "/v1/audit",
        "/v1/budgets",
        "/v1/credentials",
        "/v1/invitations",
        "/v1/keys",
        "/v1/limits",
        "/v1/members",
        "/v1/projects",
        "/v1/receipts",
        "/v1/service-accounts",
        "/v1/team",
    ),
    *(
        "/v1/usage",
        "/v1/organization",
        "/v1/generation",
        "/v1/credits",
        "/v1/analytics",
        "/v1/statements",
        "/v1/focus",
    ),
)
# An estimate is the same for every model, and no model is asked.
COUNTING = {"count_tokens", "messages_count_tokens", "responses_input_tokens"}
NAMING = [
    each for each in OPERATIONS if each.id not in COUNTING and (each.has_names or "model" in body_of(each))
]


def changes_team(operation: Declared) -> bool:
    """Or asks whom it invited, or for more: that is for people, too."""
    changed = ("/v1/team", "/v1/alert-channels", "/v1/allowances", "/v1/members")
    is_change = operation.path.startswith(changed) and operation.method != "get"
    return is_change or operation.path.startswith(("/v1/invitations", "/v1/access-requests"))


@dataclass(frozen=True, slots=True)
class Caller:
    """Holds all that it is answered to the document."""

    http: httpx.Client
    keys: dict[bool, str]
    """By whether it manages."""
    numbers: Iterator[int] = field(default_factory=count)

    def call(self, operation: Declared, good: Good, **changes: Any) -> httpx.Response:
        path = changes.get("path") or operation.path.format_map(self._names(operation, changes.get("name")))
        key = changes.get("key", self.keys[operation.path.startswith(MANAGED)])
        answer = self.http.request(
            changes.get("method", operation.method),
            path,
            params={name: self._filled(value) for name, value in good.query.items()},
            headers=({"authorization": f"Bearer {key}"} if key else {}) | good.headers,
            **({"content": changes["content"]} if "content" in changes else {"json": good.body}),
        )
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        body = answer.json() if media_type == "application/json" else answer.text
        assert operation.faults(answer.status_code, media_type, body, set(answer.headers)) == [], body
        return answer

    def _names(self, operation: Declared, name: str | None) -> dict[str, str]:
        if name:
            return dict.fromkeys(("id", "model", "response_id", "delivery", "request_id", "number"), name)
        is_managed = operation.path.startswith(MANAGED)
        return {
            "id": self._new_row(operation) if is_managed and "{id}" in operation.path else "demo/chat",
            "delivery": "1",
            "number": "1",
            "model": "demo/chat",
            "response_id": self._new_response() if "{response_id}" in operation.path else "",
            "request_id": self._new_call() if "{request_id}" in operation.path else "",
        }

    def _filled(self, value: str) -> str:
        return self._new_call() if value == RECORDED else value

    def _new_call(self) -> str:
        """The id of a request that is in the ledger."""
        asked = {"authorization": f"Bearer {self.keys[False]}"}
        id_ = self.http.post("/v1/chat/completions", json=CHAT, headers=asked).headers["x-request-id"]
        address = f"/v1/generation?id={id_}"
        wait_until(lambda: self.http.get(address, headers=asked).is_success, "recording a call")
        return str(id_)

    def _new_row(self, operation: Declared) -> str:
        """Of what keys make; of alert channels and allowances those that are there."""
        path, named = operation.path.partition("/{")[0], {"name": "one"}
        if path == "/v1/access-requests":
            return "arq_1"
        if path == "/v1/invitations":
            return "1"
        if path in {"/v1/alert-channels", "/v1/allowances", "/v1/members"}:
            listed = self.http.get(path, headers={"authorization": f"Bearer {self.keys[True]}"}).json()
            return str(listed["data"][0]["id"])
        if path == "/v1/limits":
            return self._made(path, LIMIT | {"subject_id": self._new_project()}, key=self.keys[True])
        if path == "/v1/budgets":
            return self._made(path, BUDGET | {"subject_id": self._new_project()}, key=self.keys[True])
        if path == "/v1/credentials":
            number = next(self.numbers)
            body = CREDENTIAL | {"label": f"row-{number}", "provider": ("demo-a", "demo-b")[number % 2]}
            return self._made(path, body, key=self.keys[True])
        body = named if path == "/v1/keys" else named | {"slug": f"row-{next(self.numbers)}"}
        return self._made(path, body, key=self.keys[True])

    def _new_project(self) -> str:
        body = {"name": "one", "slug": f"row-{next(self.numbers)}"}
        return self._made("/v1/projects", body, key=self.keys[True])

    def _new_response(self) -> str:
        return self._made("/v1/responses", RESPONSE, key=self.keys[False])

    def _made(self, path: str, body: Any, *, key: str) -> str:
        answer = self.http.post(path, json=body, headers={"authorization": f"Bearer {key}"})
        assert answer.is_success, answer.text
        return str(answer.json()["id"])


@pytest.fixture(scope="module")
def own_product(tmp_path_factory: pytest.TempPathFactory, prepared: Prepared) -> Iterator[Product]:
    with prepared.started(tmp_path_factory.mktemp("document") / "data") as product:
        yield product
    assert "Traceback" not in product.log, product.log


def put_statement(product: Product, team: int) -> None:
    """The first one of a team, since a month would have to pass before the product makes it."""
    with sqlite3.connect(product.folder / "gatehouse.sqlite3") as database:
        database.execute(
            "INSERT INTO accounts_statement (number, team_id, team_slug, team_name, cost_centre, month, zone,"
            " starts_at, ends_at, closed_at, calls, cost, charge) VALUES (1, ?, 'demo', 'Demo', '', '2026-05', 'UTC',"
            " '2026-05-01 00:00:00', '2026-06-01 00:00:00', '2026-06-04 00:00:00', 1, 5, 5)",
            [team],
        )


def put_invitation(product: Product, team: int) -> None:
    """One, which no key makes."""
    with sqlite3.connect(product.folder / "gatehouse.sqlite3") as database:
        database.execute(
            "INSERT INTO accounts_invitation (id, team_id, email, role, digest, created_at, expires_at) VALUES"
            " (1, ?, 'ann@example.com', 'member', 'x', '2026-05-01 00:00:00', '2099-01-01 00:00:00')",
            [team],
        )


def put_access_request(product: Product, team: int) -> None:
    """Likewise."""
    with sqlite3.connect(product.folder / "gatehouse.sqlite3") as database:
        database.execute(
            "INSERT INTO accounts_accessrequest (public_id, team_id, person_id, kind, asked, summary, fingerprint,"
            " reason, decider, state, note, applied, created_at) SELECT 'arq_1', ?, MIN(id), 'role',"
            " '{\"role\": \"admin\"}', 'The role admin', 'x', 'The release', 'team', 'open', '', '{}',"
            " '2026-05-01 00:00:00' FROM accounts_user",
            [team],
        )


@pytest.fixture(scope="module")
def caller(own_product: Product) -> Iterator[Caller]:
    product = own_product
    with AdminPages(product.url, username="admin", password=product.admin_password) as pages:
        # An owner's own, so that it may do what they may.
        owner = pages.row_id("accounts/user", "member")
        keys = {False: product.key, True: pages.issue_key("document", scope="management", owner=owner)}
        with httpx.Client(base_url=product.url, timeout=HANG_S) as http:
            caller = Caller(http, keys)
            pages.submit(f"/admin/accounts/team/{pages.row_id('accounts/team', 'demo')}/change/", **ALLOWANCE)
            pages.submit(
                "/admin/accounts/alertchannel/add/", team=pages.row_id("accounts/team", "demo"), **CHANNEL
            )
            put_statement(product, int(pages.row_id("accounts/team", "demo")))
            put_invitation(product, int(pages.row_id("accounts/team", "demo")))
            put_access_request(product, int(pages.row_id("accounts/team", "demo")))
            caller._made("/v1/projects", {"slug": LIMITED, "name": "Limited"}, key=keys[True])
            yield caller


@each_of(each for each in OPERATIONS if not changes_team(each))
def test_answer_is_as_declared(caller: Caller, operation: Declared) -> None:
    for good in goods_of(operation):
        assert caller.call(operation, good).is_success


@each_of(filter(changes_team, OPERATIONS))
def test_team_is_changed_by_no_key_as_declared(caller: Caller, operation: Declared) -> None:
    """Its owners do that, signed in; their tests stand in tests/accounts."""
    assert caller.call(operation, goods_of(operation)[0]).status_code == 403


@each_of(each for each in OPERATIONS if each.needs_key)
def test_missing_key_is_a_401_as_declared(caller: Caller, operation: Declared) -> None:
    # A wrong key would be counted as a guess, and soon be a 429.
    # Feeds are for everybody where the catalogue's pages are.
    for good in [each for each in goods_of(operation) if "format" not in each.query]:
        assert caller.call(operation, good, key="").status_code == 401


@each_of(NAMING)
def test_unknown_name_is_a_404_as_declared(caller: Caller, operation: Declared) -> None:
    good = goods_of(operation)[0]
    if operation.has_names:
        answer = caller.call(operation, good, name="nobody")
    else:
        answer = caller.call(operation, Good({**body_of(operation), "model": "nobody"}))
    assert answer.status_code == 404


@each_of(OPERATIONS)
def test_other_method_is_a_405_as_declared(caller: Caller, operation: Declared) -> None:
    answer = caller.call(operation, Good(), method="PUT")
    assert answer.status_code == 405
    assert operation.method.upper() in answer.headers["allow"]


@each_of(each for each in OPERATIONS if each.has_body and not changes_team(each))
def test_bad_body_is_a_400_and_one_of_another_type_a_415_as_declared(
    caller: Caller, operation: Declared
) -> None:
    json = Good(headers={"content-type": "application/json"})
    assert caller.call(operation, json, content=b"{").status_code == 400
    text = Good(headers={"content-type": "text/plain"})
    assert caller.call(operation, text, content=b"hello").status_code == 415


@each_of(each for each in OPERATIONS if "limit" in each.query)
def test_bad_parameter_is_a_400_as_declared(caller: Caller, operation: Declared) -> None:
    # OpenAI's list has no pages.
    asked = Good(query={"limit": "no"}, headers={"anthropic-version": "2023-06-01"})
    assert caller.call(operation, asked).status_code == 400
