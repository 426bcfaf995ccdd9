"""How a process stands, as its gauges tell it."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from catalogue.published.snapshot import Snapshot
from gateway.core.store.interface import Ask, BudgetAsk, Charge, WindowLimit
from gateway.core.store.memory import MemoryStore
from gateway.metrics.gauges import EdgeGauges, PlaneGauges, ProcessGauges
from gateway.metrics.totals import Totals
from gateway.plane.spool import Spool
from providers.health import HealthTable
from providers.wire.failure import FailureKind
from tests.gateway.proxy.edge import RunningEdge, running_edge
from tests.gateway.proxy.lanes import HELD
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.patience import HANG_S
from tests.services import wait_until
from tests.upstream import ScriptedProvider


@dataclass
class Fresh:
    """What memory is worth."""

    current: Snapshot
    age_s: float = 0.5
    silence_s: float = 0.25


def told(source: PlaneGauges | EdgeGauges | ProcessGauges, totals: Totals) -> dict[str, float]:
    """What changed since the last round."""
    source.look(totals)
    return {
        ",".join([series.family.name.removeprefix("gatehouse_"), *series.labels]): value
        for series, value, _ in totals.end_round()
    }


def test_a_breaker_is_told_while_it_is_open(tmp_path: Path) -> None:
    offering = replace(an_offering(7), provider_slug="acme-cloud")
    snapshot = Snapshot.of([a_model(offerings=(offering,))], {1: a_provider(1)}, revision=9)
    health, spool, totals = HealthTable(), Spool(tmp_path), Totals()
    gauges = PlaneGauges(spool, Fresh(snapshot), health, MemoryStore())
    first = told(gauges, totals)
    spool.close()
    assert first["snapshot_revision"] == 9
    assert (first["snapshot_age_seconds"], first["database_silence_seconds"]) == (0.5, 0.25)
    assert (first["ledger_queue_depth"], first["ledger_lag_seconds"], first["spool_writable"]) == (0, 0, 1)
    # A store in memory is nothing that can be away.
    assert "store_up" not in first
    assert not [name for name in first if name.startswith("breaker")]
    health.failed(7, FailureKind.AUTH, time.monotonic())
    health.failed("7:3", FailureKind.AUTH, time.monotonic())
    assert told(gauges, totals) == {"breaker_open,acme/one,acme-cloud": 1}
    health.broken.clear()
    assert told(gauges, totals) == {"breaker_open,acme/one,acme-cloud": 0}


def test_calls_for_which_money_is_held_are_told(tmp_path: Path) -> None:
    store, spool, totals = MemoryStore(), Spool(tmp_path), Totals()
    gauges = PlaneGauges(spool, Fresh(Snapshot.of([], {}, revision=1)), HealthTable(), store)
    window = WindowLimit("lifetime:0", 0, 1000)
    asyncio.run(store.install("team:1", 1, {window.window: 0}, {}))
    for call in ("a", "b"):
        ask = Ask(call, budgets=[BudgetAsk("team:1", [window], hold=10)])
        assert asyncio.run(store.admit(ask)).is_admitted
    assert told(gauges, totals)["holds_open"] == 2
    store.settle("a", [Charge("team:1", 0, 5)], "process", 1, ["team:1"])
    assert told(gauges, totals) == {"holds_open": 1}
    store.release("b")
    assert told(gauges, totals) == {"holds_open": 0}
    spool.close()


def test_a_process_tells_its_memory_and_time() -> None:
    gauges, totals = ProcessGauges("worker"), Totals()
    first = told(gauges, totals)
    assert first["processes,worker"] == 1
    assert first["cpu_seconds_total,worker"] > 0
    assert first["resident_memory_bytes,worker"] > 10_000_000


@pytest.fixture
def edge() -> Iterator[RunningEdge]:
    with (
        ScriptedProvider(default=HELD) as provider,
        running_edge([a_model()], [a_provider(base_url=provider.base_url)]) as running,
    ):
        yield running


def test_calls_that_run_are_told_by_their_surface(edge: RunningEdge) -> None:
    gauges, totals = EdgeGauges(edge.process.edge, edge.process.lane), Totals()
    assert told(gauges, totals) == {"open_streams": 0, "live_workers": 1, "draining_processes": 0}
    reading = threading.Thread(target=edge.chat, kwargs={"stream": True})
    reading.start()
    seen: dict[str, float] = {}

    def is_open() -> bool:
        seen.update(told(gauges, totals))
        return seen.get("open_streams") == 1

    wait_until(is_open, "the stream being told")
    assert seen["inflight_requests,chat/completions"] == 1
    edge.on_loop(lambda: edge.process.edge.drain(0))
    reading.join(HANG_S)
    wait_until(lambda: not edge.process.edge.open_calls(), "the end of the stream")
    seen.update(told(gauges, totals))
    assert (seen["open_streams"], seen["inflight_requests,chat/completions"]) == (0, 0)
    assert seen["draining_processes"] == 1
