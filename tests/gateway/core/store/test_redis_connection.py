"""How Redis is reached, and how often it is asked."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from gateway.core.store import open_store
from gateway.core.store.address import parse_address
from gateway.core.store.connection import Connection
from gateway.core.store.interface import Ask, Limit
from gateway.core.store.redis import RedisStore
from gateway.core.store.redis_jobs import RedisJobs
from tests.gateway.core.store.worlds import play_redis, run, until
from tests.services import RedisServer, free_port, require_service, running_redis

LIMITS = [
    Limit(subject, *terms)
    for subject in ("key:1", "team:1")
    for terms in (("requests", 1000, 60), ("concurrency", 1000))
]


async def is_reached(store: RedisStore) -> None:
    assert store.is_up
    await store.admit(Ask("a", LIMITS))
    assert store.is_up


def test_admission_of_a_call_is_one_command_over_all_limits(redis_server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        redis_server.ask("CONFIG", "RESETSTAT")
        for number in range(50):
            await store.admit(Ask(f"c{number}", LIMITS))
        # One more may be the keeper's look at the epoch.
        assert redis_server.ask("INFO", "commandstats")["cmdstat_evalsha"]["calls"] in {50, 51}

    play_redis(story, redis_server.url)


def test_call_without_limits_does_not_ask_redis(redis_server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        redis_server.ask("CONFIG", "RESETSTAT")
        for number in range(50):
            await store.admit(Ask(f"c{number}", []))
        assert redis_server.ask("INFO", "commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"] <= 1

    play_redis(story, redis_server.url)


def test_store_is_reached_over_a_socket_of_the_file_system(redis_server: RedisServer) -> None:
    play_redis(is_reached, redis_server.socket_url)


def test_store_keeps_to_its_database(redis_server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        await store.admit(Ask("a", [Limit("key:in-3", "requests", 10, 60)]))
        assert "db3" in redis_server.ask("INFO", "keyspace")

    play_redis(story, f"{redis_server.url[:-1]}3")


def test_store_is_opened_by_its_password() -> None:
    with running_redis() as server:
        server.ask("CONFIG", "SET", "requirepass", "sesame")
        play_redis(is_reached, server.url.replace("://", "://:sesame@"))


def test_wrong_password_leaves_the_store_down_and_the_process_up() -> None:
    async def story(store: RedisStore) -> None:
        assert not store.is_up
        assert (await store.admit(Ask("a", LIMITS))).is_admitted

    with running_redis() as server:
        server.ask("CONFIG", "SET", "requirepass", "sesame")
        play_redis(story, server.url.replace("://", "://:wrong@"))


def test_store_is_reached_over_tls(tmp_path: Path) -> None:
    require_service("openssl", shutil.which("openssl") is not None)
    key, certificate, port = tmp_path / "key.pem", tmp_path / "cert.pem", free_port()
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
    pair = ["--tls-cert-file", str(certificate), "--tls-key-file", str(key), "--tls-auth-clients", "no"]
    with running_redis("--tls-port", str(port), *pair):
        play_redis(is_reached, f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}")


def test_address_does_not_show_its_password() -> None:
    assert "sesame" not in repr(parse_address("redis://user:sesame@localhost:6379/1"))


def test_without_a_url_the_store_is_this_process_own() -> None:
    assert not open_store(None, "p1").is_shared


def test_jobs_and_readers_that_are_long_dead_are_swept(redis_server: RedisServer) -> None:
    redis_server.ask("FLUSHALL")
    redis_server.ask("XADD", "gw:jobs", "1-1", "c", "old")

    async def prepare(connection: Connection) -> None:
        await connection.call_early("PING")

    async def sweep() -> None:
        address = parse_address(redis_server.url)
        commands = Connection(address, prepare)
        jobs = RedisJobs(address, commands, "p1")
        commands.open()
        await commands.wait_until_up(2)
        await jobs.sweep()
        await commands.close()

    run(sweep)
    assert redis_server.ask("XLEN", "gw:jobs") == 0


def test_receiver_that_fails_does_not_end_its_subscription(redis_server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        complaints: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        heard: list[bytes] = []

        def receive(channel: str, message: bytes) -> None:
            heard.append(message)
            if message == b"bad":
                raise ValueError(message)

        subscription = await store.subscribe(["in:fails"], receive)
        store.publish("in:fails", b"bad")
        store.publish("in:fails", b"good")
        await until(lambda: heard == [b"bad", b"good"])
        assert len(complaints) == 1
        await subscription.close()

    play_redis(story, redis_server.url)


@pytest.mark.parametrize("sent", [1, 500])
def test_commands_of_one_turn_leave_in_one_write(redis_server: RedisServer, sent: int) -> None:
    async def story(store: RedisStore) -> None:
        def reads() -> int:
            return int(redis_server.ask("INFO", "stats")["total_reads_processed"])

        before = reads()
        for number in range(sent):
            store.publish("in:nobody", b"%d" % number)
        await asyncio.sleep(0.1)
        assert reads() - before < 10

    play_redis(story, redis_server.url)


def test_messages_are_not_replied_to(redis_server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        got: list[bytes] = []
        subscription = await store.subscribe(["c"], lambda _channel, message: got.append(message))
        for number in range(100):
            store.publish("c", b"%d" % number)
        assert len(store._commands._waiting) < 100
        await until(lambda: len(got) == 100)
        await is_reached(store)
        await subscription.close()

    play_redis(story, redis_server.url)


def test_user_who_may_not_ask_for_silence_is_served_all_the_same(redis_server: RedisServer) -> None:
    rules = ("on", ">secret", "~*", "&*", "+@all", "-client|reply")
    redis_server.ask("ACL", "SETUSER", "talker", *rules)

    async def story(store: RedisStore) -> None:
        got: list[bytes] = []
        subscription = await store.subscribe(["c"], lambda _channel, message: got.append(message))
        for number in range(100):
            store.publish("c", b"%d" % number)
            await store.admit(Ask(f"t{number}", LIMITS))
            store.release(f"t{number}")
        await until(lambda: len(got) == 100)
        assert store.is_up
        await subscription.close()

    play_redis(story, redis_server.url.replace("redis://", "redis://talker:secret@"))


def test_receiver_that_fails_is_called_again(redis_server: RedisServer) -> None:
    async def story(store: RedisStore) -> None:
        got: list[bytes] = []
        seen: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: seen.append(context))

        def receive(_channel: str, message: bytes) -> None:
            got.append(message)
            raise ValueError(message)

        subscription = await store.subscribe(["c"], receive)
        store.publish("c", b"1")
        store.publish("c", b"2")
        await until(lambda: got == [b"1", b"2"])
        assert len(seen) == 2
        await subscription.close()

    play_redis(story, redis_server.url)
