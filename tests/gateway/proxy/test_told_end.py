"""An end that was told is the end, though the provider leaves the connection open."""

import pytest

from providers.engine import Timeouts
from providers.formats.registry import FORMATS
from providers.wire.events import Finished, TextDelta
from tests.gateway.proxy.edge import recorded, running_edge
from tests.gateway.proxy.values import a_model, a_provider
from tests.upstream.speaking import SAID, USAGE, speaking

# Longer than any test may take.
PATIENT = Timeouts(connect_s=5, first_byte_s=600, idle_s=600, total_s=600)
SAY = [{"role": "user", "content": "hi"}]
CLIENTS = {
    "openai": ("/v1/chat/completions", {"model": "acme/one", "messages": SAY, "stream": True}),
    "gemini": (
        "/v1beta/models/acme/one:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    ),
}


@pytest.fixture(scope="module")
def edge():
    with speaking("gemini") as speaker:
        speaker.stays_open = True
        provider = a_provider(1, base_url=speaker.base_url, wire_format="gemini")
        with running_edge([a_model()], [provider], timeouts=PATIENT) as edge:
            yield edge


@pytest.mark.parametrize("lane", ["direct", "worker"])
@pytest.mark.parametrize("client", CLIENTS)
def test_stream_of_google_ends_soon_after_it_was_told_to_have_ended(edge, client, lane):
    edge.records.clear()
    path, body = CLIENTS[client]
    with edge.client(**{"x-gateway-lane": lane}) as http:
        answer = http.post(path, json=body)
    reader = FORMATS[client].reader()
    events = [*reader.feed(answer.content), *reader.finish()]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == SAID
    assert [event.reason.value for event in events if isinstance(event, Finished)] == ["stop"]
    closed = recorded(edge)
    assert (closed.outcome, closed.usage["output_tokens"]) == ("finished", USAGE.counts["output_tokens"])
