"""A provider that knows some keys and refuses all others: its list of models, and chat."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_780_000_000,
    "model": "scripted-model",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
}


@dataclass
class Vendor:
    """`known` are its keys; `shown` what callers of chat have shown it, in turn. `is_open`: its list is everybody's."""

    base_url: str = ""
    known: set[str] = field(default_factory=set)
    shown: list[str] = field(default_factory=list)
    status: int = 401
    is_open: bool = False

    @property
    def address(self) -> str:
        """As the settings of the outbound policy name it."""
        return self.base_url.removeprefix("http://").removesuffix("/v1")

    def answer(self, method: str, secret: str) -> tuple[int, Any]:
        if method == "POST":
            self.shown.append(secret)
        if secret not in self.known and not (self.is_open and method == "GET"):
            return self.status, {"error": {"message": f"Wrong API key: {secret}", "type": "auth"}}
        return 200, {"data": [{"id": "scripted-model"}]} if method == "GET" else ANSWER


@contextmanager
def selling(*known: str) -> Iterator[Vendor]:
    vendor = Vendor(known=set(known))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(vendor))
    vendor.base_url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, args=[0.02], daemon=True)
    thread.start()
    try:
        yield vendor
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(vendor: Vendor) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self._answer("POST")

        def _answer(self, method: str) -> None:
            status, body = vendor.answer(
                method, self.headers.get("authorization", "").removeprefix("Bearer ")
            )
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_args: Any) -> None: ...

    return Handler
