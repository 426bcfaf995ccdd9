"""A provider that costs next to nothing: `python -m benchmarks.upstream PORT`. No framework, OpenAI's shapes.

Below `/sick` it fails whatever it is asked.

Each chunk of a stream holds the monotonic time at which it was due (`@12345.678901`), so that whoever reads it on
the same machine knows how long it took. `metadata` of a request sets chunks, first_ms and gap_ms.
"""

import asyncio
import sys
import time
from typing import Any

import httptools
import orjson
import uvloop

_TEXT = "A catalogue is kept, not generated: somebody chose what stands in it. " * 9
_USAGE = {"prompt_tokens": 180, "completion_tokens": 160, "total_tokens": 340}
_ANSWER = orjson.dumps(
    {
        "id": "chatcmpl-benchmark",
        "object": "chat.completion",
        "created": 1790000000,
        "model": "bench-model",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": _TEXT}, "finish_reason": "stop"}
        ],
        "usage": _USAGE,
    }
)
_WHOLE = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(_ANSWER),
    _ANSWER,
)
_SICK = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


def _event(choices: str, usage: str = "null") -> bytes:
    head = '"id":"chatcmpl-benchmark","object":"chat.completion.chunk","created":1790000000,"model":"bench-model"'
    return f'data: {{{head},"choices":[{choices}],"usage":{usage}}}\n\n'.encode()


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


_DELTA = _event('{"index":0,"delta":{"content":"@TIME token "},"logprobs":null,"finish_reason":null}')
_BEFORE_TIME, _AFTER_TIME = _DELTA.split(b"TIME")
_LAST = _chunked(
    _event('{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}')
    + _event("", orjson.dumps(_USAGE).decode())
    + b"data: [DONE]\n\n"
)


class Connection(asyncio.Protocol):
    """One client. Parser callbacks have httptools' names."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._timer: asyncio.TimerHandle | None = None
        self._body = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's
        if self._timer:
            self._timer.cancel()

    def on_message_begin(self) -> None:
        self._body = b""

    def on_url(self, url: bytes) -> None:
        self._is_sick = url.startswith(b"/sick/")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        if self._is_sick:
            self._transport.write(_SICK)
            return
        # Some gateways look first whether anybody is there.
        asked = orjson.loads(self._body or b"{}")
        if not asked.get("stream"):
            self._transport.write(_WHOLE)
            return
        pace = asked.get("metadata") or {}
        self._left = int(pace.get("chunks", 40))
        self._gap_s = int(pace.get("gap_ms", 20)) / 1000
        self._due_at = time.monotonic() + int(pace.get("first_ms", 50)) / 1000
        self._transport.write(_STREAM_HEAD)
        self._wait()

    def _wait(self) -> None:
        self._timer = self._loop.call_later(max(0.0, self._due_at - time.monotonic()), self._send_chunk)

    def _send_chunk(self) -> None:
        chunk = _chunked(b"%b%.6f%b" % (_BEFORE_TIME, self._due_at, _AFTER_TIME))
        self._left -= 1
        if self._left:
            self._transport.write(chunk)
            self._due_at += self._gap_s
            self._wait()
        else:
            self._timer = None
            self._transport.write(chunk + _LAST + b"0\r\n\r\n")


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
