"""A provider on a real socket that speaks any wire format and always says the same.

It calls the first tool it is given until a tool has answered, answers in JSON where a schema is asked for, and does
what the upstream name of the model says: `refuse-429` answers that status always, `trip-503` the first of every two
times; `trip-429` also says how long to wait.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from providers.formats.base import AnswerFacts, Format, TranslationError
from providers.formats.registry import FORMATS
from providers.wire.conversation import Conversation, OutputKind, ToolResult
from providers.wire.events import (
    Event,
    Finished,
    FinishReason,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from tests.used import used

SAID = "Hello there."
USAGE = used(input_tokens=7, output_tokens=3)
EVENTS: Sequence[Event] = (
    Started(id="upstream-1"),
    TextDelta("Hello"),
    TextDelta(" there."),
    Finished(FinishReason.STOP, "stop"),
    UsageSeen(USAGE),
)
PLACE = {"place": "Oslo", "days": 3}
"""What its tool calls ask, and what it says where a schema is asked for."""
RETRY_AFTER_S = 1
_FACTS = AnswerFacts("upstream-1", 1_780_000_000, "upstream")

Decision = Callable[[Format, dict[str, Any]], Sequence[Event]]


@dataclass
class Speaker:
    """`seen` are the requests: path, headers with lower-case names, body. `is_cut`: streams break off in the middle.

    `stays_open`: all is said, and the connection left open. Nothing is said before `pause_s`. `decide` chooses the
    answer to a body. A test may say it (`events`), or what is refused instead: status, headers and body.
    """

    wire_format: Format
    base_url: str = ""
    is_cut: bool = False
    stays_open: bool = False
    decide: "Decision" = field(default=lambda wire_format, body: _events_for(wire_format.read_request(body)))
    pause_s: float = 0
    events: Sequence[Event] | None = None
    refusal: tuple[int, dict[str, str], bytes] | None = None
    seen: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)
    _tripped: set[str] = field(default_factory=set)

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        model = body.get("model") or _model_in(path)
        status = self._status(model)
        if self.refusal:
            return self.refusal
        if status != 200:
            waits = {"retry-after": str(RETRY_AFTER_S)} if model == "trip-429" else {}
            return self._refuse(status, "Scripted refusal.", waits)
        try:
            events = self.events or self.decide(self.wire_format, body)
        except TranslationError as error:
            return self._refuse(400, error.message, {})
        if body.get("stream") or "streamGenerate" in path:
            return 200, {"content-type": "text/event-stream"}, self._stream(events)
        written = json.dumps(self.wire_format.write_answer(events, _FACTS)).encode()
        return 200, {"content-type": "application/json"}, written

    def _stream(self, events: Sequence[Event]) -> bytes:
        writer = self.wire_format.writer(_FACTS)
        return writer.write(events[:2]) if self.is_cut else writer.write(events) + writer.finish()

    def _status(self, model: str) -> int:
        behaviour, _, status = model.rpartition("-")
        if behaviour == "refuse":
            return int(status)
        if behaviour == "trip" and model not in self._tripped:
            self._tripped.add(model)
            return int(status)
        self._tripped.discard(model)
        return 200

    def _refuse(
        self, status: int, message: str, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        error = {"status": status, "message": message, "type": "scripted", "code": None, "param": None}
        body = json.dumps(self.wire_format.error_body(error, "")).encode()
        return status, {"content-type": "application/json", **headers}, body


def _events_for(conversation: Conversation) -> Sequence[Event]:
    parts = [part for message in conversation.messages for part in message.parts]
    if conversation.tools and not any(isinstance(part, ToolResult) for part in parts):
        arguments = json.dumps(PLACE)
        called = ToolCallStarted(0, "call_1", conversation.tools[0].name)
        pieces = (ToolArguments(0, arguments[:9]), ToolArguments(0, arguments[9:]))
        return (EVENTS[0], called, *pieces, Finished(FinishReason.TOOL_CALLS), EVENTS[-1])
    if conversation.output and conversation.output.kind is OutputKind.SCHEMA:
        return (EVENTS[0], TextDelta(json.dumps(PLACE)), *EVENTS[3:])
    return EVENTS


@contextmanager
def speaking(format_name: str, **options: Any) -> Iterator[Speaker]:
    """`options` are fields of Speaker."""
    speaker = Speaker(FORMATS[format_name], **options)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(speaker))
    speaker.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield speaker
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(speaker: Speaker) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            body = json.loads(self.rfile.read(length))
            headers = {name.lower(): value for name, value in self.headers.items()}
            speaker.seen.append((self.path, headers, body))
            status, answered, data = speaker.answer(self.path, body)
            time.sleep(speaker.pause_s)
            self.send_response(status)
            if not speaker.stays_open:
                answered = {**answered, "content-length": str(len(data))}
            for name, value in answered.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
            if speaker.stays_open:
                # Until the other end hangs up.
                self.rfile.read(1)

        def log_message(self, *_args: Any) -> None: ...

    return Handler


def _model_in(path: str) -> str:
    """Gemini's paths name the model: `/v1/models/upstream:generateContent`."""
    return path.rpartition("/")[2].partition(":")[0]
