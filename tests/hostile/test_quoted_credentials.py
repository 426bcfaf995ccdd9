"""Providers that quote the gateway's credential in what they refuse: nobody is told it, in no lane and no record."""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import astuple
from urllib.parse import quote

import orjson
import pytest

from providers.formats.registry import FORMATS
from tests.gateway.proxy.edge import RunningEdge, running_edge
from tests.gateway.proxy.test_provider_errors import envelope
from tests.gateway.proxy.test_translation import CLIENTS, ask
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.upstream.speaking import Speaker, speaking

SECRET = 'Zq9"w/k;v&7#mPt'
PLAIN = "Zq9wKv7mPtR4"
"""One that could be a code, or a parameter."""
STATUSES = [400, 401, 404, 413, 422, 429, 500, 529]
FORMS = {
    "header": lambda secret: f"authorization: Bearer {secret} is wrong",
    "JSON": lambda secret: f"got {json.dumps(secret)}",
    "address": lambda secret: f"GET /models?key={quote(secret, safe='')} failed",
    "basic": lambda secret: f"Authorization: Basic {b64encode(f'user:{secret}'.encode()).decode()}",
    "as it is": lambda secret: f"({secret}) {secret}",
}
PIECES = [
    "Zq9",
    "7#mPt",
    "7%23mPt",
    *(b64encode(b"u:"[:n] + SECRET.encode()).decode()[4:12] for n in range(3)),
]


@pytest.fixture(scope="module", params=list(FORMATS))
def speaker(request) -> Iterator[Speaker]:
    with speaking(request.param) as speaker:
        yield speaker


@pytest.fixture(scope="module", params=[SECRET, PLAIN], ids=["odd", "plain"])
def edge(request, speaker) -> Iterator[RunningEdge]:
    provider = a_provider(
        1, base_url=speaker.base_url, wire_format=speaker.wire_format.name, secret=request.param
    )
    with running_edge([a_model(offerings=(an_offering(1, max_output_tokens=1000),))], [provider]) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(edge):
    edge.forget()
    edge.records.clear()


def recorded(edge) -> str:
    return repr([astuple(record) for record in edge.records.settled().closes])


def check(edge, answer) -> None:
    told = f"{answer.headers} {answer.text} {recorded(edge)}"
    assert "removed" in told or "provider_" in told or "invalid_request" in told
    assert not [piece for piece in PIECES if piece in told], told


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("lane", ["direct", "worker"])
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(form, id=name, marks=() if name == "header" else pytest.mark.drill)
        for name, form in FORMS.items()
    ],
)
def test_refusal_of_any_status_tells_nothing_of_it(edge, speaker, client, lane, form):
    secret = edge.process.services.snapshots.current.providers[1].secret
    for status in STATUSES:
        body = envelope(speaker.wire_format.name, status, form(secret), f"input.{secret}")
        speaker.refusal = (status, {"content-type": "application/json"}, body)
        check(edge, ask(edge, client, lane=lane))
        edge.forget()
        edge.records.clear()


@pytest.mark.parametrize("lane", ["direct", "worker"])
@pytest.mark.parametrize("body", [b"%b", b'{"error": "%b"}', b'{"error": {"message": "%b', b"<p>%b</p>"])
def test_refusal_in_no_form_of_its_own_tells_nothing_of_it(edge, speaker, lane, body):
    secret = edge.process.services.snapshots.current.providers[1].secret
    for status in STATUSES:
        speaker.refusal = (status, {}, body % f"no key {secret}".encode())
        check(edge, ask(edge, "openai", lane=lane))
        edge.forget()
        edge.records.clear()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("lane", ["direct", "worker"])
@pytest.mark.parametrize("has_begun", [False, True])
def test_error_inside_a_stream_tells_nothing_of_it(edge, speaker, client, lane, has_begun):
    secret = edge.process.services.snapshots.current.providers[1].secret
    wire_format = speaker.wire_format
    for kind in ("invalid_request_error", "authentication_error", "", PLAIN):
        error = {"message": f"key {secret}", "type": kind, "code": secret, "param": secret}
        event = orjson.dumps({"type": "error", "error": error})
        speaker.is_cut, speaker.refusal, start = True, None, b""
        if has_begun:
            start = speaker.answer("", {"stream": True, **CLIENT_OF[wire_format.name]})[2]
        stream = start + b"event: error\ndata: %b\n\n" % event
        speaker.refusal = (200, {"content-type": "text/event-stream"}, stream)
        check(edge, ask(edge, client, lane=lane, is_streamed=True))
        edge.forget()
        edge.records.clear()


CLIENT_OF = {name: {"model": "upstream", **body} for name, (_, body) in CLIENTS.items()}
