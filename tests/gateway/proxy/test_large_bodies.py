"""Large bodies are worked on beside the loop, ordinary ones on it. Counted in turns of the loop, not in time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from catalogue.endpoints import answered
from catalogue.pricing.rate_card import RateCards
from catalogue.published.snapshot import Snapshot
from gateway.core.store.memory import MemoryStore
from gateway.proxy.admission.admission import Admission
from gateway.proxy.carry import EdgeServices
from gateway.proxy.edge import Edge
from gateway.proxy.lane.web import WorkerLane
from gateway.proxy.lanes import Lanes
from gateway.proxy.large import LARGE_BYTES
from gateway.proxy.observers import Observers
from gateway.proxy.services import CallServices
from gateway.proxy.surfaces import surface_at
from providers.engine import UpstreamRequest
from providers.health import HealthTable
from providers.operations.registry import choose_adapter
from tests.gateway.proxy.edge import PATIENT, KeptResponses, Keys, Limited, Records, Snapshots, Spent
from tests.gateway.proxy.values import a_model, a_provider, an_offering

SMALL, LARGE = "x", "x" * LARGE_BYTES
CALLS = {
    "/v1/chat/completions": lambda text: {"messages": [{"role": "user", "content": text}]},
    "/v1/messages": lambda text: {"max_tokens": 10, "messages": [{"role": "user", "content": text}]},
    "/v1/responses": lambda text: {"input": text},
    "/v1beta/models/acme/one:generateContent": lambda text: {"contents": [{"parts": [{"text": text}]}]},
}


@dataclass
class Turns:
    """Counts the loop's, while it runs beside."""

    count: int = 0

    async def __call__(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.count += 1


@dataclass
class Engine:
    """The provider: answers at once with this much text. Notes the turn in which it was asked, and answered."""

    turns: Turns
    text: str = SMALL
    asked_at: int = -1
    answered_at: int = -1
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})

    async def open(self, request: UpstreamRequest, timeouts: object) -> "Engine":
        self.asked_at = self.turns.count
        return self

    async def read(self, limit_bytes: int) -> bytes:
        self.answered_at = self.turns.count
        message = {"role": "assistant", "content": self.text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        return orjson.dumps({"id": "1", "object": "chat.completion", "choices": [choice], "usage": usage})

    async def close(self) -> None: ...


async def call(path: str, text: str, answer: str = SMALL) -> tuple[int, int]:
    """The turns between the request's last byte and asking the provider, and between its answer and ours."""
    turns, keys, told = Turns(), Keys(), []
    engine = Engine(turns, answer)
    edge = make_edge(engine, keys)
    heard_at = -1

    async def receive() -> Any:
        nonlocal heard_at
        if heard_at >= 0:
            # The client stays.
            await asyncio.Event().wait()
        heard_at = turns.count
        return {"type": "http.request", "body": orjson.dumps({"model": "acme/one", **CALLS[path](text)})}

    async def send(message: Any) -> None:
        told.append((message, turns.count))

    headers = [(b"authorization", f"Bearer {keys.issue()}".encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    surface = surface_at(scope["path"])
    assert surface
    counting = asyncio.create_task(turns())
    await asyncio.sleep(0)
    await edge.answer(surface, scope, receive, send)
    counting.cancel()
    assert told[0][0]["status"] == 200, told
    return engine.asked_at - heard_at, told[0][1] - engine.answered_at


def make_edge(engine: Any, keys: Keys) -> Edge:
    offering = an_offering(endpoints=answered({"chat.completions"}))
    snapshots = Snapshots(Snapshot.of([a_model(offerings=(offering,))], {1: a_provider()}, revision=1))
    observers, store, health = Observers(Records()), MemoryStore(), HealthTable()
    admission = Admission(store, Limited(), Spent(store), RateCards())
    services = CallServices(
        engine, choose_adapter, snapshots, observers, health, PATIENT, 64_000_000, admission
    )
    lanes = Lanes(services, WorkerLane(store, "web-1", longest_call_s=60), setting="direct")
    parts = (keys, snapshots, store, admission, observers, health, lanes, KeptResponses())
    return Edge(EdgeServices(*parts, 10_000_000, write_timeout_s=5, heartbeat_s=10))


@pytest.mark.parametrize("path", CALLS)
def test_small_body_never_leaves_the_loop(path: str) -> None:
    assert asyncio.run(call(path, SMALL)) == (0, 0)


@pytest.mark.parametrize("path", CALLS)
def test_large_request_is_read_judged_and_translated_beside_the_loop(path: str) -> None:
    before, _ = asyncio.run(call(path, LARGE))
    assert before >= 3


@pytest.mark.parametrize("path", CALLS)
def test_large_answer_is_read_beside_the_loop(path: str) -> None:
    _, after = asyncio.run(call(path, SMALL, LARGE))
    assert after >= 1
