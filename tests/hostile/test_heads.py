"""What the edge takes of a request's head: how much, how many fields, how long; and what may follow it."""

from collections.abc import Iterator

import orjson
import pytest

from tests.hostile.guarded_server import CHAT, RunningServer, guarded_server
from tests.patience import HANG_S

GET = b"GET / HTTP/1.1\r\nhost: a\r\n"


@pytest.fixture(scope="module")
def shared() -> Iterator[RunningServer]:
    with guarded_server() as server:
        yield server


@pytest.fixture
def server(shared: RunningServer) -> RunningServer:
    shared.listener.heard.clear()
    return shared


def fields(count: int, value: bytes = b"v") -> bytes:
    return b"".join(b"x-%d: %s\r\n" % (number, value) for number in range(count))


def test_head_at_both_limits_is_heard(server: RunningServer) -> None:
    with server.connect() as client:
        client.say(GET + fields(199, b"v" * 300) + b"\r\n")
        status, _, body = client.read_answer()
    assert status == 200
    assert len(orjson.loads(body)["headers"]) == 200


def test_field_too_many_is_431(server: RunningServer) -> None:
    with server.connect() as client:
        client.say(GET + fields(200) + b"\r\n")
        status, headers, _ = client.read_answer()
        assert (status, headers["connection"]) == (431, "close")
        assert client.is_closed()
    assert server.listener.heard == []


@pytest.mark.parametrize(
    "attack",
    [
        GET + b"x: " + b"v" * 1_000_000,
        GET + fields(100, b"v" * 10_000),
        b"GET /" + b"a" * 1_000_000,
        b"GET / HTTP/1.1\r\n" + b"n" * 1_000_000,
    ],
    ids=["endless value", "large fields", "endless url", "endless name"],
)
def test_head_that_is_too_large_is_431_long_before_its_end(server: RunningServer, attack: bytes) -> None:
    with server.connect() as client:
        client.flood(attack, 100)
        status, headers, _ = client.read_answer()
    assert (status, headers["connection"]) == (431, "close")


def test_refused_head_leaves_no_connection_behind(server: RunningServer) -> None:
    with server.connect() as client:
        client.say(GET + fields(300))
        client.read_answer()
        server.pass_time(10)
        assert client.is_closed()
        assert server.connections == 0


LISTED = "/v1beta/models"


def test_refusal_is_in_the_words_of_the_surface(server: RunningServer) -> None:
    said = {}
    for path in (
        CHAT,
        "/v1/messages",
        "/v1beta/models/acme:generateContent",
        "/v1/gateway/models",
        "/v1/x",
        LISTED,
    ):
        with server.connect() as client:
            client.say(b"POST %s HTTP/1.1\r\nhost: a\r\n" % path.encode() + fields(300))
            status, headers, body = client.read_answer()
            assert (status, headers["content-type"]) == (431, "application/json")
            assert headers["x-request-id"].startswith("req_")
            said[path] = orjson.loads(body)
    assert said[CHAT]["error"]["code"] == said["/v1/x"]["error"]["code"] == "request_head_too_large"
    assert said["/v1/messages"]["type"] == "error"
    assert said["/v1beta/models/acme:generateContent"]["error"]["code"] == 431
    assert said[LISTED]["error"]["status"]
    assert said["/v1/gateway/models"]["ok"] is False


def test_dripped_head_is_408_ten_seconds_after_its_first_byte(server: RunningServer) -> None:
    with server.connect() as client:
        server.pass_time(60)
        client.say(b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n")
        for _ in range(19):
            client.say(b"x")
            server.pass_time(0.5)
        assert server.connections == 1
        server.pass_time(0.5)
        status, headers, body = client.read_answer()
    assert (status, headers["connection"]) == (408, "close")
    assert orjson.loads(body)["error"]["code"] == "request_timeout"


def test_silent_connection_is_kept_for_75_seconds(server: RunningServer) -> None:
    with server.connect() as client:
        server.pass_time(74.5)
        assert server.connections == 1
        server.pass_time(0.5)
        assert client.is_closed()


def test_idle_connection_is_kept_for_75_seconds_after_each_answer(server: RunningServer) -> None:
    with server.connect() as client:
        for _ in range(2):
            client.say(GET + b"\r\n")
            assert client.read_answer()[0] == 200
            server.pass_time(74.5)
        server.pass_time(0.5)
        assert client.is_closed()


def test_line_ends_between_requests_do_not_keep_a_connection(server: RunningServer) -> None:
    with server.connect() as client:
        for _ in range(15):
            client.say(b"\r\n")
            server.pass_time(5)
        assert client.is_closed()


def test_pipelined_requests_are_answered_in_order(server: RunningServer) -> None:
    with server.connect() as client:
        client.say(b"".join(b"GET /%d HTTP/1.1\r\nhost: a\r\n\r\n" % number for number in range(3)))
        paths = [orjson.loads(client.read_answer()[2])["path"] for _ in range(3)]
        assert paths == ["/0", "/1", "/2"]
        server.pass_time(75)
        assert client.is_closed()


def test_trailers_are_not_headers(server: RunningServer) -> None:
    chunked = b"POST /deaf HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
    for path in (b"/deaf", b"/v1/chat/completions"):
        with server.connect() as client:
            client.say(chunked.replace(b"/deaf", path) + b"authorization: Bearer x\r\nhost: b\r\n\r\n")
            told = orjson.loads(client.read_answer()[2])
        assert told["headers"] == [["host", "a"], ["transfer-encoding", "chunked"]]


@pytest.mark.parametrize("more", [b"x: " + b"v" * 100_000, b"x: v\r\n" * 20_000], ids=["long", "many"])
def test_trailers_have_an_end(server: RunningServer, more: bytes) -> None:
    with server.connect() as client:
        client.say(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n")
        server.on_loop(lambda: None)
        client.flood(more, 20)
        assert client.read_answer()[0] == 400
    assert server.listener.gone.wait(HANG_S)


def test_chunk_extensions_have_an_end(server: RunningServer) -> None:
    with server.connect() as client:
        client.say(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2;")
        server.on_loop(lambda: None)
        client.flood(b"x" * 100_000, 20)
        assert client.read_answer()[0] == 400


@pytest.mark.parametrize(
    ("length", "status"), [(16 * 1024 - 1, 200), (16 * 1024, 414)], ids=["at the limit", "beyond"]
)
def test_url_of_more_than_16_kib_is_414(server: RunningServer, length: int, status: int) -> None:
    with server.connect() as client:
        client.say(b"GET /" + b"a" * length + b" HTTP/1.1\r\nhost: a\r\n\r\n")
        assert client.read_answer()[0] == status


def test_url_counts_as_it_is_once_unpacked(server: RunningServer) -> None:
    with server.connect() as client:
        client.say(b"GET /?q=" + b"%C3%A9" * 8000 + b" HTTP/1.1\r\nhost: a\r\n\r\n")
        assert client.read_answer()[0] == 200
        client.say(b"GET /?q=" + b"%C3%A9" * 8200 + b" HTTP/1.1\r\nhost: a\r\n\r\n")
        assert client.read_answer()[0] == 414


@pytest.mark.parametrize("noise", [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_noise_is_answered_with_400_and_leaves_the_log_alone(
    server: RunningServer, noise: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with server.connect() as client:
        client.say(noise)
        status, headers, _ = client.read_answer()
    assert (status, headers["connection"]) == (400, "close")
    assert caplog.records == []


def test_wish_for_another_protocol_is_answered_in_this_one(server: RunningServer) -> None:
    wish = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"
    with server.connect() as client:
        client.say(GET + wish + b"\r\n")
        status, headers, _ = client.read_answer()
        assert (status, headers["connection"]) == (200, "close")
        assert client.is_closed()
