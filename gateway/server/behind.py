"""Django, as it stands behind the edge: its requests share a few connections to SQL, and what it is sent is bounded.

It takes a whole body in, to the disk where need be, before it looks at anything.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from gateway.core import sql
from gateway.proxy.client import Message, Receive, Send
from gateway.proxy.early import early_answer
from gateway.proxy.errors import BodyTooLarge
from gateway.server.http_cache import Application

_IMPORT = re.compile(r"/admin/\w+/\w+/import/")
_give_back = sync_to_async(close_old_connections)


@dataclass(frozen=True, slots=True)
class Bounded:
    """An application behind a limit of its own for every body; sheets that staff bring in may be larger."""

    behind: Application
    form_bytes: int
    import_bytes: int

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        limit_bytes = self.import_bytes if _IMPORT.fullmatch(scope["path"]) else self.form_bytes
        body = _Body(receive, limit_bytes)
        body.is_too_large = _declared_bytes(scope) > limit_bytes
        if not body.is_too_large:
            await self.behind(scope, body.receive, send)
        if body.is_too_large:
            await _refuse(str(scope["path"]), limit_bytes, send)


@dataclass(slots=True)
class _Body:
    source: Receive
    limit_bytes: int
    size: int = 0
    is_too_large: bool = False

    async def receive(self) -> Message:
        """What is too large ends as if the client had left: Django then lets go of what it has."""
        message = await self.source()
        self.size += len(message.get("body", b""))
        self.is_too_large = self.size > self.limit_bytes
        return {"type": "http.disconnect"} if self.is_too_large else message


def _declared_bytes(scope: Mapping[str, Any]) -> int:
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
    return int(declared) if declared.isdigit() else 0


async def _refuse(path: str, limit_bytes: int, send: Send) -> None:
    error = BodyTooLarge(f"The body is larger than {limit_bytes} bytes, the limit here.", param="body")
    headers, body = early_answer(path, error)
    await send({"type": "http.response.start", "status": error.http_status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Behind(ASGIHandler):
    """Each request has a thread of its own, so that only the pool bounds how many connections there are."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with sql.pooled():
            await super().__call__(scope, receive, send)

    async def run_get_response(self, request: HttpRequest) -> HttpResponseBase:
        """Give the connection back before the answer leaves: a client that reads slowly holds no place."""
        response: HttpResponseBase = await super().run_get_response(request)
        await _give_back()
        return response
