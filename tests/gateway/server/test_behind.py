"""What becomes of a request's connections to SQL: each is given back, whoever opened it and however it ends."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.test import Client

from gateway.server.behind import Behind
from tests import make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def opened() -> Iterator[list[BaseDatabaseWrapper]]:
    """Every connection that is opened from now on, in whatever thread."""
    found: list[BaseDatabaseWrapper] = []

    def note(connection: BaseDatabaseWrapper, **_: Any) -> None:
        found.append(connection)

    connection_created.connect(note)
    yield found
    connection_created.disconnect(note)


@pytest.fixture
def cookie() -> bytes:
    client = Client()
    client.force_login(make.make_user("member"))
    return f"sessionid={client.cookies['sessionid'].value}".encode()


class Visitor:
    """One request as ASGI has it; `at_start` is called when the answer begins to leave."""

    def __init__(self, path: str, cookie: bytes, *, leaves: bool = False) -> None:
        self.status = 0
        self.open_at_start = 0
        self._leaves = leaves
        self._has_asked = False
        self._is_answered = asyncio.Event()
        headers = [(b"host", b"localhost"), (b"cookie", cookie)]
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
            "server": ("localhost", 80),
        }

    async def visit(self, opened: list[BaseDatabaseWrapper]) -> None:
        async def receive() -> dict[str, Any]:
            if not self._has_asked:
                self._has_asked = True
                return {"type": "http.request", "body": b""}
            if not self._leaves:
                await self._is_answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.open_at_start = count_open(opened)
            elif not message.get("more_body"):
                self._is_answered.set()

        await Behind()(self._scope, receive, send)


def count_open(opened: list[BaseDatabaseWrapper]) -> int:
    return sum(wrapper.connection is not None for wrapper in opened)


def visit(path: str, cookie: bytes, opened: list[BaseDatabaseWrapper], *, leaves: bool = False) -> Visitor:
    async def go() -> Visitor:
        visitor = Visitor(path, cookie, leaves=leaves)
        await visitor.visit(opened)
        return visitor

    return asyncio.run(go())


@pytest.mark.parametrize(("path", "status"), [("/keys", 200), ("/admin/", 302), ("/nowhere", 404)])
def test_connection_is_given_back_before_the_answer_leaves(
    path: str, status: int, cookie: bytes, opened: list[BaseDatabaseWrapper]
) -> None:
    visitor = visit(path, cookie, opened)
    assert (visitor.status, visitor.open_at_start) == (status, 0)
    assert opened


def test_client_that_leaves_takes_no_connection_along(
    cookie: bytes, opened: list[BaseDatabaseWrapper]
) -> None:
    visit("/keys", cookie, opened, leaves=True)
    assert count_open(opened) == 0
