"""The edge on a real socket, without Django: keys, snapshot and records are plain values in memory."""

import asyncio
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import uvicorn

from accounts.attempts import AttemptClosed, AttemptOpened, AttemptRecord
from accounts.budgets import SubjectBudgets, Terms
from accounts.keys import KeyFacts, ShownKey, Subject, mint_key
from accounts.rules import NONE, Row, Rules
from catalogue.facts import ModelFacts
from catalogue.pricing.rate_card import RateCards
from catalogue.published.snapshot import Snapshot
from gateway.core.client_address import NO_PROXIES, TrustedProxies
from gateway.core.outbound import OutboundPolicy
from gateway.core.store.interface import Store, WindowLimit
from gateway.core.store.memory import MemoryStore
from gateway.proxy.admission.admission import Admission
from gateway.proxy.admission.settling import Settling
from gateway.proxy.carry import EdgeServices
from gateway.proxy.edge import Edge
from gateway.proxy.health import HealthObserver
from gateway.proxy.health_sharing import HealthSharing
from gateway.proxy.lane.web import WorkerLane
from gateway.proxy.lane.worker import LaneWorker
from gateway.proxy.lanes import Lanes
from gateway.proxy.notes import PlanNotes
from gateway.proxy.observers import CallObserver, CallSpool, Observers
from gateway.proxy.ports import StoredResponsesUnavailable, StoredTurn
from gateway.proxy.services import CallServices
from gateway.proxy.surfaces import surface_at
from providers.engine import Timeouts
from providers.facts import Credentials, ProviderFacts
from providers.health import HealthTable
from providers.operations.registry import choose_adapter
from providers.transport import HttpEngine
from tests.gateway.proxy.values import a_key
from tests.patience import HANG_S
from tests.services import wait_until

PATIENT = Timeouts(connect_s=5, first_byte_s=5, idle_s=5, total_s=10)


@dataclass
class Keys:
    """Every key in memory."""

    known_keys: dict[str, KeyFacts] = field(default_factory=dict)
    opened: dict[bytes, tuple[str, str]] = field(default_factory=dict)
    revision: int = 0

    def issue(self, **facts: Any) -> str:
        made = mint_key()
        key_id = len(self.known_keys) + 1
        facts = {"id": key_id, "public_id": made.public_id, "digest": made.digest, **facts}
        self.known_keys[made.public_id] = a_key(**facts)
        return made.text

    def change(self, text: str, **facts: Any) -> None:
        """As a revocation does, and whatever else changes a key or its team."""
        public_id = text.removeprefix("sk-gw-").partition("-")[0]
        self.known_keys[public_id] = replace(self.known_keys[public_id], **facts)
        self.revision += 1

    def known(self, public_id: str) -> KeyFacts | None:
        return self.known_keys.get(public_id)

    async def look_up(self, shown: ShownKey) -> KeyFacts | None:
        return None

    def touched(self, key_id: int, at: float) -> None: ...


@dataclass
class Limited:
    """The limits in force: nobody's, until there is one."""

    rows: dict[Subject, list[Row]] = field(default_factory=dict)
    budgets: dict[str, list[Terms]] = field(default_factory=dict)
    current: Rules = NONE

    def set(self, subject: Subject, unit: str, amount: int, window: str = "minute") -> None:
        of_subject = self.rows.setdefault(subject, [])
        of_subject[:] = [row for row in of_subject if row[:2] != (unit, window)]
        of_subject.append((unit, window, amount))
        self._change()

    def hold_to(self, subject: str, *terms: Terms) -> None:
        self.budgets[subject] = list(terms)
        self._change()

    def _change(self) -> None:
        self.current = Rules({subject: list(rows) for subject, rows in self.rows.items()}, dict(self.budgets))


@dataclass
class Spent:
    """What SQL would have as spent, by subject, in each of its windows: nothing, unless it is said."""

    store: Store
    spent: dict[str, int] = field(default_factory=dict)
    version: int = 0
    is_away: bool = False
    spent_providers: frozenset[str] = frozenset()

    held: list[tuple[str, str]] = field(default_factory=list)

    def refused_while_held(self, subject: str, window: WindowLimit) -> None:
        self.held.append((subject, window.window))

    async def learn(self, budgets: Sequence[SubjectBudgets]) -> None:
        self.version += 1
        for each in () if self.is_away else budgets:
            windows = {
                window.window: self.spent.get(each.subject, 0) for window in each.windows_at(time.time())
            }
            await self.store.install(each.subject, self.version, windows, {})


@dataclass
class Records(CallSpool):
    """What the spool would hold."""

    opens: list[AttemptOpened] = field(default_factory=list)
    closes: list[AttemptClosed] = field(default_factory=list)
    lag_s: float = 0.0
    trouble: str = ""
    is_full: bool = False

    def attempt_opened(self, attempt: AttemptRecord) -> None:
        if self.is_full:
            raise OSError("The disk is full")
        self.opens.append(attempt.opened)

    def attempt_closed(self, attempt: AttemptRecord) -> None:
        assert attempt.closed
        attempt.seq = len(self.closes) + 1
        self.closes.append(attempt.closed)

    def settled(self, count: int = 1) -> "Records":
        """Once so many attempts are closed: a client has its answer a moment earlier."""
        wait_until(lambda: len(self.closes) >= count, "closing the attempts")
        return self

    def clear(self) -> None:
        self.settled(len(self.opens))
        self.opens.clear()
        self.closes.clear()

    @property
    def outcomes(self) -> list[str]:
        return [record.outcome for record in self.closes]


@dataclass
class KeptResponses:
    """Stored responses in memory; `is_away` as when SQL is."""

    kept: dict[tuple[int, str], StoredTurn] = field(default_factory=dict)
    is_away: bool = False

    async def find(self, team_id: int, response_id: str) -> StoredTurn | None:
        self._check()
        return self.kept.get((team_id, response_id))

    async def keep(self, team_id: int, kept: StoredTurn) -> None:
        self._check()
        self.kept[team_id, kept.response["id"]] = kept

    def _check(self) -> None:
        if self.is_away:
            raise StoredResponsesUnavailable


@dataclass
class Snapshots:
    current: Snapshot


@dataclass
class Plan:
    """What to serve. `worker_store` gives the worker an access of its own, as in another process."""

    models: list[ModelFacts]
    providers: list[ProviderFacts]
    credentials: Credentials = field(default_factory=dict)
    store: Callable[[], Store] = MemoryStore
    worker_store: Callable[[], Store] | None = None
    timeouts: Timeouts = PATIENT
    with_worker: bool = True
    longest_call_s: float = 60
    answer_bytes: int = 64_000_000
    write_timeout_s: float = 5
    heartbeat_s: float = 10
    open_after_s: float = 20
    proxies: TrustedProxies = NO_PROXIES
    counts_per_minute: int = 600
    most_calls: int = 4_000
    observers: Sequence[CallObserver] = ()
    counts_cached_input: bool = True


class EdgeProcess:
    """A web process and, where asked for, a worker beside it on the same loop."""

    def __init__(self, plan: Plan, records: Records, keys: Keys) -> None:
        self.plan = plan
        self.loop = asyncio.get_running_loop()
        self.stop = asyncio.Event()
        self.responses = KeptResponses()
        self.store = plan.store()
        self.worker_store = plan.worker_store() if plan.worker_store else self.store
        self.limited = Limited()
        self.spent = Spent(self.store)
        admission, its = (
            Admission(
                store, self.limited, self.spent, RateCards(), counts_cached_input=plan.counts_cached_input
            )
            for store in (self.store, self.worker_store)
        )
        providers = {provider.id: provider for provider in plan.providers}
        health = HealthTable()
        self.seen = HealthObserver(health)
        # Each settles by its own connection, in order with what it then gives back.
        observers, its_observers = (
            Observers(records, [self.seen, Settling(store, self.limited, name), *plan.observers])
            for store, name in ((self.store, "web"), (self.worker_store, "worker"))
        )
        self.services = CallServices(
            engine=HttpEngine(OutboundPolicy(frozenset({"127.0.0.1"})), connections=500),
            adapters=choose_adapter,
            snapshots=Snapshots(
                Snapshot.of(plan.models, providers, revision=1, credentials=plan.credentials)
            ),
            observers=observers,
            health=health,
            timeouts=plan.timeouts,
            answer_bytes=plan.answer_bytes,
            admission=admission,
        )
        self.sharing = HealthSharing(self.seen, self.store, "web-1", self.services.snapshots)
        self.lane = WorkerLane(self.store, "web-1", longest_call_s=plan.longest_call_s)
        self.worker = LaneWorker(
            self.worker_store,
            replace(self.services, admission=its, observers=its_observers),
            "worker-1",
            records,
            write_timeout_s=plan.write_timeout_s,
        )
        self.lanes = Lanes(self.services, self.lane, setting="auto")
        self.plans = PlanNotes()
        self.edge = Edge(
            EdgeServices(
                keys,
                self.services.snapshots,
                self.store,
                admission,
                observers,
                self.services.health,
                self.lanes,
                self.responses,
                1_000_000,
                write_timeout_s=plan.write_timeout_s,
                heartbeat_s=plan.heartbeat_s,
                open_after_s=plan.open_after_s,
                proxies=plan.proxies,
                counts_per_minute=plan.counts_per_minute,
                most_calls=plan.most_calls,
                plans=self.plans,
            )
        )

    async def open(self, listener: socket.socket) -> None:
        await self.store.open()
        await self.sharing.open()
        await self.lane.open()
        if self.plan.with_worker:
            if self.worker_store is not self.store:
                await self.worker_store.open()
            await self.worker.open()
        config = uvicorn.Config(
            self.answer,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        self.server = uvicorn.Server(config)
        self.serving = asyncio.create_task(self.server.serve(sockets=[listener]))
        while not self.server.started or (self.plan.with_worker and not self.lane.live_workers):
            await asyncio.sleep(0.01)

    async def close(self) -> None:
        self.server.should_exit = True
        await self.serving
        if self.plan.with_worker and not self.worker.is_draining:
            await self.worker.drain(0)
        await self.lane.close()
        await self.sharing.close()
        await self.services.engine.close()
        if self.plan.with_worker and self.worker_store is not self.store:
            await self.worker_store.close()
        await self.store.close()

    async def answer(self, scope: Any, receive: Any, send: Any) -> None:
        surface = surface_at(scope["path"], scope["query_string"])
        assert surface, scope["path"]
        await self.edge.answer(surface, scope, receive, send)


@dataclass
class RunningEdge:
    """An edge that answers at `url`, and the key of a client."""

    url: str
    key: str
    keys: Keys
    records: Records
    process: EdgeProcess

    def limit(self, kind: str, unit: str, amount: int, window: str = "minute") -> None:
        """Of the first key, or its team."""
        self.process.limited.set((kind, 1), unit, amount, window)

    def forget(self) -> None:
        """How calls went, those too whose clients have their answers a moment earlier: no breaker is open, and nothing
        was failed over.
        """
        services, seen = self.process.services, self.process.seen

        async def forget() -> None:
            seen.count(time.monotonic())
            services.health._records.clear()
            services.health.broken.clear()
            services.retries._seconds.clear()
            services.retries._turn(0.0)

        self.records.settled(len(self.records.opens))
        self.on_loop(forget)

    def client(self, key: str | None = None, **headers: str) -> httpx.Client:
        return httpx.Client(
            base_url=self.url,
            headers={"authorization": f"Bearer {key or self.key}", **headers},
            timeout=HANG_S,
        )

    def chat(self, model: str = "acme/one", *, lane: str = "direct", **body: Any) -> httpx.Response:
        given = {"model": model, "messages": [{"role": "user", "content": "hello"}], **body}
        with self.client(**{"x-gateway-lane": lane}) as client:
            return client.post("/v1/chat/completions", json=given)

    def on_loop(self, action: Callable[[], Any]) -> Any:
        """Run a coroutine function on the edge's loop."""
        return asyncio.run_coroutine_threadsafe(action(), self.process.loop).result(HANG_S)


def recorded(edge: RunningEdge) -> AttemptClosed:
    """How the first attempt ended."""
    return edge.records.settled().closes[0]


@contextmanager
def running_edge(
    models: list[ModelFacts], providers: list[ProviderFacts], **options: Any
) -> Iterator[RunningEdge]:
    """Serve the edge from a thread; `options` are fields of Plan."""
    keys, records, plan = Keys(), Records(), Plan(models, providers, **options)
    listener = socket.create_server(("127.0.0.1", 0))
    ready: queue.SimpleQueue[EdgeProcess] = queue.SimpleQueue()

    async def serve() -> None:
        process = EdgeProcess(plan, records, keys)
        await process.open(listener)
        ready.put(process)
        await process.stop.wait()
        await process.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    process = ready.get(timeout=HANG_S)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield RunningEdge(url, keys.issue(name="first"), keys, records, process)
    finally:
        process.loop.call_soon_threadsafe(process.stop.set)
        thread.join(HANG_S)
