"""The process that answers scrapes: `gatehouse metrics`. It reads files and nothing else."""

import hmac
import os
import signal
import socket
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Any

from prometheus_client.exposition import choose_encoder

from gateway.metrics.files import registry_of

PATHS = frozenset({"/metrics", "/"})
REFUSAL = "Send GATEWAY_METRICS_TOKEN as a bearer token."
CHALLENGE = 'Bearer realm="metrics"'
PLAIN = "text/plain; charset=utf-8"
_REQUEST_S = 10.0
_LOOK_S = 0.5


class Orphaned(Exception):
    """Whoever started this process has ended."""


def scrape(folder: Path, accept: str) -> tuple[bytes, str]:
    """The numbers of all processes of this host, and their content type."""
    encode, content_type = choose_encoder(accept)
    return encode(registry_of(folder)), content_type


def shows(authorization: str, token: str) -> bool:
    """Whether a request may see them. Without a token anybody may who comes to the port."""
    return not token or hmac.compare_digest(authorization.encode(), f"Bearer {token}".encode())


def serve(listener: socket.socket, folder: Path, *, token: str, parent: int | None) -> None:
    """Until a signal, or until `parent` is not our parent any more."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    with _Server(listener, folder, token, parent) as server:
        try:
            server.serve_forever(_LOOK_S)
        except Orphaned:
            return


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listener: socket.socket, folder: Path, token: str, parent: int | None) -> None:
        self.folder, self.token, self._parent = folder, token, parent
        self.address_family = listener.family
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener

    def service_actions(self) -> None:
        if self._parent not in {None, os.getppid()}:
            raise Orphaned

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A scraper that leaves half-way is nobody's fault."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _REQUEST_S
    server: _Server
    server_version, sys_version = "gatehouse", ""

    def do_GET(self) -> None:
        if self.path.partition("?")[0] not in PATHS:
            return self._answer(HTTPStatus.NOT_FOUND, b"The metrics are at /metrics.\n")
        if not shows(self.headers.get("authorization", ""), self.server.token):
            return self._answer(HTTPStatus.UNAUTHORIZED, f"{REFUSAL}\n".encode())
        text, content_type = scrape(self.server.folder, self.headers.get("accept", ""))
        return self._answer(HTTPStatus.OK, text, content_type)

    def _answer(self, status: HTTPStatus, text: bytes, content_type: str = PLAIN) -> None:
        self.send_response(status)
        self.send_header("content-type", content_type)
        self.send_header("content-length", str(len(text)))
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("www-authenticate", CHALLENGE)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_HEAD = do_GET  # noqa: N815  # the name that the server looks for

    def log_message(self, *_: Any) -> None:
        """A line for each scrape tells nobody anything."""
