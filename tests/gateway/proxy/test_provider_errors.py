"""What each provider's refusals become for each client: class, code and parameter, and nothing private."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest

from providers.formats.registry import FORMATS
from tests.gateway.proxy.edge import RunningEdge, running_edge
from tests.gateway.proxy.test_translation import ANY_CLIENT, ask
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.upstream.speaking import Speaker, speaking

PRIVATE = ("sk-live-0123456789abcdef", "api.vendor.com", "/srv/app/serve.py", "10.1.2.3")
LEAKS = "no: Bearer {} at https://{}/v1 in {} on {}:8000".format(*PRIVATE)
CALLER, LIMIT, TROUBLE, BUSY = "caller", "limit", "trouble", "busy"
TYPES: Mapping[str, Mapping[str, str]] = {
    "openai": {CALLER: "invalid_request_error", LIMIT: "rate_limit_error", TROUBLE: "server_error"},
    "anthropic": {CALLER: "invalid_request_error", LIMIT: "rate_limit_error", TROUBLE: "api_error"},
    "gemini": {CALLER: "INVALID_ARGUMENT", LIMIT: "RESOURCE_EXHAUSTED", TROUBLE: "UNAVAILABLE"},
}
TYPES = {name: {**types, BUSY: types[TROUBLE]} for name, types in TYPES.items()}
TYPES["anthropic"][BUSY] = "overloaded_error"
TYPES = {**TYPES, "responses": TYPES["openai"]}


@dataclass(frozen=True)
class Refusal:
    """A provider's answer, and what clients are to see."""

    name: str
    status: int
    seen: int
    code: str
    kind: str = TROUBLE
    message: str = LEAKS
    headers: Mapping[str, str] = field(default_factory=dict)


REFUSALS = [
    Refusal("parameter", 400, 400, "invalid_request", CALLER),
    Refusal(
        "context", 400, 400, "context_length_exceeded", CALLER, f"prompt is too long; context window. {LEAKS}"
    ),
    Refusal("bad key as 400", 400, 502, "provider_auth_error", message=f"API key not valid. {LEAKS}"),
    Refusal("credential", 401, 502, "provider_auth_error"),
    Refusal("credit", 402, 502, "provider_auth_error"),
    Refusal("permission", 403, 502, "provider_auth_error"),
    Refusal("model", 404, 502, "provider_model_missing"),
    Refusal("timeout", 408, 429, "provider_rate_limited", LIMIT),
    Refusal("conflict", 409, 429, "provider_rate_limited", LIMIT),
    Refusal("size", 413, 413, "invalid_request", CALLER),
    Refusal("unprocessable", 422, 422, "invalid_request", CALLER),
    Refusal("limit", 429, 429, "provider_rate_limited", LIMIT),
    Refusal("limit with a time", 429, 429, "provider_rate_limited", LIMIT, headers={"retry-after": "7"}),
    Refusal("crash", 500, 502, "provider_unavailable"),
    Refusal("busy", 503, 502, "provider_unavailable", headers={"retry-after": "7"}),
    Refusal("overloaded", 529, 503, "provider_overloaded", BUSY),
    Refusal("overloaded by its word", 503, 503, "provider_overloaded", BUSY, f"Overloaded. {LEAKS}"),
    Refusal("limit for long", 429, 429, "provider_rate_limited", LIMIT, headers={"retry-after": "1800"}),
]
GOOGLES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
ANTHROPICS = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
}
ANTHROPICS |= {409: "conflict_error", 429: "rate_limit_error", 500: "api_error", 529: "overloaded_error"}


def envelope(provider: str, status: int, message: str, param: str = "") -> bytes:
    """In the provider's own form."""
    if provider == "anthropic":
        text = f"{param}: {message}" if param else message
        kind = ANTHROPICS.get(status, "invalid_request_error")
        return orjson.dumps({"type": "error", "error": {"type": kind, "message": text}})
    if provider == "gemini":
        violation = {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": param}],
        }
        named = {"details": [violation]} if param else {}
        told = {"code": status, "message": message, "status": GOOGLES.get(status, "UNKNOWN")}
        return orjson.dumps({"error": told | named})
    return orjson.dumps({"error": {"message": message, "type": "x", "param": param or None, "code": None}})


@pytest.fixture(scope="module", params=list(FORMATS))
def speaker(request) -> Iterator[Speaker]:
    with speaking(request.param) as speaker:
        yield speaker


@pytest.fixture(scope="module")
def edge(speaker) -> Iterator[RunningEdge]:
    offering = an_offering(1, max_output_tokens=1000)
    provider = a_provider(1, base_url=speaker.base_url, wire_format=speaker.wire_format.name)
    with running_edge([a_model(offerings=(offering,))], [provider]) as running:
        yield running


@pytest.fixture(autouse=True)
def _unharmed(edge):
    """No breaker is open from another test."""
    edge.forget()


def told(client: str, answer: httpx.Response) -> dict[str, Any]:
    """Type, code and parameter, wherever the client's envelope has them."""
    error = answer.json()["error"]
    if client != "gemini":
        return {"type": error["type"], "code": error.get("code"), "param": error.get("param")}
    details = {detail["@type"].rpartition(".")[2]: detail for detail in error["details"]}
    violations = details.get("BadRequest", {"fieldViolations": [{"field": None}]})["fieldViolations"]
    reason = details["ErrorInfo"]["reason"].lower()
    return {"type": error["status"], "code": reason, "param": violations[0]["field"]}


@ANY_CLIENT
@pytest.mark.parametrize("refusal", REFUSALS, ids=[refusal.name for refusal in REFUSALS])
@pytest.mark.parametrize("is_streamed", [False, True])
def test_refusal_has_its_class_in_the_clients_envelope_and_tells_nothing_private(
    edge, speaker, client, refusal, is_streamed
):
    body = envelope(speaker.wire_format.name, refusal.status, refusal.message)
    speaker.refusal = (refusal.status, {"content-type": "application/json", **refusal.headers}, body)
    answer = ask(edge, client, is_streamed=is_streamed)
    seen = 529 if refusal.kind == BUSY and client == "anthropic" else refusal.seen
    assert answer.status_code == seen, answer.text
    expected = {"type": TYPES[client][refusal.kind], "code": refusal.code, "param": None}
    assert told(client, answer) == expected
    assert answer.headers.get("retry-after") == refusal.headers.get("retry-after")
    assert answer.headers.get("x-should-retry") == ("false" if refusal.kind == CALLER else None)
    assert not [secret for secret in PRIVATE if secret in answer.text]


SPELLINGS = {
    "temperature": {
        "openai": ("temperature", "temperature"),
        "responses": ("temperature", "temperature"),
        "anthropic": ("temperature", "temperature"),
        "gemini": ("generation_config.temperature", "generationConfig.temperature"),
    },
    "most tokens": {
        "openai": ("max_tokens", "max_completion_tokens"),
        "responses": ("max_output_tokens", "max_output_tokens"),
        "anthropic": ("max_tokens", "max_tokens"),
        "gemini": ("generation_config.max_output_tokens", "generationConfig.maxOutputTokens"),
    },
    "a message": {
        "openai": ("messages[3].content[0].text", "messages"),
        "responses": ("input[3].content", "input"),
        "anthropic": ("messages.3.content.0.text", "messages"),
        "gemini": ("contents[3].parts[0].text", "contents"),
    },
    "no other format's": dict.fromkeys(FORMATS, ("tools.3.frobnicate", "tools.3.frobnicate")),
}
"""By format: how a provider names it, and how a client of that format does."""


@ANY_CLIENT
@pytest.mark.parametrize("spellings", SPELLINGS.values(), ids=list(SPELLINGS))
def test_parameter_is_named_as_the_client_spells_it(edge, speaker, client, spellings):
    provider = speaker.wire_format.name
    named, shown = spellings[provider][0], spellings[client][1]
    headers = {"content-type": "application/json"}
    speaker.refusal = (400, headers, envelope(provider, 400, "Not that much.", named))
    answer = ask(edge, client)
    assert answer.status_code == 400
    assert told(client, answer)["param"] == (named if client == provider else shown)
