"""What a call costs once everything is warm: no SQL, and one store call that is waited for."""

import asyncio
import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis
from django.db import connections
from django.db.backends.signals import connection_created

from gateway.plane import runtime
from tests.gateway.instructions import Count, counted_instructions
from tests.gateway.warm import (
    WARM_CALLS,
    Scenario,
    budgeted_chat,
    call_whole,
    chat,
    embed,
    hold_to_budgets,
    make_warm_key,
    play,
    rest,
    streamed_chat,
    warm_up,
)
from tests.patience import HANG_S
from tests.services import RedisServer, running_redis
from tests.upstream import ScriptedProvider

pytestmark = pytest.mark.django_db(transaction=True)

CALLS = 20
COUNTED_CALLS = 25
BASELINE = Path(__file__).with_name("warm_calls.json")
# Which turn of the loop a piece of an answer comes in is not ours to say.
TOLERANCE = 0.005
# Nor with which other call's end its own is told.
TOLERANCE_ON_BUDGETS = 0.01
# The store is looked after once a second.
IDLE_S = 1.3
# They poll the revision and write the ledger in bulk, whether there are calls or not.
BESIDE_THE_PATH = {"control", "recorder"}
# What newcomers should know of offerings' health is kept every few seconds, if there was a call.
KEPT_NOW_AND_THEN = {"HSET", "PEXPIRE"}


@pytest.fixture(scope="module")
def store() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def key(store: RedisServer, provider: ScriptedProvider, settings: Any, tmp_path: Path) -> str:
    """A limited key of a deployment with Redis that calls directly."""
    settings.REDIS_URL, settings.CHAT_LANE, settings.SPOOL_DIR = store.url, "direct", tmp_path
    settings.PRIVATE_ADDRESSES_ALLOWED = ["127.0.0.1"]
    return make_warm_key(provider.base_url)


@contextmanager
def counted_sql() -> Iterator[Counter[str]]:
    """Statements by thread, over every connection of this process."""
    counts: Counter[str] = Counter()

    def count(execute: Any, *statement: Any) -> Any:
        counts[threading.current_thread().name] += 1
        return execute(*statement)

    def watch(connection: Any, **_: Any) -> None:
        # A connection that is opened again keeps its wrappers.
        if count not in connection.execute_wrappers:
            connection.execute_wrappers.append(count)

    connection_created.connect(watch)
    watch(connections["default"])
    try:
        yield counts
    finally:
        connection_created.disconnect(watch)
        connections["default"].execute_wrappers.remove(count)


@contextmanager
def monitored(store: RedisServer) -> Iterator[list[str]]:
    """The commands that the store is sent, what its own scripts do left out."""
    seen: list[str] = []
    client = redis.Redis(port=store.port)
    with client.monitor() as monitor:
        thread = threading.Thread(target=_note, args=[monitor, seen], daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            store.ask("ECHO", "the end")
            thread.join(HANG_S)
    client.close()


async def until_heard(seen: list[str], name: str, count: int) -> None:
    async with asyncio.timeout(HANG_S):
        while sum(kind_of(command).startswith(name) for command in seen.copy()) < count:
            await asyncio.sleep(0.01)


def kind_of(command: str) -> str:
    """The command's name, and of a script which one it is."""
    return " ".join(command.split()[: 2 if command.startswith("EVALSHA") else 1])


def scripts_in(seen: list[str]) -> list[int]:
    """How often the two were run that were run most often."""
    scripts = Counter(kind for kind in map(kind_of, seen.copy()) if kind.startswith("EVALSHA"))
    return [count for _, count in [*scripts.most_common(2), ("", 0), ("", 0)][:2]]


def _note(monitor: Any, seen: list[str]) -> None:
    for command in monitor.listen():
        if command["command"] == "ECHO the end":
            return
        if command["client_type"] != "lua":
            seen.append(command["command"])


@pytest.mark.parametrize("call", [chat, streamed_chat, embed])
def test_warm_call_makes_no_sql_query(key: str, call: Scenario) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        with counted_sql() as cold:
            await call(client)
        assert cold.keys() - BESIDE_THE_PATH, "the key was not looked up, or nothing was counted"
        with counted_sql() as warm:
            for _ in range(CALLS):
                await call(client)
        assert not warm.keys() - BESIDE_THE_PATH, warm

    play(key, scenario)


def test_warm_call_asks_the_store_once_and_tells_it_once(key: str, store: RedisServer) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        await chat(client)
        await asyncio.sleep(0.1)
        with monitored(store) as idle:
            await asyncio.sleep(IDLE_S)
        with monitored(store) as busy:
            for _ in range(CALLS):
                await chat(client)
            await until_heard(busy, "ZREM", CALLS)
        others = {*map(kind_of, idle), *KEPT_NOW_AND_THEN}
        for_calls = [kind for kind in map(kind_of, busy) if kind not in others]
        assert Counter(kind.split()[0] for kind in for_calls) == {"EVALSHA": CALLS, "ZREM": CALLS}
        assert len(set(for_calls)) == 2

    play(key, scenario)


def test_warm_call_on_budgets_asks_the_store_once_and_tells_it_once(key: str, store: RedisServer) -> None:
    hold_to_budgets()

    async def scenario(client: httpx.AsyncClient) -> None:
        await budgeted_chat(client)
        await rest()
        with monitored(store) as busy:
            for _ in range(CALLS):
                await budgeted_chat(client)
            async with asyncio.timeout(HANG_S):
                # What looks after the store once a second may be a script too.
                while min(scripts_in(busy)) < CALLS:
                    await asyncio.sleep(0.01)
        assert scripts_in(busy) == [CALLS, CALLS]
        assert not any(kind.startswith("ZREM") for kind in map(kind_of, busy))

    play(key, scenario)


@pytest.mark.parametrize("call", [chat, streamed_chat])
def test_nothing_after_admission_waits_for_the_store(
    key: str, store: RedisServer, provider: ScriptedProvider, call: Scenario
) -> None:
    """The store hangs from the moment that the provider is asked; whoever waited for it would find it down."""

    async def scenario(client: httpx.AsyncClient) -> None:
        await chat(client)
        provider.script("slow-headers?seconds=0.1")
        running = asyncio.create_task(call(client))
        await asyncio.to_thread(provider.wait_for, 2)
        store.pause()
        try:
            await running
            assert runtime.status().store == "up"
        finally:
            store.resume()

    play(key, scenario)


def count_of(key: str, call: Scenario) -> Count:
    """Of the cheapest of several: what other threads and other calls' leavings cost only ever adds to it."""
    counts: list[Count] = []

    async def scenario(client: httpx.AsyncClient) -> None:
        await warm_up(call, client)
        for _ in range(COUNTED_CALLS):
            with counted_instructions() as count:
                await call_whole(call, client)
            await rest()
            counts.append(count)

    play(key, scenario)
    return min(counts, key=lambda count: count.instructions)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="Each Python compiles to instructions of its own")
@pytest.mark.parametrize("call", WARM_CALLS)
def test_warm_call_takes_as_many_instructions_as_are_written_down(key: str, call: Scenario) -> None:
    """More: say why in the commit that writes the new number down. Fewer: write the gain down."""
    written_down = json.loads(BASELINE.read_text("utf-8"))[call.__name__]
    if call is budgeted_chat:
        hold_to_budgets()
    tolerance = TOLERANCE_ON_BUDGETS if call is budgeted_chat else TOLERANCE
    count = count_of(key, call)
    assert count.instructions == pytest.approx(written_down, rel=tolerance), count.by_file.most_common(20)
