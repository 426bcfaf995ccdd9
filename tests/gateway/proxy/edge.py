"""The edge on a real socket, without Django: keys, snapshot and records are plain values in memory."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import httpx
import uvicorn

from accounts.keys import KeyFacts, ShownKey, mint_key
from catalogue.snapshot import ModelFacts, Snapshot
from gateway.outbound import OutboundPolicy
from gateway.proxy.app import Edge, EdgeParts, find_surface
from gateway.proxy.attempt import Workbench
from gateway.proxy.lane.web import WorkerLane
from gateway.proxy.lane.worker import LaneWorker
from gateway.proxy.lanes import Lanes
from gateway.proxy.ports import AttemptClosed, AttemptOpened
from gateway.store.interface import Store
from gateway.store.memory import MemoryStore
from providers.adapters import ADAPTERS
from providers.engine import Timeouts
from providers.facts import ProviderFacts
from providers.health import HealthTable
from providers.transport import AiohttpEngine
from tests.gateway.proxy.values import a_key

QUICK = Timeouts(connect_s=1, first_byte_s=1, idle_s=0.5, total_s=5)


@dataclass
class Keys:
    """Every key in memory."""

    known_keys: dict[str, KeyFacts] = field(default_factory=dict)

    def issue(self, **facts: Any) -> str:
        made = mint_key()
        key_id = len(self.known_keys) + 1
        facts = {"id": key_id, "public_id": made.public_id, "digest": made.digest, **facts}
        self.known_keys[made.public_id] = a_key(**facts)
        return made.text

    def known(self, public_id: str) -> KeyFacts | None:
        return self.known_keys.get(public_id)

    async def look_up(self, shown: ShownKey) -> KeyFacts | None:
        return None

    def touched(self, key_id: int, at: float) -> None: ...


@dataclass
class Records:
    """What the spool would hold."""

    opens: list[AttemptOpened] = field(default_factory=list)
    closes: list[AttemptClosed] = field(default_factory=list)
    lag_s: float = 0.0

    def opened(self, record: AttemptOpened) -> None:
        self.opens.append(record)

    def closed(self, record: AttemptClosed) -> None:
        self.closes.append(record)

    @property
    def outcomes(self) -> list[str]:
        return [record.outcome for record in self.closes]


@dataclass
class Snapshots:
    current: Snapshot

    async def at_least(self, revision: int, timeout_s: float) -> Snapshot:
        return self.current


@dataclass
class RunningEdge:
    """A web process and, where asked for, a worker beside it on the same loop."""

    url: str
    key: str
    keys: Keys
    records: Records
    loop: asyncio.AbstractEventLoop
    parts: SimpleNamespace

    def client(self, key: str | None = None, **headers: str) -> httpx.Client:
        return httpx.Client(
            base_url=self.url, headers={"authorization": f"Bearer {key or self.key}", **headers}, timeout=10
        )

    def chat(self, model: str = "acme/one", *, lane: str = "direct", **body: Any) -> httpx.Response:
        given = {"model": model, "messages": [{"role": "user", "content": "hello"}], **body}
        with self.client(**{"x-gateway-lane": lane}) as client:
            return client.post("/v1/chat/completions", json=given)

    def on_loop(self, action: Callable[[], Any]) -> Any:
        """Run a coroutine function on the edge's loop."""
        return asyncio.run_coroutine_threadsafe(action(), self.loop).result(10)


@contextmanager
def running_edge(
    models: list[ModelFacts],
    providers: list[ProviderFacts],
    *,
    store: Callable[[], Store] = MemoryStore,
    worker_store: Callable[[], Store] | None = None,
    timeouts: Timeouts = QUICK,
    with_worker: bool = True,
    allowed: frozenset[str] = frozenset({"127.0.0.1"}),
) -> Iterator[RunningEdge]:
    """Serve the edge from a thread. `worker_store` gives the worker an access of its own, as in another process."""
    keys, records = Keys(), Records()
    snapshot = Snapshot.of(models, {provider.id: provider for provider in providers}, revision=1)
    parts = SimpleNamespace(is_ready=threading.Event(), stop=None, loop=None)
    listener = socket.create_server(("127.0.0.1", 0))

    async def serve() -> None:
        parts.loop, parts.stop = asyncio.get_running_loop(), asyncio.Event()
        web_store = parts.store = store()
        await web_store.open()
        bench = parts.bench = Workbench(
            engine=AiohttpEngine(OutboundPolicy(allowed), connections=500),
            adapters=ADAPTERS,
            snapshots=Snapshots(snapshot),
            recorder=records,
            health=HealthTable(),
            timeouts=timeouts,
            answer_bytes=8_000_000,
        )
        lane = parts.lane = WorkerLane(web_store, "web-1")
        await lane.open()
        lane_store = worker_store() if worker_store else web_store
        worker = parts.worker = LaneWorker(lane_store, bench, "worker-1", write_timeout_s=5)
        if with_worker:
            if worker_store:
                await lane_store.open()
            await worker.open()
        lanes = Lanes(bench, lane, setting="auto", has_own_worker=True)
        edge = parts.edge = Edge(
            EdgeParts(keys, bench.snapshots, web_store, records, bench.health, lanes, 1_000_000, 5.0)
        )

        async def application(scope: Any, receive: Any, send: Any) -> None:
            surface = find_surface(scope)
            assert surface, scope["path"]
            await edge.answer(surface, scope, receive, send)

        config = uvicorn.Config(application, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        while with_worker and not lane.live_workers:
            await asyncio.sleep(0.01)
        parts.is_ready.set()
        await parts.stop.wait()
        server.should_exit = True
        await serving
        if with_worker and not parts.worker._is_draining:
            await worker.drain(0)
        await lane.close()
        await bench.engine.close()
        if with_worker and worker_store:
            await lane_store.close()
        await web_store.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert parts.is_ready.wait(10), "the edge did not start"
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield RunningEdge(url, keys.issue(name="first"), keys, records, parts.loop, parts)
    finally:
        parts.loop.call_soon_threadsafe(parts.stop.set)
        thread.join(10)
