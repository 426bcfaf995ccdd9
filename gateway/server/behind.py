"""Django, as it stands behind the edge: its requests share a few connections to SQL."""

from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from gateway.core import sql

_give_back = sync_to_async(close_old_connections)


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
