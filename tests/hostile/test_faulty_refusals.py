"""Refusals whose body is faulty: the status says what they are, and nobody waits for more than that."""

import gzip
from collections.abc import Iterator

import pytest

from providers.formats.registry import FORMATS
from tests.gateway.proxy.edge import RunningEdge, recorded, running_edge
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.hostile.raw_provider import CLOSE, HANG, RESET, RawProvider, raw_provider

JSON = "content-type: application/json\r\n"
HTML = b"<html>" + b"<p>Too many</p>" * 8_000
SAID = b'{"error": {"message": "No.", "filler": "%b"}}' % (b"x" * 100_000)
BODIES = {
    "large HTML": (f"content-type: text/html\r\ncontent-length: {len(HTML)}\r\n", HTML, CLOSE),
    "large JSON": (f"{JSON}content-length: {len(SAID)}\r\n", SAID, CLOSE),
    "endless": (f"{JSON}transfer-encoding: chunked\r\n", b"2000\r\n%b\r\n" % (b"x" * 0x2000) * 20, HANG),
    "cut": (f"{JSON}content-length: 1000\r\n", b'{"error": {"mess', CLOSE),
    "reset": (f"{JSON}content-length: 1000\r\n", b'{"error": {"mess', RESET),
    "no body comes": (f"{JSON}content-length: 1000\r\n", b"", HANG),
    "half of it comes": (f"{JSON}content-length: 1000\r\n", b'{"error"', HANG),
    "no gzip": (f"{JSON}content-encoding: gzip\r\ncontent-length: 4\r\n", b"none", CLOSE),
    "half a gzip": (f"{JSON}content-encoding: gzip\r\n", gzip.compress(SAID)[:60], CLOSE),
    "a bomb": (f"{JSON}content-encoding: gzip\r\n", gzip.compress(bytes(50_000_000)), CLOSE),
    "unknown coding": (f"{JSON}content-encoding: br\r\ncontent-length: 4\r\n", b"none", CLOSE),
    "no chunks": (f"{JSON}transfer-encoding: chunked\r\n", b"no chunks at all", CLOSE),
    "empty": (f"{JSON}content-length: 0\r\n", b"", CLOSE),
}
STATUSES = {
    429: (429, "provider_rate_limited", "7"),
    401: (502, "provider_auth_error", None),
    404: (502, "provider_model_missing", None),
    400: (400, "invalid_request", None),
    503: (502, "provider_unavailable", "7"),
}


@pytest.fixture(scope="module")
def provider() -> Iterator[RawProvider]:
    with raw_provider() as provider:
        yield provider


@pytest.fixture(scope="module", params=list(FORMATS))
def edge(request, provider) -> Iterator[RunningEdge]:
    facts = a_provider(1, base_url=provider.base_url, wire_format=request.param, secret="s3cret-of-ours")
    with running_edge([a_model(offerings=(an_offering(1, max_output_tokens=1000),))], [facts]) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(edge):
    edge.forget()
    edge.records.clear()


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_refusal_keeps_its_class_whatever_is_wrong_with_its_body(edge, provider, body):
    headers, data, then = body
    for status, (seen, code, wait) in STATUSES.items():
        if then == HANG and status not in {429, 401}:
            continue
        provider.refuse(status, f"{headers}retry-after: 7\r\n", data, then)
        answer = edge.chat(lane="worker" if status == 429 else "direct")
        assert (answer.status_code, answer.json()["error"]["code"]) == (seen, code), answer.text
        if wait:
            assert answer.headers["retry-after"] == wait
        closed = recorded(edge)
        assert closed.status == status
        assert bool(closed.about_us) == (status == 401)
        edge.forget()
        edge.records.clear()


@pytest.mark.parametrize(
    "said",
    [
        b"API key not valid. Please pass a valid API key.",
        b"Invalid API key: sk-1234567890",
        b'{"error": {"message": "Incorrect API key provided"}}',
        b'{"error": "invalid x-api-key"}',
        b'{"error": {"message": "api_key invalid", "filler": "' + b"x" * 100_000,
        b"<html><h1>Invalid API key</h1></html>",
        b"bad key",
    ],
)
@pytest.mark.parametrize("status", [400, 403, 422])
def test_text_that_says_that_the_key_is_bad_alarms(edge, provider, said, status):
    provider.refuse(status, f"content-length: {len(said)}\r\n", said)
    answer = edge.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "provider_auth_error"), answer.text
    assert recorded(edge).about_us


@pytest.mark.parametrize(
    "said",
    [
        b"Invalid key 'foo' in messages[0]",
        b"bad key in logit_bias",
        b"Unknown key: temperature2",
        b"wrong key 'x'",
    ],
)
def test_a_key_of_the_callers_json_is_the_callers_mistake(edge, provider, said):
    provider.refuse(400, f"content-length: {len(said)}\r\n", said)
    assert edge.chat().status_code == 400
    assert not recorded(edge).about_us
