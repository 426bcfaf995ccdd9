"""What Django is sent of a body, and what the running product says to bodies that it does not want."""

import asyncio
from typing import Any

import orjson
import pytest

from gateway.server.behind import Bounded
from tests.hostile.guarded_server import CHAT, Client
from tests.system.embedded import Product

CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


class Counting:
    """Stands behind, as Django does: takes the whole body in, and lets go where the client leaves."""

    def __init__(self) -> None:
        self.size = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] == "http.request":
            self.size += len(message["body"])
            if not message["more_body"]:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return


def post(path: str, parts: list[bytes], *headers: tuple[bytes, bytes]) -> tuple[int, int]:
    """The status, and how many bytes were let through to an application of 10 bytes a form and 20 a sheet."""
    behind, sent = Counting(), []
    left = [*parts]

    async def receive() -> Any:
        part = left.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(left)}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "headers": headers}
    asyncio.run(Bounded(behind, form_bytes=10, import_bytes=20)(scope, receive, send))
    return sent[0]["status"], behind.size


IMPORT = "/admin/catalogue/model/import/"


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [("/healthz", 10, 200), ("/healthz", 11, 413), (IMPORT, 20, 200), (IMPORT, 21, 413)],
)
def test_body_is_bounded_by_its_address(path: str, size: int, status: int) -> None:
    assert post(path, [b"x"] * size)[0] == status


def test_declared_length_is_refused_before_anything_is_read() -> None:
    assert post("/v1/keys", [b"x" * 11], (b"content-length", b"11")) == (413, 0)


def test_nothing_beyond_the_limit_is_let_through() -> None:
    assert post("/v1/keys", [b"x" * 6, b"x" * 6, b"x" * 6]) == (413, 6)


def connect(product: Product) -> Client:
    return Client.to(product.port)


@pytest.mark.parametrize("path", ["/healthz", "/v1/keys", "/admin/login/", "/", "/v1/models"])
def test_endless_body_is_413_wherever_it_goes(product: Product, path: str) -> None:
    with connect(product) as client:
        client.say(
            b"POST %s HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n" % path.encode()
        )
        client.flood(CHUNK, 100)
        status, headers, _ = client.read_answer()
        assert (status, headers["connection"]) == (413, "close")
        assert client.flood(CHUNK, 4000) < 4000 * len(CHUNK)


def test_endless_body_of_a_call_is_413_in_the_words_of_its_surface(product: Product) -> None:
    head = b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    with connect(product) as client:
        client.say(head + b"x-api-key: %s\r\ntransfer-encoding: chunked\r\n\r\n" % product.key.encode())
        client.flood(CHUNK, 300)
        status, headers, body = client.read_answer()
    assert (status, headers["connection"]) == (413, "close")
    assert orjson.loads(body)["type"] == "error"


def test_key_in_a_trailer_opens_nothing(product: Product) -> None:
    head = b"POST %s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" % CHAT.encode()
    body = orjson.dumps({"model": "demo/chat", "messages": [{"role": "user", "content": "hello"}]})
    chunks = b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n" % (len(body), body)
    key = b"authorization: Bearer %s\r\n" % product.key.encode()
    statuses = []
    for request in (head + key + chunks + b"\r\n", head + chunks + key + b"\r\n"):
        with connect(product) as client:
            client.say(request)
            statuses.append(client.read_answer()[0])
    assert statuses == [200, 401]
