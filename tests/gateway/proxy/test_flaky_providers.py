"""A thousand calls over providers of which some fail: how many succeed, and what failing over costs the others."""

import asyncio
import json
import math
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

import pytest

from accounts.rules import NONE
from catalogue.pricing.rate_card import RateCards
from catalogue.published.snapshot import Snapshot
from gateway.core.store.memory import MemoryStore
from gateway.proxy.admission.admission import Admission
from gateway.proxy.errors import Unavailable
from gateway.proxy.exchange import CallResult
from gateway.proxy.health import HealthObserver
from gateway.proxy.observers import Observers
from gateway.proxy.retries import FREE, SHARE, WINDOW_S
from gateway.proxy.routing.plan import plan_route
from gateway.proxy.routing.request import RouteRequest
from gateway.proxy.routing.resolve import RoutingContext
from gateway.proxy.services import CallServices
from gateway.proxy.walk import run_call
from providers.health import HealthTable
from providers.operations.registry import choose_adapter, operation_of
from providers.wire.call import Call
from tests.gateway.proxy.edge import PATIENT, Limited, Records, Snapshots, Spent, running_edge
from tests.gateway.proxy.values import a_key, a_model, a_provider, an_offering
from tests.upstream import ScriptedProvider

CALLS = 1_000
BODY = {"model": "acme/one", "messages": [{"role": "user", "content": "hello"}]}
ANSWER = json.dumps(
    {
        "id": "x",
        "object": "chat.completion",
        "model": "upstream",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
).encode()


class Answered:
    headers = {"content-type": "application/json"}

    def __init__(self, status):
        self.status = status

    async def read(self, limit_bytes):
        return ANSWER

    async def read_part(self, limit_bytes, within_s):
        return b""

    async def close(self):
        """There is no connection."""


class Engine:
    """Providers without sockets: each fails by its own share."""

    def __init__(self, failing):
        self.failing = failing
        self.asked = Counter()
        self.draw = random.Random(7)

    async def open(self, request, timeouts):
        await asyncio.sleep(0)
        host = request.url.split("/")[2]
        self.asked[host] += 1
        return Answered(500 if self.draw.random() < self.failing[host] else 200)


class World:
    """A process' parts that a call is planned and made with."""

    def __init__(self, failing):
        providers = {
            id_: a_provider(id_, base_url=f"http://{host}/v1") for id_, host in enumerate(failing, start=1)
        }
        model = a_model(offerings=tuple(an_offering(id_, provider_id=id_, position=id_) for id_ in providers))
        self.snapshot = Snapshot.of([model], providers, revision=1)
        self.engine, self.health, store = Engine(failing), HealthTable(), MemoryStore()
        self.services = CallServices(
            engine=self.engine,
            adapters=choose_adapter,
            snapshots=Snapshots(self.snapshot),
            observers=Observers(Records(), [HealthObserver(self.health)]),
            health=self.health,
            timeouts=PATIENT,
            answer_bytes=10**6,
            admission=Admission(store, Limited(current=NONE), Spent(store), RateCards()),
        )

    async def call(self):
        call = Call("chat.completions", BODY, raw=b"{}", id="1")
        status = partial(self.health.status, at=time.monotonic())
        context = RoutingContext(
            self.snapshot, a_key(), datetime.now(UTC), status, draw=self.engine.draw.random()
        )
        try:
            plan = plan_route(
                RouteRequest(("acme/one",), operation_of(call.endpoint).requirements(call)), context
            )
        except Unavailable as refusal:
            # All breakers are open, which is another way of asking nobody.
            return CallResult(error=refusal.to_dict())
        call.offering_ids = tuple(each.way for each in plan.candidates)
        return await run_call(self.services, call, lane="direct", sink=Sink())


class Sink:
    async def begin(self, head):
        """Nobody looks at it."""

    async def send(self, data, *, is_last=False):
        """Nor at this."""


def a_thousand_calls(failing):
    """How they ended, how many attempts they took at each, and how many windows of the budget they lasted."""
    world = World(failing)

    async def all_calls():
        return [await world.call() for _ in range(CALLS)]

    began = time.monotonic()
    ends = asyncio.run(all_calls())
    windows = 1 + math.ceil((time.monotonic() - began) / WINDOW_S)
    return ends, world.engine.asked, windows


def test_of_a_good_and_a_flaky_provider_999_of_a_thousand_calls_succeed():
    ends, asked, windows = a_thousand_calls({"flaky": 0.3, "good": 0.0})
    failed = [end for end in ends if end.error]
    assert len(failed) <= CALLS / 1000
    failovers = asked.total() - CALLS
    assert failovers <= max(FREE * windows, SHARE * asked["good"])


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_where_all_are_flaky_the_budget_wins(share):
    """Each target takes no more of others' failures than ten in ten seconds, or a tenth of what it serves."""
    ends, asked, windows = a_thousand_calls({"one": share, "two": share, "three": share})
    failovers = asked.total() - sum(end.attempts > 0 for end in ends)
    assert 0 < failovers <= sum(max(FREE * windows, SHARE * count) for count in asked.values())


def test_a_call_that_may_not_fail_over_is_told_what_failed():
    ends, _, _ = a_thousand_calls({"one": 0.3, "two": 0.3, "three": 0.3})
    told = {(end.error["status"], end.error["code"]) for end in ends if end.withheld}
    assert told == {(502, "provider_unavailable")}


@pytest.mark.drill
def test_of_a_good_and_a_flaky_provider_on_sockets_999_of_a_thousand_calls_succeed():
    draw = random.Random(7)
    with ScriptedProvider() as flaky, ScriptedProvider() as good:
        flaky.script(*("500" if draw.random() < 0.3 else "ok" for _ in range(2 * CALLS)))
        providers = [a_provider(1, base_url=flaky.base_url), a_provider(2, base_url=good.base_url)]
        model = a_model(offerings=tuple(an_offering(id_, provider_id=id_, position=id_) for id_ in (1, 2)))
        with running_edge([model], providers, with_worker=False) as edge:
            with edge.client() as client, ThreadPoolExecutor(8) as threads:
                answers = list(
                    threads.map(
                        lambda _: client.post("/v1/chat/completions", json=BODY).status_code, range(CALLS)
                    )
                )
            assert Counter(answers)[200] >= CALLS * 0.999
            edge.records.settled(CALLS)
            assert Counter(edge.records.outcomes)["failed_over"] <= FREE * 10 + SHARE * len(good.calls)
