"""How many connections there may be, and what the others are told."""

import resource
from contextlib import ExitStack

import orjson
import pytest

from gateway.core.client_address import read_trusted_proxies
from gateway.server.descriptors import KEPT_BACK, raise_limit, share_for_clients
from tests.hostile.guarded_server import CHAT, guarded_server
from tests.services import wait_until

GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
POST = b"POST %s HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n" % CHAT.encode()


def test_connection_too_many_is_503_with_the_time_to_wait() -> None:
    with guarded_server(connections=2) as server, ExitStack() as open_ones:
        clients = [open_ones.enter_context(server.connect()) for _ in range(2)]
        for client in clients:
            client.say(GET)
            assert client.read_answer()[0] == 200
        with server.connect() as late:
            late.say(POST)
            status, headers, body = late.read_answer()
            assert (status, headers["connection"], headers["retry-after"]) == (503, "close", "1")
            assert orjson.loads(body)["error"]["code"] == "too_many_connections"
            assert late.is_closed()


def test_room_is_given_again() -> None:
    with guarded_server(connections=1) as server:
        for _ in range(3):
            with server.connect() as client:
                client.say(GET)
                assert client.read_answer()[0] == 200
            server.on_loop(lambda: None)


def test_connection_too_many_that_says_nothing_is_closed_soon() -> None:
    with guarded_server(connections=1) as server, server.connect(), server.connect() as late:
        server.pass_time(2)
        assert late.is_closed()
        assert server.connections == 1


def test_flood_of_silent_connections_is_held_down(caplog: pytest.LogCaptureFixture) -> None:
    with guarded_server(connections=10) as server, ExitStack() as open_ones:
        for _ in range(200):
            open_ones.enter_context(server.connect())
        wait_until(lambda: server.connections == 10 + 64, "turning the others away")
        server.pass_time(2)
        assert server.connections == 10
        server.pass_time(30)
    assert len(caplog.records) == 1
    assert "190 connections were turned away" in caplog.text


def test_one_address_is_limited_by_setting_only() -> None:
    with (
        guarded_server(connections=100, per_address=1) as server,
        server.connect(),
        server.connect() as second,
    ):
        second.say(GET)
        assert second.read_answer()[0] == 503


def test_trusted_proxy_is_many_clients() -> None:
    proxies = read_trusted_proxies(["127.0.0.1"])
    with (
        guarded_server(per_address=1, proxies=proxies) as server,
        server.connect(),
        server.connect() as second,
    ):
        second.say(GET)
        assert second.read_answer()[0] == 200


def test_silent_ones_make_room_while_others_are_turned_away() -> None:
    with guarded_server(connections=2) as server, server.connect() as silent, server.connect() as asking:
        asking.say(POST.replace(b"length: 0", b"length: 9"))
        server.pass_time(20)
        assert server.connections == 2
        with server.connect() as late:
            late.say(GET)
            assert late.read_answer()[0] == 503
        server.pass_time(0.5)
        assert silent.is_closed()
        wait_until(lambda: server.connections == 1, "letting go of those that left")
        with server.connect() as later:
            later.say(GET)
            assert later.read_answer()[0] == 200


def test_hundred_dripped_heads_and_bodies_are_gone_after_their_time() -> None:
    with guarded_server() as server, ExitStack() as open_ones:
        for number in range(100):
            client = open_ones.enter_context(server.connect())
            client.say(GET[:-2] if number % 2 else POST.replace(b"length: 0", b"length: 9"))
        wait_until(lambda: server.connections == 100, "accepting all")
        server.pass_time(15)
        assert server.connections == 50
        server.pass_time(50)
        assert server.connections == 0


@pytest.mark.parametrize(
    ("descriptors", "upstream", "clients"),
    [(20_000, 2_000, 10_000), (1_024, 2_000, 416), (4_096, 100, 3_804), (100, 100, 1)],
)
def test_descriptors_are_kept_back_for_spool_database_and_providers(
    descriptors: int, upstream: int, clients: int
) -> None:
    assert share_for_clients(descriptors, 10_000, upstream) == clients
    assert clients == 1 or clients + KEPT_BACK <= descriptors


def test_limit_of_descriptors_is_raised_as_far_as_it_may_be() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 100, hard))
        assert raise_limit(soft - 50) == soft - 50
        assert raise_limit(hard + 1) == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
