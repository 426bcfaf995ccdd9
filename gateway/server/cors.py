"""Lets pages of other origins call the API from a browser. Off unless origins are named.

Source: Fetch Standard, "CORS protocol". Keys travel in headers, so no cookie is ever asked for, and none is honoured.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.proxy.client import Message, Receive, Send
from gateway.server.front import ANY_ORIGIN, inside
from gateway.server.http_cache import Application

_PATHS = ("/v1/", "/v1beta/", "/openapi.json")
_METHODS = b"GET, HEAD, POST, PATCH, DELETE"
_EXPOSED = b"*"
# What browsers keep a permission for at most.
_KEPT_S = b"7200"
_HEADER_NAMES = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+(?:\s*,\s*[A-Za-z0-9!#$%&'*+.^_`|~-]+)*")
_LONGEST_NAMES = 1024
_Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Cors:
    """An application whose API answers pages of these origins."""

    inner: Application
    origins: frozenset[str]
    base_path: str = ""

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not inside(scope["path"], self.base_path).startswith(_PATHS):
            return await self.inner(scope, receive, send)
        headers = dict(scope["headers"])
        told = self._told(headers.get(b"origin"))
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            return await _allow(send, told, headers.get(b"access-control-request-headers", b""))

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *told]}
            await send(message)

        return await self.inner(scope, receive, tell)

    def _told(self, origin: bytes | None) -> _Headers:
        """Of every answer, since caches keep those of other origins too."""
        varied: _Headers = [] if ANY_ORIGIN in self.origins else [(b"vary", b"origin")]
        if origin is None or not self._is_allowed(origin):
            return varied
        allowed = ANY_ORIGIN.encode() if ANY_ORIGIN in self.origins else origin
        return [
            *varied,
            (b"access-control-allow-origin", allowed),
            (b"access-control-expose-headers", _EXPOSED),
        ]

    def _is_allowed(self, origin: bytes) -> bool:
        return ANY_ORIGIN in self.origins or origin.decode("latin-1").lower() in self.origins


async def _allow(send: Send, told: _Headers, asked_names: bytes) -> None:
    """Answer a browser that asks before it calls. An origin that is not allowed is told nothing, and so stops."""
    headers = [*told, (b"cache-control", b"no-store"), (b"content-length", b"0")]
    if any(name == b"access-control-allow-origin" for name, _ in told):
        headers += [(b"access-control-allow-methods", _METHODS), (b"access-control-max-age", _KEPT_S)]
        if len(asked_names) <= _LONGEST_NAMES and _HEADER_NAMES.fullmatch(asked_names):
            headers.append((b"access-control-allow-headers", asked_names))
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
