"""A provider on a real socket that speaks any wire format and always says the same, or refuses."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from providers.formats.base import AnswerFacts, Format
from providers.formats.registry import FORMATS
from providers.wire.events import Event, Finished, FinishReason, Started, TextDelta, UsageSeen
from providers.wire.usage import Usage

SAID = "Hello there."
USAGE = Usage(input_tokens=7, output_tokens=3)
EVENTS: Sequence[Event] = (
    Started(id="upstream-1"),
    TextDelta("Hello"),
    TextDelta(" there."),
    Finished(FinishReason.STOP, "stop"),
    UsageSeen(USAGE),
)
_FACTS = AnswerFacts("upstream-1", 1_780_000_000, "upstream")


@dataclass
class Speaker:
    """`seen` are the requests: path, headers with lower-case names, body. `is_cut`: streams break off in the middle.

    `refusal` is given instead of an answer: status, headers and body.
    """

    wire_format: Format
    base_url: str = ""
    is_cut: bool = False
    events: Sequence[Event] = EVENTS
    refusal: tuple[int, dict[str, str], bytes] | None = None
    seen: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)

    def answer(self) -> bytes:
        return json.dumps(self.wire_format.write_answer(self.events, _FACTS)).encode()

    def stream(self) -> bytes:
        writer = self.wire_format.writer(_FACTS)
        if self.is_cut:
            return writer.write(self.events[:2])
        return writer.write(self.events) + writer.finish()


@contextmanager
def speaking(format_name: str) -> Iterator[Speaker]:
    speaker = Speaker(FORMATS[format_name])
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(speaker))
    speaker.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
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
            if speaker.refusal:
                return self._send(*speaker.refusal)
            is_streamed = bool(body.get("stream")) or "streamGenerate" in self.path
            data = speaker.stream() if is_streamed else speaker.answer()
            kind = "text/event-stream" if is_streamed else "application/json"
            return self._send(200, {"content-type": kind}, data)

        def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_args: Any) -> None: ...

    return Handler
