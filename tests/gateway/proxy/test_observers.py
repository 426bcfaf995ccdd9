"""Who observes calls hears each stop once, in both lanes and however a call ends, and touches no stop for it."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from accounts.attempts import AttemptRecord
from gateway.proxy.observers import CallObserver, CallRecord, Observers
from tests.gateway.proxy.edge import Records, RunningEdge, running_edge
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.patience import HANG_S
from tests.services import wait_until
from tests.upstream import ScriptedProvider

LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
BEGUN = ["planned", "admitted", "first byte"]
ADMITTED = ["planned", "admitted"]


@dataclass
class Heard(CallObserver):
    """All that there is to hear: of calls and of their attempts, by the request's id."""

    calls: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    attempts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def planned(self, call: CallRecord) -> None:
        assert call.key
        assert call.asked
        assert call.plan
        assert not call.head
        self.calls[call.request_id].append("planned")

    def admitted(self, call: CallRecord) -> None:
        self.calls[call.request_id].append("admitted")

    def attempt_opened(self, attempt: AttemptRecord) -> None:
        assert attempt.closed is None
        self.attempts[attempt.opened.request_id].append(f"{attempt.opened.provider} opened")

    def first_byte(self, call: CallRecord) -> None:
        assert call.head
        assert call.head.provider == f"provider-{call.head.attempts}"
        self.calls[call.request_id].append("first byte")

    def attempt_closed(self, attempt: AttemptRecord) -> None:
        assert attempt.closed
        why = attempt.sample.failure if attempt.sample else attempt.closed.error_code
        end = f"{attempt.closed.outcome} {why or ''}".strip()
        self.attempts[attempt.opened.request_id].append(f"{attempt.opened.provider} {end}")

    def ended(self, call: CallRecord) -> None:
        assert call.surface.path.startswith("/v1/")
        told = f"ended {call.outcome} {call.status} {call.error_code}".strip()
        self.calls[call.request_id].append(told)

    @property
    def is_over(self) -> bool:
        is_ended = bool(self.calls) and all(stops[-1].startswith("ended") for stops in self.calls.values())
        return is_ended and all(len(stops) % 2 == 0 for stops in self.attempts.values())

    def the_call(self) -> tuple[list[str], list[str]]:
        """What was heard of the only call, once it is over, and of its attempts."""
        wait_until(lambda: self.is_over, "hearing how the call ended")
        [[request_id, stops]] = self.calls.items()
        return stops, self.attempts[request_id]


class Broken(CallObserver):
    """Fails at every stop."""

    def planned(self, call: CallRecord) -> None:
        raise ValueError(call.request_id)

    admitted = first_byte = ended = planned

    def attempt_opened(self, attempt: AttemptRecord) -> None:
        raise ValueError(attempt.opened.attempt_id)

    attempt_closed = attempt_opened


@pytest.fixture
def first() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def second() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def edge(first: ScriptedProvider, second: ScriptedProvider, heard: Heard) -> Iterator[RunningEdge]:
    offerings = an_offering(1, provider_id=1), an_offering(2, provider_id=2, position=1)
    providers = [a_provider(id_, base_url=each.base_url) for id_, each in enumerate((first, second), 1)]
    with running_edge([a_model(offerings=offerings)], providers, observers=[Broken(), heard]) as running:
        yield running


@LANES
@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_call_that_goes_well(edge: RunningEdge, heard: Heard, lane: str, is_streamed: bool) -> None:
    assert edge.chat(lane=lane, stream=is_streamed).status_code == 200
    assert heard.the_call() == ([*BEGUN, "ended finished 200"], ["provider-1 opened", "provider-1 finished"])


@LANES
def test_a_call_that_fails_over(edge: RunningEdge, heard: Heard, first: ScriptedProvider, lane: str) -> None:
    first.script("503")
    edge.chat(lane=lane)
    assert heard.the_call() == (
        [*BEGUN, "ended finished 200"],
        [
            "provider-1 opened",
            "provider-1 failed_over unavailable",
            "provider-2 opened",
            "provider-2 finished",
        ],
    )


@LANES
def test_a_call_that_no_provider_answers(
    edge: RunningEdge, heard: Heard, first: ScriptedProvider, lane: str
) -> None:
    first.script("400")
    edge.chat(lane=lane)
    stops, attempts = heard.the_call()
    assert stops == [*ADMITTED, "ended failed 400 invalid_value"]
    assert attempts == ["provider-1 opened", "provider-1 failed caller"]


@LANES
def test_a_stream_that_its_provider_breaks_off(
    edge: RunningEdge, heard: Heard, first: ScriptedProvider, lane: str
) -> None:
    first.script("rst-mid")
    edge.chat(lane=lane, stream=True)
    stops, attempts = heard.the_call()
    assert stops[:-1] == BEGUN
    assert stops[-1].startswith("ended cut 200 provider_")
    assert attempts[1].startswith("provider-1 cut")


def test_calls_that_are_refused(edge: RunningEdge, heard: Heard) -> None:
    with edge.client("sk-gw-nobody") as stranger:
        stranger.post("/v1/chat/completions", json={})
    with edge.client() as client:
        client.get("/v1/chat/completions")
        client.post("/v1/chat/completions", json={"model": "acme/one"})
    edge.chat("acme/none")
    wait_until(lambda: len(heard.calls) == 4, "hearing how the last call ended")
    assert list(heard.calls.values()) == [
        ["ended refused 401 invalid_api_key"],
        ["ended refused 405 method_not_allowed"],
        ["ended refused 400 missing_parameter"],
        ["ended refused 404 model_not_found"],
    ]


def test_a_request_that_only_has_its_tokens_counted(edge: RunningEdge, heard: Heard) -> None:
    asked = {"model": "acme/one", "messages": [{"role": "user", "content": "hello"}]}
    with edge.client() as client:
        assert client.post("/v1/messages/count_tokens", json=asked).status_code == 200
    assert heard.the_call() == (["ended finished 200"], [])


def test_a_call_beyond_its_limits(edge: RunningEdge, heard: Heard) -> None:
    edge.limit("key", "requests", 1)
    edge.chat()
    heard.the_call()
    heard.calls.clear()
    edge.chat()
    assert heard.the_call() == (["planned", "ended refused 429 rate_limit_exceeded"], [])


@LANES
def test_nobody_hears_of_an_attempt_that_cannot_be_recorded(
    edge: RunningEdge, heard: Heard, first: ScriptedProvider, lane: str
) -> None:
    edge.records.is_full = True
    edge.chat(lane=lane)
    assert heard.the_call() == ([*ADMITTED, "ended failed 503 ledger_unwritable"], [])
    assert not first.calls


def read_a_little(edge: RunningEdge, lane: str) -> None:
    body = {"model": "acme/one", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    with (
        edge.client(**{"x-gateway-lane": lane}) as client,
        client.stream("POST", "/v1/chat/completions", json=body) as answer,
    ):
        next(answer.iter_bytes())


@LANES
def test_a_client_that_leaves(edge: RunningEdge, heard: Heard, first: ScriptedProvider, lane: str) -> None:
    first.script("never-ending?delay=0.05")
    read_a_little(edge, lane)
    assert heard.the_call() == (
        [*BEGUN, "ended cancelled 200 client_gone"],
        ["provider-1 opened", "provider-1 cancelled client_gone"],
    )


@LANES
def test_a_process_that_is_shut_down(
    edge: RunningEdge, heard: Heard, first: ScriptedProvider, lane: str
) -> None:
    first.script("never-ending?delay=0.05")
    reader = threading.Thread(target=edge.chat, kwargs={"lane": lane, "stream": True})
    reader.start()
    wait_until(lambda: any("first byte" in stops for stops in heard.calls.values()), "the first byte")
    edge.on_loop(lambda: edge.process.edge.drain(0))
    reader.join(HANG_S)
    assert heard.the_call() == (
        [*BEGUN, "ended cancelled 200 server_shutting_down"],
        ["provider-1 opened", "provider-1 cancelled server_shutting_down"],
    )
    heard.calls.clear()
    edge.chat()
    assert heard.the_call()[0] == ["ended refused 503 server_shutting_down"]


def test_a_worker_that_is_lost(edge: RunningEdge, heard: Heard, first: ScriptedProvider) -> None:
    first.script("never-ending?delay=0.05")
    reader = threading.Thread(target=edge.chat, kwargs={"lane": "worker", "stream": True})
    reader.start()
    wait_until(lambda: any("first byte" in stops for stops in heard.calls.values()), "the first byte")

    async def silence() -> None:
        for duty in edge.process.worker._duties:
            duty.cancel()

    edge.on_loop(silence)
    reader.join(HANG_S)
    assert heard.the_call() == (
        [*BEGUN, "ended cut 200 worker_lost"],
        ["provider-1 opened", "provider-1 cancelled worker_lost"],
    )


def test_an_observer_is_called_for_what_it_overrides_alone() -> None:
    class Ended(CallObserver):
        def ended(self, call: CallRecord) -> None: ...

    alone, together = Observers(Records()), Observers(Records(), [Ended()])
    assert together.planned is alone.planned is together.first_byte
    assert together.ended is not alone.ended


def test_a_failing_observer_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    observers = Observers(Records(), [Broken()])
    for _ in range(3):
        observers.planned(CallRecord("req_1", None, 0.0))
    assert len(caplog.records) == 1
