"""Every fault of a provider, in each wire format, for each client: status, envelope, headers, ledger, calls made."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from gateway.core.store.redis import RedisStore
from tests.services import RedisServer
from tests.system.fault_matrix import (
    ANYWHERE,
    IMPATIENT,
    LANES,
    SLOW_ANYWHERE,
    SLOW_STREAMED,
    STREAMED,
    cases,
    matrix,
    thinned,
    told,
)
from tests.upstream.faulty import ACTS, ENDLESS_BYTES, FaultyProvider, bomb, faulty_provider


@pytest.fixture(scope="module")
def provider() -> Iterator[FaultyProvider]:
    with faulty_provider() as provider:
        yield provider


def test_every_fault_is_expected_to_end_somehow() -> None:
    assert {*ACTS, "refused"} == {*ANYWHERE, *STREAMED, *SLOW_ANYWHERE, *SLOW_STREAMED}


def test_one_call_of_each_fault_in_each_format(provider: FaultyProvider) -> None:
    some = thinned(cases(ANYWHERE, STREAMED))
    with matrix(some, provider) as made:
        found = made.run(some)
    assert not found, told(found)


def test_silence_in_each_format(provider: FaultyProvider) -> None:
    some = thinned(cases(SLOW_ANYWHERE, SLOW_STREAMED))
    with matrix(some, provider, timeouts=IMPATIENT) as made:
        found = made.run(some, len(some))
    assert not found, told(found)


@pytest.mark.parametrize("lane", LANES)
def test_answers_without_an_end_take_no_memory(provider: FaultyProvider, lane: str) -> None:
    every = cases(ANYWHERE, STREAMED, clients=("openai",), lanes=(lane,), seconds=(False,))
    some = [case for case in every if case.outcome.code == "provider_response_too_large"]
    good = [case for case in every if case.fault == "ok"]
    with matrix([*some, *good], provider) as made:
        bomb()
        made.run(good)
        with most_memory() as used:
            found = made.run(some)
    assert not found, told(found)
    assert len(some) >= 12
    # All of them together, less than one of them is long.
    assert used.bytes < ENDLESS_BYTES


@pytest.mark.drill
@pytest.mark.apart
def test_every_fault_in_every_place(provider: FaultyProvider) -> None:
    every = cases(ANYWHERE, STREAMED)
    with matrix(every, provider) as made:
        found = made.run(every)
    assert not found, told(found)


@pytest.mark.drill
@pytest.mark.apart
def test_every_fault_by_way_of_redis(provider: FaultyProvider, redis_server: RedisServer) -> None:
    redis_server.start()
    every = cases(ANYWHERE, STREAMED, lanes=("worker",), seconds=(False,))
    with matrix(every, provider, store=partial(RedisStore, redis_server.url, "matrix")) as made:
        found = made.run(every)
    assert not found, told(found)


@pytest.mark.drill
@pytest.mark.apart
def test_silence_in_every_place(provider: FaultyProvider) -> None:
    every = cases(SLOW_ANYWHERE, SLOW_STREAMED)
    with matrix(every, provider, timeouts=IMPATIENT) as made:
        found = made.run(every, 48)
    assert not found, told(found)


@dataclass
class Memory:
    bytes: int = 0


@contextmanager
def most_memory() -> Iterator[Memory]:
    """How much more than at first this process had at once."""
    used, status = Memory(), Path("/proc/self/status")
    if not status.exists():
        pytest.skip("only Linux tells it")
    # Source: proc(5): 5 forgets what was the most.
    Path("/proc/self/clear_refs").write_text("5")
    before = _field(status, "VmRSS")
    yield used
    used.bytes = _field(status, "VmHWM") - before


def _field(status: Path, name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", status.read_text())
    assert found
    return int(found[1]) * 1024
