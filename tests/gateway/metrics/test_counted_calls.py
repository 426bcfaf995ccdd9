"""What calls and attempts come to in numbers: real calls at the edge, in both lanes."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from accounts.attempts import AttemptClosed, AttemptOpened, AttemptRecord
from gateway.metrics.folding import Fold
from gateway.metrics.labels import TeamNames
from gateway.metrics.observer import MetricsObserver
from gateway.metrics.totals import Totals
from gateway.proxy.observers import CallRecord, Observers
from gateway.proxy.surfaces import surface_at
from tests.gateway.instructions import counted_instructions
from tests.gateway.proxy.edge import Records, RunningEdge, running_edge
from tests.gateway.proxy.values import a_key, a_model, a_price, a_provider, an_offering
from tests.services import wait_until
from tests.upstream import ScriptedProvider

LANES = pytest.mark.parametrize("lane", ["direct", "worker"])
Numbers = dict[str, float]


class Counted:
    """Folds what the observer of a running edge was told, and says it as a scrape would."""

    def __init__(self) -> None:
        self.observer, self.totals = MetricsObserver(), Totals()
        self.fold = Fold(self.totals, TeamNames(lambda: {1: "research"}, 10))
        self._numbers: Numbers = {}

    def take(self) -> Numbers:
        self.fold.take(*self.observer.take())
        self.fold.remaining.look(self.totals)
        for series, value, _ in self.totals.end_round():
            if series.le is None:
                told = ",".join(series.labels)
                self._numbers[f"{series.family.name.removeprefix('gatehouse_')}{series.suffix}{{{told}}}"] = (
                    value
                )
        return self._numbers

    def once(self, *told: str) -> Numbers:
        """As soon as those have numbers. A worker's attempt ends when it hears that its answer was taken."""
        wait_until(lambda: self.take().keys() >= {*told}, f"counting {told}")
        return self.take()


@pytest.fixture
def first() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def second() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def edge(first: ScriptedProvider, second: ScriptedProvider, counted: Counted) -> Iterator[RunningEdge]:
    prices = (a_price("input_tokens", "1"), a_price("output_tokens", "10"))
    offerings = an_offering(1, provider_id=1, prices=prices), an_offering(2, provider_id=2, position=1)
    providers = [a_provider(id_, base_url=each.base_url) for id_, each in enumerate((first, second), 1)]
    offerings = tuple(replace(each, provider_slug=f"provider-{each.id}") for each in offerings)
    with running_edge([a_model(offerings=offerings)], providers, observers=[counted.observer]) as running:
        yield running


@LANES
@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_call_that_goes_well(edge: RunningEdge, counted: Counted, lane: str, is_streamed: bool) -> None:
    assert edge.chat(lane=lane, stream=is_streamed).status_code == 200
    attempts = "attempts_total{acme/one,provider-1,finished,none}"
    numbers = counted.once("team_requests_total{research,finished}", attempts)
    [closed] = edge.records.closes
    assert numbers["requests_total{chat/completions,acme/one,provider-1,finished,none}"] == 1
    assert numbers[attempts] == 1
    for kind in ("input", "output"):
        count = closed.usage[f"{kind}_tokens"]
        assert numbers[f"tokens_total{{acme/one,provider-1,{kind}}}"] == count
        assert numbers[f"team_tokens_total{{research,{kind}}}"] == count
    assert numbers["cost_usd_total{research,provider-1}"] == pytest.approx(float(closed.cost_usd))
    assert numbers["cost_usd_total{research,provider-1}"] > 0
    flag = str(is_streamed).lower()
    took = numbers[f"request_duration_seconds_sum{{chat/completions,{flag}}}"]
    spent = numbers[f"attempt_duration_seconds_sum{{provider-1,{flag}}}"]
    assert numbers[f"overhead_seconds_sum{{{lane}}}"] == pytest.approx(took - spent)
    assert ("ttft_seconds_sum{acme/one,provider-1}" in numbers) == is_streamed
    assert numbers["attempts_per_request_sum{}"] == 1


@LANES
def test_a_call_that_fails_over(
    edge: RunningEdge, counted: Counted, first: ScriptedProvider, lane: str
) -> None:
    first.script("503")
    assert edge.chat(lane=lane).status_code == 200
    attempts = "attempts_total{acme/one,provider-2,finished,none}"
    numbers = counted.once("team_requests_total{research,finished}", attempts)
    assert numbers["requests_total{chat/completions,acme/one,provider-2,finished,none}"] == 1
    assert numbers["attempts_total{acme/one,provider-1,failed_over,provider_unavailable}"] == 1
    assert numbers[attempts] == 1
    assert numbers["fallbacks_total{provider-1,provider-2,provider_unavailable}"] == 1
    assert numbers["unpriced_attempts_total{acme/one}"] == 1
    assert numbers["attempts_per_request_sum{}"] == 2


@LANES
def test_what_is_left_of_a_providers_own_limits(
    edge: RunningEdge, counted: Counted, first: ScriptedProvider, lane: str
) -> None:
    first.script("429?x-ratelimit-remaining-requests=3&anthropic-ratelimit-input-tokens-remaining=250")
    assert edge.chat(lane=lane).status_code == 200
    left = "provider_ratelimit_remaining{acme/one,provider-1,"
    numbers = counted.once(f"{left}requests}}")
    assert (numbers[f"{left}requests}}"], numbers[f"{left}input_tokens}}"]) == (3, 250)
    assert not [name for name in numbers if name.startswith("provider_rate") and "provider-2" in name]


@pytest.mark.parametrize("owner", ["own_credential_id", "operator_credential_id"])
def test_what_is_left_by_a_further_credential_is_another_matter(counted: Counted, owner: str) -> None:
    attempt = an_attempt(**{owner: 7})
    attempt.answered = {"x-ratelimit-remaining-requests": "3"}
    counted.observer.attempt_closed(attempt)
    assert not [name for name in counted.take() if name.startswith("provider_ratelimit")]


def test_a_mistake_of_the_caller_with_a_code_of_the_vendors_own(
    edge: RunningEdge, counted: Counted, first: ScriptedProvider
) -> None:
    first.script("400?code=weird_vendor_code")
    assert edge.chat().status_code == 400
    numbers = counted.once("team_requests_total{research,failed}")
    [request] = [name for name in numbers if name.startswith("requests_total")]
    [attempt] = [name for name in numbers if name.startswith("attempts_total")]
    assert request.rpartition(",")[2].startswith("caller_")
    assert attempt.rpartition(",")[2].startswith("caller_")


def test_what_callers_write_is_no_label(edge: RunningEdge, counted: Counted) -> None:
    with edge.client("sk-gw-nobody-of-ours") as stranger:
        stranger.post("/v1/chat/completions", json={})
        stranger.post("/v1beta/models/made-up-model:generateContent", json={})
    edge.chat("acme/never-heard-of")
    numbers = counted.once("team_requests_total{research,refused}")
    assert {name for name in numbers if name.startswith("requests_total")} == {
        "requests_total{chat/completions,none,none,refused,caller_key}",
        "requests_total{generateContent,none,none,refused,caller_key}",
        "requests_total{chat/completions,none,none,refused,caller_model}",
    }
    assert numbers["team_requests_total{none,refused}"] == 2
    assert not [name for name in numbers if name.startswith("attempts_per_request")]


def test_a_call_beyond_its_limit_tells_which(edge: RunningEdge, counted: Counted) -> None:
    edge.limit("team", "requests", 1)
    edge.chat()
    assert edge.chat().status_code == 429
    numbers = counted.once("limit_refusals_total{requests,team}")
    assert numbers["requests_total{chat/completions,acme/one,none,refused,policy_limit}"] == 1


def an_attempt(outcome: str = "finished", **facts: object) -> AttemptRecord:
    opened = AttemptOpened(
        *(
            "a",
            "call-1",
            "req-1",
            1,
            "direct",
            "chat.completions",
            1,
            1,
            "acme/one",
            "acme/one",
            "acme",
            "up",
        ),
        is_streamed=True,
        started_at=0.0,
        prices=[{}],
    )
    closed = AttemptClosed("a", 1.0, outcome, "0.5", "0", latency_ms=1500, first_token_ms=500)
    for name, value in facts.items():
        setattr(opened if hasattr(opened, name) else closed, name, value)
    return AttemptRecord(opened, closed)


def test_pace_is_of_the_tokens_after_the_first(counted: Counted) -> None:
    counted.observer.attempt_closed(an_attempt(usage={"output_tokens": 11}))
    numbers = counted.take()
    assert numbers["ttft_seconds_sum{acme/one,acme}"] == 0.5
    assert numbers["tpot_seconds_sum{acme/one,acme}"] == pytest.approx(0.1)


@pytest.mark.parametrize("facts", [{"usage": {"output_tokens": 1}}, {"usage": None}, {"outcome": "cut"}])
def test_there_is_no_pace_without_tokens_or_an_end(counted: Counted, facts: dict[str, object]) -> None:
    counted.observer.attempt_closed(an_attempt(**{"usage": {"output_tokens": 11}, **facts}))
    assert "tpot_seconds_sum{acme/one,acme}" not in counted.take()


def test_who_pays_what(counted: Counted) -> None:
    counted.observer.attempt_closed(an_attempt(charge_factor="1.2"))
    lost = an_attempt(
        "cut", cost_usd="0", loss_usd="0.25", error_code="provider_truncated", is_estimated=True
    )
    own = an_attempt(cost_usd="0", own_cost_usd="0.125", own_credential_id=7)
    for attempt in (lost, own):
        counted.observer.attempt_closed(attempt)
    numbers = counted.take()
    assert numbers["cost_usd_total{research,acme}"] == 0.5
    assert numbers["charge_usd_total{research}"] == pytest.approx(0.6)
    assert numbers["loss_usd_total{acme}"] == 0.25
    assert numbers["own_cost_usd_total{research,acme}"] == 0.125
    assert numbers["estimated_usage_total{acme}"] == 1
    assert numbers["attempts_total{acme/one,acme,cut,provider_cut}"] == 1


def test_counting_costs_a_call_next_to_nothing() -> None:
    """Of the interpreter's instructions, and nothing where nobody asked for metrics."""
    call = CallRecord("req-1", surface_at("/v1/chat/completions"), 0.0, a_key())
    attempt = an_attempt()
    with_metrics, without = Observers(Records(), [MetricsObserver()]), Observers(Records())

    def cost(observers: Observers) -> int:
        with counted_instructions() as count:
            observers.ended(call)
            observers.attempt_closed(attempt)
        return count.instructions

    assert cost(with_metrics) - cost(without) < 60
