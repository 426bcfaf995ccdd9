"""A call whose offering another one is finding out about waits for that, for what is left of its second."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from gateway.proxy.exchange import CallResult, ResponseSink
from gateway.proxy.gate import LONGEST_WAIT_S
from gateway.proxy.patience import ENDLESS, Patience
from gateway.proxy.retries import RetryBudget
from gateway.proxy.targets import Target, Targets
from gateway.proxy.walk import run_call
from providers.breaker import FIRST_PAUSE_S
from providers.health import HealthTable
from providers.tallies import Tally
from providers.wire.call import Call
from providers.wire.failure import FailureKind
from tests.gateway.proxy.edge import RunningEdge, running_edge
from tests.gateway.proxy.lanes import CHAT
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.patience import HANG_S
from tests.services import wait_until
from tests.upstream import ScriptedProvider


class Nobody(ResponseSink):
    """Whom nothing is sent."""


TARGETS = [Target(a_model(), an_offering(way), a_provider(way), way) for way in (1, 2)]


def half_open(*ways: int) -> HealthTable:
    """Their credential was refused, and their pause is over."""
    health = HealthTable()
    for way in ways:
        health.failed(way, FailureKind.AUTH, time.monotonic())
        health.broken[way].open_until = time.monotonic()
    return health


def serve(health: HealthTable, way: int) -> None:
    health.served(way, Tally(), time.monotonic(), 0.0)


def fail(health: HealthTable, way: int) -> None:
    health.failed(way, FailureKind.AUTH, time.monotonic())


def found(
    health: HealthTable, *happens: Callable[[], None], longest_wait_s: float = HANG_S, waits_s: float = 0.0
) -> tuple[int | str | None, Targets]:
    """The way that a call goes which comes now, while one thing after the other happens."""
    patience = Patience(waits_s) if waits_s else ENDLESS
    targets = Targets(TARGETS[: len(health.broken)], health, RetryBudget(), patience)

    async def claim(way: int | str) -> None:
        health.lease(way, time.monotonic() + HANG_S)

    async def story() -> Target | None:
        assert targets.advance() is None
        waiting = asyncio.create_task(targets.find_out(claim, longest_wait_s))
        for each in happens:
            await asyncio.sleep(0.06)
            assert not waiting.done()
            each()
        return await waiting

    target = asyncio.run(story())
    return target and target.way, targets


def test_it_goes_there_once_the_other_one_was_answered() -> None:
    health = half_open(1)
    assert health.admits(1, time.monotonic())
    way, _ = found(health, lambda: serve(health, 1))
    assert way == 1


def test_it_goes_there_as_the_next_one_where_the_other_told_nothing() -> None:
    health = half_open(1)
    assert health.admits(1, time.monotonic())
    way, _ = found(health, health.broken[1].excuse)
    assert (way, health.is_found_out(1, time.monotonic())) == (1, True)


def test_it_waits_no_longer_once_the_other_one_failed() -> None:
    health = half_open(1)
    assert health.admits(1, time.monotonic())
    way, targets = found(health, lambda: fail(health, 1))
    pause_s = targets.pause_s(time.monotonic())
    assert way is None
    assert pause_s is not None
    assert FIRST_PAUSE_S < pause_s <= 2 * FIRST_PAUSE_S


@pytest.mark.parametrize("well", [1, 2])
def test_of_two_it_goes_to_the_one_that_is_well(well: int) -> None:
    health = half_open(1, 2)
    for way in (1, 2):
        assert health.admits(way, time.monotonic())
    way, _ = found(health, lambda: fail(health, 3 - well), lambda: serve(health, well))
    assert way == well


def test_where_another_process_finds_out_it_asks_for_the_lease_again() -> None:
    health = half_open(1)
    health.is_shared = True
    health.lease(1, time.monotonic() + HANG_S, is_ours=False)
    way, _ = found(health, lambda: health.lease(1, 0.0, is_ours=False))
    assert way == 1


@pytest.mark.parametrize(("longest_wait_s", "waits_s"), [(0.1, 0.0), (0.0, 0.0), (-1.0, 0.0), (HANG_S, 0.1)])
def test_it_waits_no_longer_than_it_may_or_its_client_would(longest_wait_s: float, waits_s: float) -> None:
    health = half_open(1)
    assert health.admits(1, time.monotonic())
    way, targets = found(health, longest_wait_s=longest_wait_s, waits_s=waits_s)
    assert (way, targets.pause_s(time.monotonic())) == (None, 0.0)


def test_a_call_that_failed_elsewhere_waits_for_nobody() -> None:
    health = HealthTable()
    targets = Targets(TARGETS, health, RetryBudget(), ENDLESS)
    assert targets.advance() is TARGETS[0]
    health.failed(2, FailureKind.AUTH, time.monotonic())
    health.broken[2].open_until = time.monotonic()
    assert health.admits(2, time.monotonic())

    async def claim(way: int | str) -> None:
        raise AssertionError("there is nothing to ask for")

    assert targets.advance() is None
    assert asyncio.run(asyncio.wait_for(targets.find_out(claim, 2 * HANG_S), HANG_S)) is None


def test_where_no_breaker_was_in_the_way_there_is_no_pause() -> None:
    assert Targets((), HealthTable(), RetryBudget(), ENDLESS).pause_s(time.monotonic()) is None


@pytest.fixture(scope="module")
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as running:
        yield running


@pytest.fixture(scope="module")
def lonely(provider: ScriptedProvider) -> Iterator[RunningEdge]:
    with running_edge([a_model()], [a_provider(base_url=provider.base_url)]) as edge:
        yield edge


@pytest.fixture
def edge(lonely: RunningEdge) -> RunningEdge:
    """Somebody finds out about its only offering."""
    lonely.forget()
    health = lonely.process.services.health
    fail(health, 1)
    health.broken[1].open_until = time.monotonic()
    assert health.admits(1, time.monotonic())
    return lonely


@pytest.mark.parametrize("lane", ["direct", "worker"])
@pytest.mark.parametrize("stream", [False, True])
def test_its_client_is_told_who_is_waited_for_and_when_to_come_again(
    edge: RunningEdge, provider: ScriptedProvider, lane: str, stream: bool
) -> None:
    before = len(provider.calls)
    answer = edge.chat(lane=lane, stream=stream)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (503, "no_healthy_provider"), answer.text
    assert error["message"] == "Another call is finding out whether the provider for this one is well again."
    assert (answer.headers["retry-after"], len(provider.calls)) == ("2", before)


def test_its_client_is_told_how_long_the_breaker_stays_open_that_opened_again(
    edge: RunningEdge, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = edge.process.services.health

    def fails(way: int, at: float) -> bool:
        fail(health, 1)
        return False

    monkeypatch.setattr(health, "is_found_out", fails)
    answer = edge.chat()
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "no_healthy_provider"), answer.text
    assert answer.json()["error"]["message"] == "No provider for this call is healthy at the moment."
    assert FIRST_PAUSE_S < int(answer.headers["retry-after"]) <= 2 * FIRST_PAUSE_S


@pytest.mark.parametrize(("waited_s", "looks"), [(LONGEST_WAIT_S, False), (LONGEST_WAIT_S - 0.2, True)])
def test_a_call_that_waited_for_its_second_before_waits_no_more(
    edge: RunningEdge, monkeypatch: pytest.MonkeyPatch, waited_s: float, looks: bool
) -> None:
    looked: list[int] = []
    monkeypatch.setattr(
        edge.process.services.health, "is_found_out", lambda way, at: looked.append(way) is None
    )
    call = Call("chat.completions", {}, waited_s=waited_s, offering_ids=(1,))

    async def carried() -> CallResult:
        return await run_call(edge.process.services, call, lane="direct", sink=Nobody())

    end = edge.on_loop(carried)
    assert (end.error["code"], bool(looked)) == ("no_healthy_provider", looks)


@pytest.fixture
def answered_meanwhile(edge: RunningEdge, monkeypatch: pytest.MonkeyPatch) -> RunningEdge:
    """The other call is answered while the one that comes next sleeps."""
    health = edge.process.services.health

    def is_found_out(way: int, at: float) -> bool:
        is_so = HealthTable.is_found_out(health, way, at)
        serve(health, way)
        return is_so

    monkeypatch.setattr(health, "is_found_out", is_found_out)
    edge.process.plans.give(100)
    return edge


def noted_wait(edge: RunningEdge) -> float:
    """Seconds that the only note has."""
    plans = edge.process.plans
    wait_until(lambda: plans, "the note")
    [(_, plan, waited_s)] = plans.give(100)
    assert plan.ways == (1,)
    return waited_s


@pytest.mark.parametrize("lane", ["direct", "worker"])
@pytest.mark.parametrize("stream", [False, True])
def test_how_long_it_waited_is_noted_for_its_receipt(
    answered_meanwhile: RunningEdge, lane: str, stream: bool
) -> None:
    answer = answered_meanwhile.chat(lane=lane, stream=stream)
    assert answer.status_code == 200, answer.text
    assert noted_wait(answered_meanwhile) > 0


@pytest.mark.parametrize("lane", ["direct", "worker"])
def test_how_long_it_waited_is_noted_though_its_client_leaves_in_midstream(
    answered_meanwhile: RunningEdge, provider: ScriptedProvider, lane: str
) -> None:
    provider.script("slow?chunks=4&hold=2")
    with (
        answered_meanwhile.client(**{"x-gateway-lane": lane}) as client,
        client.stream("POST", "/v1/chat/completions", json=CHAT) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        next(answer.iter_bytes())
    waited_s = noted_wait(answered_meanwhile)
    provider.go_on()
    assert waited_s > 0


@pytest.mark.parametrize("lane", ["direct", "worker"])
def test_of_a_call_that_waited_for_nobody_no_wait_is_noted(lonely: RunningEdge, lane: str) -> None:
    lonely.forget()
    lonely.process.plans.give(100)
    assert lonely.chat(lane=lane).status_code == 200
    assert lonely.process.plans.give(100) == []
