"""Embeddings of every provider through the edge, over real sockets, in one form for clients."""

import base64
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from openai import OpenAI

from providers.wire.estimate import estimate_input_tokens
from tests.gateway.proxy.edge import recorded, running_edge
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.upstream import ScriptedProvider, answers
from tests.upstream.embedders import TOKENS_A_TEXT, vector

TEXTS = ["Gates keep houses.", "Häuser haben Tore."]
TOKENS = [[1, 2, 3], [4]]
LANES = pytest.mark.parametrize("lane", ["direct", "worker"])


@dataclass(frozen=True)
class Vendor:
    """`behaviour` is the scripted provider's, `path` what comes after the base URL."""

    wire_format: str
    behaviour: str
    path: str = "/embeddings"
    quirks: frozenset[str] = frozenset()
    takes_tokens: bool = False
    encodes: bool = False


VENDORS = {
    "openai": Vendor("openai", "ok", takes_tokens=True, encodes=True),
    "responses": Vendor("responses", "ok", takes_tokens=True, encodes=True),
    "voyage": Vendor("voyage", "voyage", encodes=True),
    "cohere": Vendor("cohere", "cohere", "/embed"),
    "gemini": Vendor("gemini", "gemini", "/models/upstream:batchEmbedContents"),
    "workers_ai": Vendor(
        "openai", "workers-ai", quirks=frozenset({"embeds_texts_only", "embeds_at_most_100"})
    ),
}

MOST_INPUTS = {"cohere": 96, "gemini": 100, "workers_ai": 100, "voyage": 1000}
"""Of those who take fewer than OpenAI's form holds."""


@pytest.fixture(scope="module", params=list(VENDORS))
def vendor(request) -> Vendor:
    return VENDORS[request.param]


@pytest.fixture(scope="module")
def provider(vendor) -> Iterator[ScriptedProvider]:
    with ScriptedProvider(default=vendor.behaviour) as provider:
        yield provider


def serving(vendor: Vendor, provider: ScriptedProvider):
    prices = (a_price("input_text_tokens", "1"),)
    offering = an_offering(1, endpoints=frozenset({"embeddings"}), prices=prices)
    facts = a_provider(
        1,
        base_url=provider.base_url,
        wire_format=vendor.wire_format,
        quirks=vendor.quirks,
        secret="s3cret",
    )
    return running_edge([a_model(offerings=(offering,))], [facts])


@pytest.fixture(scope="module")
def edge(vendor, provider):
    with serving(vendor, provider) as running:
        yield running


@pytest.fixture
def healthy_edge(vendor, provider):
    """One whose breakers are all closed."""
    with serving(vendor, provider) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(provider, edge):
    provider.log.clear()
    edge.records.clear()


def embed(edge, *, lane: str = "direct", **fields) -> httpx.Response:
    with edge.client(**{"x-gateway-lane": lane}) as http:
        return http.post("/v1/embeddings", json={"model": "acme/one", "input": TEXTS, **fields})


def unpacked(text: str) -> list[float]:
    data = base64.b64decode(text)
    return list(struct.unpack(f"<{len(data) // 4}f", data))


def expected(vendor, texts: list[str]) -> list[list[float]]:
    """OpenAI's scripted form has one vector for whatever it is given."""
    return [answers.VECTOR] * len(texts) if vendor.behaviour == "ok" else [vector(text) for text in texts]


@LANES
@pytest.mark.parametrize("given", [TEXTS, TEXTS[0], TEXTS[:1]], ids=["two", "one as text", "one as list"])
@pytest.mark.parametrize("encoding", [None, "float", "base64"])
def test_vectors_come_in_the_inputs_order_and_the_encoding_asked_for(edge, vendor, lane, given, encoding):
    more = {"encoding_format": encoding} if encoding else {}
    answer = embed(edge, lane=lane, input=given, **more)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-gateway-lane"] == lane
    data = answer.json()["data"]
    assert [(item["object"], item["index"]) for item in data] == [("embedding", i) for i in range(len(data))]
    shown = [item["embedding"] for item in data]
    vectors = [unpacked(each) for each in shown] if encoding == "base64" else shown
    assert vectors == expected(vendor, given if isinstance(given, list) else [given])


def test_provider_is_asked_at_its_own_path_in_its_own_way(edge, vendor, provider):
    embed(edge)
    (seen,) = provider.calls
    assert seen.path == f"/v1{vendor.path}"
    opened = "x-goog-api-key" if vendor.wire_format == "gemini" else "authorization"
    assert seen.headers[opened].removeprefix("Bearer ") == "s3cret"


@LANES
def test_token_numbers_go_only_where_they_are_understood(edge, vendor, provider, lane):
    answer = embed(edge, lane=lane, input=TOKENS)
    if vendor.takes_tokens:
        assert len(answer.json()["data"]) == len(TOKENS)
        assert provider.calls[0].body["input"] == TOKENS
        return
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, "input", "unsupported_parameter")
    assert provider.calls == []
    assert edge.records.opens == []


@LANES
def test_dimensions_are_said_in_the_providers_word(edge, vendor, provider, lane):
    answer = embed(edge, lane=lane, dimensions=5)
    assert answer.status_code == 200, answer.text
    body = provider.calls[0].body
    settings = body["requests"][0] if vendor.wire_format == "gemini" else body
    names = {"voyage": "output_dimension", "cohere": "output_dimension", "gemini": "outputDimensionality"}
    assert settings[names.get(vendor.wire_format, "dimensions")] == 5
    if vendor.wire_format in names:
        assert {len(item["embedding"]) for item in answer.json()["data"]} == {5}


def test_base64_is_asked_for_only_where_it_is_known(edge, vendor, provider):
    embed(edge, encoding_format="base64")
    asked = provider.calls[0].body.get("encoding_format")
    assert asked == ("base64" if vendor.encodes or vendor.wire_format == "openai" else None)


def test_openais_sdk_gets_numbers_and_usage(edge, vendor):
    """It asks for base64 by itself, and decodes that."""
    with OpenAI(api_key=edge.key, base_url=f"{edge.url}/v1", max_retries=0) as client:
        made = client.embeddings.create(model="acme/one", input=TEXTS)
    assert [list(item.embedding) for item in made.data] == expected(vendor, TEXTS)
    assert made.usage.prompt_tokens == made.usage.total_tokens > 0


@LANES
def test_usage_and_cost_are_in_the_ledger_as_in_the_answer(edge, vendor, lane):
    answer = embed(edge, lane=lane)
    closed = recorded(edge)
    tokens = answer.json()["usage"]["prompt_tokens"]
    # Workers AI tells no usage.
    counts = {"ok": len(TEXTS), "workers-ai": estimate_input_tokens({"input": TEXTS})}
    assert tokens == counts.get(vendor.behaviour, TOKENS_A_TEXT * len(TEXTS))
    assert (closed.outcome, closed.usage["input_tokens"], closed.usage["output_tokens"]) == (
        "finished",
        tokens,
        0,
    )
    assert closed.cost_usd == answer.headers["x-gateway-cost"] == f"{tokens / 1_000_000:.10f}"


@LANES
@pytest.mark.parametrize(
    ("refused", "told", "code"),
    [
        (400, 400, "invalid_request"),
        (401, 502, "provider_auth_error"),
        (404, 502, "provider_model_missing"),
        (429, 429, "provider_rate_limited"),
        (500, 502, "provider_unavailable"),
        (502, 502, "provider_unavailable"),
    ],
)
def test_refusal_of_a_provider_is_told_in_openais_form(
    healthy_edge, vendor, provider, lane, refused, told, code
):
    named = str(refused) if vendor.behaviour == "ok" else f"{vendor.behaviour}?status={refused}"
    provider.script(named)
    answer = embed(healthy_edge, lane=lane)
    error = answer.json()["error"]
    assert (answer.status_code, error.keys()) == (told, {"message", "type", "param", "code"}), answer.text
    assert error["code"] == ("invalid_value" if (named, refused) == ("400", 400) else code)
    assert recorded(healthy_edge).outcome == "failed"


@pytest.mark.parametrize("vendor", MOST_INPUTS, indirect=True, scope="module")
def test_too_many_inputs_for_the_provider_are_refused_before_it_is_asked(edge, vendor, provider):
    most = next(most for name, most in MOST_INPUTS.items() if VENDORS[name] is vendor)
    assert embed(edge, input=["x"] * most).status_code == 200
    answer = embed(edge, input=["x"] * (most + 1))
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, "too_many_inputs", "input")
    assert str(most) in error["message"]
    assert len(provider.calls) == 1
