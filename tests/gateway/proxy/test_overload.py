"""More calls than a process takes at once, at its edge: who waits, and who is refused."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalogue.pricing.rate_card import RateCards
from gateway.core.store.interface import Ask, Verdict
from gateway.core.store.memory import MemoryStore
from gateway.proxy.admission.admission import Admission
from gateway.proxy.gate import LONGEST_WAIT_S
from providers.breaker import FAILURES_TO_OPEN
from tests.gateway.proxy.edge import Limited, Spent, running_edge
from tests.gateway.proxy.lanes import an_edge
from tests.gateway.proxy.test_translation import CLIENTS
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.services import wait_until
from tests.upstream import ScriptedProvider

LANES = pytest.mark.parametrize("lane", ["direct", "worker"])


@pytest.fixture
def provider():
    with ScriptedProvider() as provider:
        yield provider


@LANES
def test_a_call_beyond_the_most_goes_on_when_another_one_ends(provider, lane):
    provider.script("slow-headers?seconds=0.3")
    with an_edge(provider, most_calls=1) as edge, ThreadPoolExecutor(2) as pool:
        first = pool.submit(edge.chat, lane=lane)
        provider.wait_for(1)
        second = pool.submit(edge.chat, lane=lane)
        assert (first.result().status_code, second.result().status_code) == (200, 200)
        assert edge.process.edge._gate.waiting == 0


@pytest.mark.parametrize("client", CLIENTS)
def test_whom_the_queue_has_no_room_for_is_told_so_at_once_in_the_form_of_its_api(provider, client):
    provider.script("slow-headers?seconds=0.5")
    path, body = CLIENTS[client]
    with an_edge(provider, most_calls=1, with_worker=False) as edge, ThreadPoolExecutor(2) as pool:
        running = []
        for number in range(2):
            running.append(pool.submit(edge.chat))
            wait_until(lambda number=number: len(edge.process.edge._open) == number + 1, "calling")
        with edge.client() as asking:
            refused = asking.post(path, json=body)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert "as many calls in hand as it takes" in refused.text
        assert [each.result().status_code for each in running] == [200, 200]
        # The refused one was none of the provider's.
        assert len(provider.calls) == 2


def test_who_waits_for_a_second_in_vain_is_refused(provider):
    provider.script("slow-headers?seconds=2")
    with an_edge(provider, most_calls=1, with_worker=False) as edge, ThreadPoolExecutor(1) as pool:
        running = pool.submit(edge.chat)
        provider.wait_for(1)
        refused = edge.chat()
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
        assert running.result().status_code == 200


class HeldStore(MemoryStore):
    """Nothing of any budget gets free."""

    asked = 0

    async def admit(self, ask):
        self.asked += 1
        return Verdict(is_admitted=False, reason="held")


@pytest.mark.parametrize(("waited_s", "asks"), [(LONGEST_WAIT_S, False), (LONGEST_WAIT_S - 0.2, True)])
def test_what_a_call_waited_for_room_is_taken_off_what_it_waits_for_holds(waited_s, asks):
    store = HeldStore()
    admission = Admission(store, Limited(), Spent(store), RateCards())
    verdict = asyncio.run(admission._insist(Ask("1", ()), (), Verdict(False, reason="held"), waited_s))
    assert (verdict.reason, store.asked > 0) == ("held", asks)


@LANES
def test_a_process_that_makes_as_many_calls_as_it_may_holds_that_against_no_provider(provider, lane):
    offerings = an_offering(1), an_offering(2, position=1)
    with running_edge([a_model(offerings=offerings)], [a_provider(base_url=provider.base_url)]) as edge:
        edge.process.services.engine.connections = 0
        for _ in range(FAILURES_TO_OPEN + 1):
            answer = edge.chat(lane=lane)
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "provider_pool_full")
            assert answer.headers["retry-after"] == "1"
            # There is no more room for a call to another one.
            assert answer.headers["x-gateway-attempts"] == "1"
        health = edge.process.services.health
        assert not health.broken
        assert health.status(1, 0).success_rate == 1
        edge.process.services.engine.connections = 1
        assert edge.chat(lane=lane).status_code == 200
