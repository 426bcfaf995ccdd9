"""Budgets at the edge, over real sockets: exact with many calls at once, in both lanes and both stores."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from accounts.budgets import Terms
from accounts.money import UNITS_A_USD
from gateway.core.store.redis import RedisStore
from tests.gateway.proxy.admission.test_limits import ASKED, ENDPOINTS, LANES, ask
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import a_model, a_price, a_provider, an_offering
from tests.services import wait_until
from tests.upstream import ScriptedProvider

A_CALL = a_price("requests", "0.001", unit_size=1)
CENT = UNITS_A_USD // 100
STRICT = Terms("lifetime", "", CENT, is_strict=True)


@pytest.fixture
def first():
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def second():
    with ScriptedProvider() as provider:
        yield provider


def an_edge(*providers: ScriptedProvider, prices=(A_CALL,), **options):
    offerings = tuple(
        an_offering(number, provider_id=number, position=number, prices=prices, endpoints=ENDPOINTS)
        for number, _ in enumerate(providers, start=1)
    )
    rows = [a_provider(number, base_url=each.base_url) for number, each in enumerate(providers, start=1)]
    return running_edge([a_model(offerings=offerings)], rows, **options)


@pytest.fixture
def edge(first):
    with an_edge(first) as running:
        yield running


def held(edge, subject="key:1") -> int:
    return edge.on_loop(lambda: edge.process.store.balance(subject)).held


def owed(edge, subject="key:1") -> int:
    return sum(edge.on_loop(lambda: edge.process.store.balance(subject)).owed.values())


@pytest.mark.parametrize(("surface", "is_streamed"), ASKED)
@LANES
def test_a_spent_budget_refuses_on_every_surface(edge, first, surface, is_streamed, lane):
    edge.process.limited.hold_to("team:1", Terms("month", "Europe/Berlin", CENT))
    edge.process.spent.spent["team:1"] = CENT
    refused = ask(edge, surface, is_streamed=is_streamed, lane=lane)
    assert (refused.status_code, refused.headers["x-should-retry"]) == (402, "false")
    assert "retry-after" not in refused.headers
    assert "Team 't' has spent its budget of $0.01 this month. It begins anew at " in refused.text
    assert not first.calls
    edge.process.spent.spent["team:1"] = CENT - 1
    edge.process.limited.hold_to("team:1", Terms("month", "Europe/Berlin", CENT + 1))
    edge.on_loop(lambda: edge.process.spent.learn(list(edge.process.limited.current.budgets.values())))
    assert ask(edge, surface, is_streamed=is_streamed, lane=lane).status_code == 200


def persist(edge, lane: str) -> httpx.Response:
    """As an SDK does that does not give up: again after each 429 and 503, and never after a 402."""
    with edge.client(**{"x-gateway-lane": lane}) as client:
        while True:
            answer = client.post(
                "/v1/chat/completions",
                json={"model": "acme/one", "messages": [{"role": "user", "content": "x"}]},
            )
            if answer.status_code not in {429, 503}:
                return answer
            time.sleep(0.02)


@pytest.mark.parametrize("kind", ["memory", "redis"])
@LANES
def test_two_hundred_calls_at_once_on_a_strict_budget_spend_all_of_it_and_no_more(
    first, redis_server, kind, lane
):
    options = {}
    if kind == "redis":
        options = {
            "store": lambda: RedisStore(redis_server.url, "web"),
            "worker_store": lambda: RedisStore(redis_server.url, "lane"),
        }
        redis_server.ask("FLUSHALL")
    with an_edge(first, **options) as edge:
        edge.process.limited.hold_to("key:1", STRICT)
        with ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda _: persist(edge, lane), range(200)))
        statuses = [answer.status_code for answer in answers]
        assert (statuses.count(200), statuses.count(402)) == (10, 190), set(statuses)
        assert len(first.calls) == 10
        wait_until(lambda: held(edge) == 0, "giving back what was held")
        assert owed(edge) == CENT


@LANES
def test_what_is_only_held_is_waited_for_and_then_to_be_tried_again(edge, first, lane):
    edge.process.limited.hold_to("key:1", Terms("lifetime", "", UNITS_A_USD // 1000, is_strict=True))
    first.default = "slow-headers?seconds=3"
    running = threading.Thread(target=ask, args=(edge,), kwargs={"lane": lane})
    running.start()
    first.wait_for(1)
    refused = ask(edge, lane=lane)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "budget_held")
    assert refused.headers["retry-after"] == "1"
    assert edge.process.spent.held == [("key:1", "lifetime:0")]
    running.join()
    wait_until(lambda: held(edge) == 0, "settling")
    assert ask(edge, lane=lane).status_code == 402


@LANES
def test_a_call_that_waits_for_what_is_held_goes_on_once_it_is_free(edge, first, lane):
    edge.process.limited.hold_to("key:1", Terms("lifetime", "", 2 * UNITS_A_USD // 1000, is_strict=True))
    first.default = "slow-headers?seconds=0.3"
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: ask(edge, lane=lane), range(2)))
    assert [answer.status_code for answer in answers] == [200, 200]


@LANES
def test_a_failed_call_costs_nothing_and_holds_nothing(edge, first, lane):
    edge.process.limited.hold_to("key:1", STRICT)
    first.default = "400"
    assert ask(edge, lane=lane).status_code == 400
    wait_until(lambda: held(edge) == 0, "giving back")
    assert owed(edge) == 0


@LANES
def test_a_call_that_fails_over_is_charged_once(first, second, lane):
    first.default = "503"
    with an_edge(first, second) as edge:
        edge.process.limited.hold_to("key:1", STRICT)
        assert ask(edge, lane=lane).headers["x-gateway-attempts"] == "2"
        wait_until(lambda: held(edge) == 0, "settling")
        assert owed(edge) == UNITS_A_USD // 1000


@LANES
def test_where_all_attempts_fail_nothing_stays_held(first, second, lane):
    first.default = second.default = "503"
    with an_edge(first, second) as edge:
        edge.process.limited.hold_to("key:1", STRICT)
        assert ask(edge, lane=lane).status_code >= 500
        wait_until(lambda: held(edge) == 0, "giving back")
        assert owed(edge) == 0


def test_a_call_that_no_worker_takes_holds_nothing(first):
    with an_edge(first, with_worker=False) as edge:
        edge.process.limited.hold_to("key:1", STRICT)
        assert ask(edge, lane="worker").json()["error"]["code"] == "no_worker"
        assert held(edge) == 0


@LANES
def test_a_client_that_leaves_pays_for_what_it_was_sent_and_holds_no_more(first, lane):
    first.default = "never-ending?delay=0.05"
    prices = (a_price("output_text_tokens", "100"),)
    with an_edge(first, prices=prices) as edge:
        edge.process.limited.hold_to("key:1", Terms("lifetime", "", 100 * UNITS_A_USD))
        given = {"model": "acme/one", "stream": True, "messages": [{"role": "user", "content": "x"}]}
        with (
            edge.client(**{"x-gateway-lane": lane}) as client,
            client.stream("POST", "/v1/chat/completions", json=given) as answer,
        ):
            next(answer.iter_bytes())
        edge.records.settled()
        wait_until(lambda: held(edge) == 0, "giving back")
        assert owed(edge) == round(float(edge.records.closes[0].cost_usd) * UNITS_A_USD) > 0


@LANES
def test_a_stream_that_outgrows_what_is_held_for_it_holds_more(first, lane):
    first.default = "never-ending?delay=0.001&size=4000"
    prices = (a_price("output_text_tokens", "100"),)
    with an_edge(first, prices=prices) as edge:
        edge.process.limited.hold_to("key:1", Terms("lifetime", "", 1000 * UNITS_A_USD))
        given = {"model": "acme/one", "stream": True, "messages": [{"role": "user", "content": "x"}]}
        with (
            edge.client(**{"x-gateway-lane": lane}) as client,
            client.stream("POST", "/v1/chat/completions", json=given) as answer,
        ):
            likely = 1_024 * 100 * UNITS_A_USD // 1_000_000
            pieces = answer.iter_bytes()
            next(pieces)
            assert held(edge) >= likely
            wait_until(lambda: bool(next(pieces)) and held(edge) > 10 * likely, "a larger hold")


def test_answers_teach_what_is_likely(first):
    prices = (a_price("output_text_tokens", "1000000"),)
    with an_edge(first, prices=prices) as edge:
        edge.process.limited.hold_to("key:1", Terms("lifetime", "", 10**6 * UNITS_A_USD))
        for _ in range(5):
            assert ask(edge, max_tokens=None).status_code == 200
        wait_until(lambda: held(edge) == 0, "settling")
        each = owed(edge) // 5
        first.default = "slow-headers?seconds=1"
        running = threading.Thread(target=ask, args=(edge,), kwargs={"max_tokens": None})
        running.start()
        first.wait_for(6)
        assert held(edge) == each
        running.join()


@LANES
def test_a_team_is_held_to_what_it_is_charged_and_the_deployment_to_what_that_costs(edge, first, lane):
    edge.keys.change(edge.key, charge_factor="2.5")
    for subject in ("key:1", "deployment"):
        edge.process.limited.hold_to(subject, STRICT)
    first.default = "slow-headers?seconds=0.5"
    running = threading.Thread(target=ask, args=(edge,), kwargs={"lane": lane})
    running.start()
    first.wait_for(1)
    mill = CENT // 10
    assert (held(edge), held(edge, "deployment")) == (mill * 5 // 2, mill)
    running.join()
    wait_until(lambda: owed(edge) == mill * 5 // 2, "settling")
    assert (owed(edge, "deployment"), held(edge), held(edge, "deployment")) == (mill, 0, 0)


def test_where_nobody_can_say_what_was_spent_no_call_is_let_in(edge, first):
    edge.process.limited.hold_to("key:1", STRICT)
    edge.process.spent.is_away = True
    refused = ask(edge)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "budget_unknown")
    edge.process.spent.is_away = False
    assert ask(edge).status_code == 200


def test_a_budget_that_only_warns_refuses_nobody(edge):
    edge.process.limited.hold_to("key:1", Terms("lifetime", "", 1, refuses=False))
    edge.process.spent.spent["key:1"] = CENT
    assert ask(edge).status_code == 200


def test_the_deployments_budget_counts_for_everybody(edge):
    edge.process.limited.hold_to("deployment", STRICT)
    edge.process.spent.spent["deployment"] = CENT
    refused = ask(edge)
    assert refused.status_code == 402
    assert refused.json()["error"]["message"].startswith("This gateway has spent its budget of $0.01 in all.")


def test_on_a_budget_only_what_has_a_price_is_called(first, second):
    with an_edge(first, prices=()) as edge:
        assert ask(edge).status_code == 200
        edge.process.limited.hold_to("key:1", STRICT)
        refused = ask(edge)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "unpriced_model")


@pytest.mark.parametrize("refuses_last", [True, False])
def test_of_several_windows_each_refuses(edge, refuses_last):
    larger, smaller = Terms("month", "UTC", 2 * CENT), Terms("day", "Asia/Kolkata", CENT)
    edge.process.limited.hold_to("key:1", *((larger, smaller) if refuses_last else (smaller, larger)))
    edge.process.spent.spent["key:1"] = CENT
    assert "its budget of $0.01 this day" in ask(edge).text


def test_a_raise_lets_calls_in_until_it_ends(edge):
    now = time.time()
    spent = Terms("lifetime", "", CENT, raised_by=CENT, raised_until=now + 3600)
    edge.process.spent.spent["key:1"] = CENT
    edge.process.limited.hold_to("key:1", spent)
    assert ask(edge).status_code == 200
    edge.process.limited.hold_to("key:1", Terms("lifetime", "", CENT, raised_by=CENT, raised_until=now - 1))
    assert ask(edge).status_code == 402


@LANES
def test_a_provider_that_has_spent_its_budget_is_passed_over(first, second, lane):
    with an_edge(first, second) as edge:
        edge.process.spent.spent_providers = frozenset({"provider-1"})
        assert ask(edge, lane=lane).headers["x-gateway-provider"] == "provider-2"
        edge.process.spent.spent_providers = frozenset({"provider-1", "provider-2"})
        refused = ask(edge, lane=lane)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "providers_at_quota")
    assert (len(first.calls), len(second.calls)) == (0, 1)
