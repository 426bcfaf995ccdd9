"""A further wire format is its folder and one registration: nothing else has to know of it.

(Rows that say it need a choice of `Provider.WireFormat` and a migration of its constraint, which no call looks at.)
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import orjson
import pytest

from gateway.core.outbound import OutboundPolicy
from providers.formats.base import CannotTranslate, WrittenRequest
from providers.formats.field_names import FieldNames, client_field
from providers.formats.notes import Notes, leave_natives
from providers.formats.registry import FORMATS, wire_formats
from providers.formats.sse_events import SseEventReader
from providers.operations.registry import lacks, serves
from providers.probes import probe
from providers.wire.access import Access, ModelList
from providers.wire.conversation import Text
from providers.wire.events import Finished, FinishReason, Started, TextDelta, UsageSeen
from providers.wire.failure import ReportedError, failure_for
from tests.gateway.proxy.edge import RunningEdge, recorded, running_edge
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.patience import HANG_S
from tests.used import used

SECRET = "open sesame"


class TelegramReader(SseEventReader):
    """A word an event, and STOP at the end."""

    def _read_value(self, value):
        if value.get("stop"):
            self.is_done = True
            return [Finished(FinishReason.STOP, "STOP"), UsageSeen(_used(value))]
        started = [] if self.has_begun else [Started("t")]
        self.has_begun = True
        return [*started, TextDelta(value["word"])]


class TelegramFormat:
    """What it takes to call its providers."""

    name = "telegram"
    access = Access(key_header="x-wire", models=ModelList("clerks", rows=lambda answer: answer["clerks"]))
    field_names = FieldNames({"messages": "words", "top_k": "haste"}, also={"sender": "user"})
    usage_name = "letters"
    usage_details = ()
    can_limit_calls = True
    reader = TelegramReader

    def write_request(self, conversation, upstream):
        conversation = leave_natives(conversation, Notes(conversation.source))
        if conversation.tools:
            param = client_field(conversation.source, "tool_choice")
            raise CannotTranslate("A telegram takes no tools.", param=param)
        texts = [
            part.text for message in conversation.messages for part in message.parts if isinstance(part, Text)
        ]
        return WrittenRequest("/wire", {"to": upstream.name, "words": texts, "slowly": upstream.is_streamed})

    def read_answer(self, value):
        return [
            Started("t"),
            TextDelta(value["words"]),
            Finished(FinishReason.STOP, "STOP"),
            UsageSeen(_used(value)),
        ]

    def failure(self, status, headers, body):
        error = orjson.loads(body)
        return failure_for(status, ReportedError(message=error["regret"], param=error["about"]))


def _used(value):
    return used(input_tokens=value["letters"][0], output_tokens=value["letters"][1])


class TelegramOffice(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(200, orjson.dumps({"clerks": [{"name": "morse"}]}))

    def do_POST(self) -> None:
        sent = orjson.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers["x-wire"] != SECRET or self.path != "/wire":
            self._answer(401, b'{"regret": "who are you", "about": null}')
        elif sent["words"] == ["refuse"]:
            self._answer(400, b'{"regret": "too hasty", "about": "haste"}')
        elif sent["slowly"]:
            words = b"".join(b'data: {"word": "%b "}\n\n' % word.encode() for word in sent["words"])
            self._answer(200, words + b'data: {"stop": true, "letters": [5, 7]}\n\n', "text/event-stream")
        else:
            self._answer(200, orjson.dumps({"words": " ".join(sent["words"]), "letters": [5, 7]}))

    def _answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def office() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), TelegramOffice)
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(HANG_S)
    server.server_close()


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FORMATS, "telegram", TelegramFormat())  # type: ignore[arg-type]  # no client speaks it


@pytest.fixture
def edge(office: str, registered: None) -> Iterator[RunningEdge]:
    offering = an_offering(
        endpoints=frozenset({"chat.completions", "messages"}),
        upstream_name="morse",
        prices=(a_price("output_text_tokens", "5"),),
    )
    provider = a_provider(base_url=office, wire_format="telegram", secret=SECRET)
    with running_edge([a_model(offerings=(offering,))], [provider]) as running:
        yield running


def asked(*texts: str, **more: object) -> dict[str, object]:
    return {"model": "acme/one", "messages": [{"role": "user", "content": text} for text in texts], **more}


@pytest.mark.parametrize("lane", ["direct", "worker"])
def test_a_client_of_another_format_is_answered_and_the_call_is_billed(edge: RunningEdge, lane: str) -> None:
    with edge.client(**{"x-gateway-lane": lane}) as client:
        answer = client.post("/v1/chat/completions", json=asked("Arrive", "Monday"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "Arrive Monday"
    assert answer.headers["x-gateway-cost"] == "0.0000350000"
    assert recorded(edge).usage["output_tokens"] == 7


@pytest.mark.parametrize(
    ("path", "more"),
    [("/v1/chat/completions", {}), ("/v1/messages", {"max_tokens": 9})],
    ids=["chat", "messages"],
)
def test_a_stream_comes_in_the_words_of_every_surface(
    edge: RunningEdge, path: str, more: dict[str, object]
) -> None:
    with edge.client() as client:
        answer = client.post(path, json=asked("Arrive", "Monday", stream=True, **more))
    assert answer.status_code == 200, answer.text
    assert "Arrive " in answer.text
    assert "Monday " in answer.text
    assert recorded(edge).usage["input_tokens"] == 5


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (asked("refuse"), "top_k"),
        (asked("Arrive", tools=[{"type": "function", "function": {"name": "wait"}}]), "tool_choice"),
    ],
    ids=["by its provider", "by its writer"],
)
def test_a_refusal_names_the_parameter_as_the_client_writes_it(
    edge: RunningEdge, body: dict[str, object], param: str
) -> None:
    with edge.client() as client:
        refused = client.post("/v1/chat/completions", json=body)
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, param), refused.text


def test_its_providers_are_probed_by_its_own_list_of_models(office: str, registered: None) -> None:
    outcome = probe(
        a_provider(base_url=office, wire_format="telegram", secret=SECRET),
        policy=OutboundPolicy(frozenset({office.removeprefix("http://")})),
    )
    assert (outcome.is_healthy, outcome.names) == (True, ("morse",))


def test_it_serves_whatever_generates_text_and_nothing_else(registered: None) -> None:
    assert "telegram" in wire_formats()
    assert serves("telegram", "responses")
    assert lacks("telegram", "embeddings")
