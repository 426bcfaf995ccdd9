"""The edge's patience with bodies that drip, stand still or are not wanted, and with answers that nobody reads."""

from collections.abc import Iterator

import orjson
import pytest

from tests.hostile.guarded_server import CHAT, HANG_S, Client, RunningServer, guarded_server

TEN_MB = 10_000_000
SLOWEST_LINK = 256_000 // 8


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningServer]:
    with guarded_server() as server:
        yield server


@pytest.fixture
def server(shared: RunningServer) -> RunningServer:
    shared.listener.heard.clear()
    shared.listener.gone.clear()
    shared.listener.answer = b""
    return shared


def begin(client: Client, server: RunningServer, *, path: str = CHAT, length: int = TEN_MB) -> None:
    """The head, and wait until the application listens for the body."""
    server.listener.reading.clear()
    client.say(b"POST %s HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % (path.encode(), length))
    if path == CHAT:
        assert server.listener.reading.wait(HANG_S)


def test_body_that_stands_still_is_408_after_60_seconds(server: RunningServer) -> None:
    with server.connect() as client:
        begin(client, server)
        client.say(b"x" * 1000)
        server.pass_time(59.5)
        assert server.connections == 1
        server.pass_time(0.5)
        status, headers, body = client.read_answer()
    assert (status, headers["connection"]) == (408, "close")
    assert orjson.loads(body)["error"]["code"] == "request_timeout"
    assert server.listener.gone.wait(HANG_S)


def test_dripped_body_is_408_once_it_had_60_seconds(server: RunningServer) -> None:
    with server.connect() as client:
        begin(client, server)
        for _ in range(6):
            client.say(b"x")
            server.pass_time(10)
        assert not server.listener.gone.is_set()
        server.pass_time(0.5)
        assert client.read_answer()[0] == 408
    assert server.listener.gone.wait(HANG_S)


def test_ten_megabytes_over_a_slow_link_are_heard(server: RunningServer) -> None:
    with server.connect() as client:
        begin(client, server)
        for _ in range(TEN_MB // (SLOWEST_LINK * 10)):
            client.say(b"x" * SLOWEST_LINK * 10)
            server.pass_time(10)
        client.say(b"x" * (TEN_MB % (SLOWEST_LINK * 10)))
        status, _, body = client.read_answer()
    assert (status, orjson.loads(body)["bytes"]) == (200, TEN_MB)


def test_slow_body_is_judged_by_its_average(server: RunningServer) -> None:
    with server.connect() as client:
        begin(client, server)
        client.say(b"x" * 1024 * 60)
        server.pass_time(59)
        client.say(b"x")
        server.pass_time(59)
        client.say(b"x")
        server.pass_time(2)
        assert server.connections == 1
        server.pass_time(0.5)
        assert client.read_answer()[0] == 408


def test_body_that_waits_for_us_is_not_blamed(server: RunningServer) -> None:
    """Nothing more of the connection is read while an earlier request of it is still answered."""
    server.listener.may_answer.clear()
    with server.connect() as client:
        client.say(b"GET /held HTTP/1.1\r\nhost: a\r\n\r\nPOST /second HTTP/1.1\r\ncontent-length: 5\r\n\r\n")
        server.pass_time(100)
        server.listener.may_answer.set()
        client.say(b"hello")
        assert [orjson.loads(client.read_answer()[2])["bytes"] for _ in range(2)] == [0, 5]


def test_rest_of_an_unwanted_body_is_heard_for_five_seconds(server: RunningServer) -> None:
    with server.connect() as client:
        begin(client, server, path="/deaf")
        assert client.read_answer()[0] == 200
        client.flood(b"x" * 1000, 10)
        server.pass_time(4.5)
        assert server.connections == 1
        server.pass_time(0.5)
        assert client.is_closed()


def test_connection_goes_on_once_the_rest_of_an_unwanted_body_has_come(server: RunningServer) -> None:
    with server.connect() as client:
        begin(client, server, path="/deaf", length=1000)
        assert client.read_answer()[0] == 200
        client.say(b"x" * 1000 + b"GET /next HTTP/1.1\r\nhost: a\r\n\r\n")
        assert orjson.loads(client.read_answer()[2])["path"] == "/next"


@pytest.mark.parametrize("more", [b"", b"connection: close\r\n"], ids=["kept", "closed"])
def test_answer_that_nobody_reads_is_given_up(server: RunningServer, more: bytes) -> None:
    server.listener.answer = b"x" * 50_000_000
    with server.connect() as client:
        client.say(b"GET / HTTP/1.1\r\nhost: a\r\n" + more + b"\r\n")
        client.socket.recv(1)
        server.pass_time(300)
        assert server.connections == 0


def test_answer_that_is_read_slowly_is_not(server: RunningServer) -> None:
    server.listener.answer = b"x" * 50_000_000
    with server.connect() as client:
        client.say(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        read = 0
        while part := client.socket.recv(5_000_000):
            read += len(part)
            server.pass_time(20)
    assert read > 50_000_000


def test_refused_client_that_goes_on_sending_still_reads_why(server: RunningServer) -> None:
    with server.connect() as client:
        client.say(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nno number\r\n")
        client.flood(b"x" * 100_000, 50)
        assert client.read_answer()[0] == 400
