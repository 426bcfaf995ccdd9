"""A request whose length can be read in two ways is refused, and what stands in its body is no second request."""

from collections.abc import Iterator

import pytest

from tests.hostile.guarded_server import RunningServer, guarded_server

HIDDEN = b"GET /hidden HTTP/1.1\r\nhost: a\r\n\r\n"
CHUNKED = b"0\r\n\r\n" + HIDDEN


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with guarded_server() as server:
        yield server


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (b"content-length: %d\r\ntransfer-encoding: chunked\r\n" % len(CHUNKED), CHUNKED),
        (b"transfer-encoding: chunked\r\ncontent-length: 4\r\n", CHUNKED),
        (b"content-length: 0\r\ncontent-length: %d\r\n" % len(HIDDEN), HIDDEN),
        (b"content-length: 0, %d\r\n" % len(HIDDEN), HIDDEN),
        (b"content-length: +0\r\n", HIDDEN),
        (b"content-length: 0x0\r\n", HIDDEN),
        (b"content-length: -1\r\n", HIDDEN),
        (b"content-length : 0\r\n", HIDDEN),
        (b"transfer-encoding: identity\r\n", CHUNKED),
        (b"transfer-encoding: chunked, identity\r\n", CHUNKED),
        (b"transfer-encoding: xchunked\r\n", CHUNKED),
        (b"transfer-encoding : chunked\r\n", CHUNKED),
        (b"x: y\r\n transfer-encoding: chunked\r\n", HIDDEN),
        (b"x: y\ntransfer-encoding: chunked\r\n", CHUNKED),
        (b"transfer-encoding: chunked\r\n", b"-1\r\n\r\n" + HIDDEN),
        (b"transfer-encoding: chunked\r\n", b"0x0\r\n\r\n" + HIDDEN),
    ],
    ids=[
        *(
            "a length and chunks",
            "chunks and a length",
            "two lengths",
            "a list of lengths",
            "a sign",
            "another base",
        ),
        *(
            "below nothing",
            "a space before the colon",
            "no coding",
            "chunks inside of something",
            "another coding",
        ),
        *(
            "a space before the colon of the coding",
            "a folded line",
            "half a line end",
            "a chunk below nothing",
        ),
        "a chunk in another base",
    ],
)
def test_what_could_be_two_requests_is_refused_as_one(
    server: RunningServer, fields: bytes, body: bytes
) -> None:
    server.listener.heard.clear()
    with server.connect() as client:
        client.say(b"POST /deaf HTTP/1.1\r\nhost: a\r\n" + fields + b"\r\n" + body)
        status, headers, _ = client.read_answer()
        assert (status, headers["connection"]) == (400, "close")
        assert client.is_closed()
    assert [each["path"] for each in server.listener.heard if each["path"] != "/deaf"] == []


def test_two_lengths_that_agree_are_one_request_at_most(server: RunningServer) -> None:
    server.listener.heard.clear()
    with server.connect() as client:
        client.say(b"POST /deaf HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\nhi")
        assert client.read_answer()[0] in {200, 400}
    assert len(server.listener.heard) <= 1
