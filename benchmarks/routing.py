"""What choosing an offering costs, in one process without sockets: `python -m benchmarks.routing`.

CPU, of the quickest of several rounds: whatever else a machine does only ever adds to it. Goals are for a machine whose
loop of a million small steps takes LOOP_S; elsewhere they are as many times as much as its own loop takes.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

from accounts.keys import KeyFacts
from accounts.scopes import MEANT
from catalogue.endpoints import answered
from catalogue.facts import ModelFacts, OfferingFacts, PriceFacts
from catalogue.published.snapshot import Snapshot
from gateway.proxy.routing.plan import plan_route
from gateway.proxy.routing.request import RouteRequest
from gateway.proxy.routing.resolve import RoutingContext
from providers.facts import ProviderFacts
from providers.health import HealthTable
from providers.operations.registry import operation_of
from providers.wire.call import Call

LOOP_S = 0.1
ROUNDS, TIMES = 9, 200
MODELS, PROVIDERS, PER_MODEL, MANY = 1_310, 70, 3, 55
_CHAT = "chat.completions"
_BODY = {"model": "m", "messages": [{"role": "user", "content": "hello"}]}
_TOOLS = {"tools": [{"type": "function", "function": {"name": "look", "parameters": {}}}], "stream": True}
_PARAMS = (frozenset({"temperature", "tools"}), frozenset({"temperature"}), frozenset())
_AT = datetime(2026, 11, 30, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Case:
    """`names` for a request of that body; `goal_us` in a loop's machine, None where there is none."""

    title: str
    names: tuple[str, ...]
    body: dict[str, object]
    goal_us: float | None = None
    is_new_second: bool = False
    """Each time a second later, so that the order among all is found anew."""


CASES = (
    Case("one model, one offering", ("bench/lone",), _BODY),
    Case(f"one model, {MANY} offerings", ("bench/many",), _BODY, 150),
    Case(f"{MODELS} models, auto", ("auto",), _BODY, 1_000),
    Case(f"{MODELS} models, auto with tools, streamed", ("auto",), {**_BODY, **_TOOLS}, 1_000),
    Case(f"{MODELS} models, auto, an effort", ("auto",), {**_BODY, "reasoning_effort": "high"}, 1_000),
    Case(f"{MODELS} models, auto:cheap", ("auto:cheap",), _BODY),
    Case(f"{MODELS} models, auto, the order found anew", ("auto",), _BODY, is_new_second=True),
)


def catalogue(count: int = MODELS) -> Snapshot:
    """So many models with offerings at several providers, one with one offering, and one with many."""
    providers = {
        number: ProviderFacts(number, f"provider-{number}", "P", "openai", "http://localhost", True, True)
        for number in range(1, PROVIDERS + 1)
    }
    models = [_model(number, PER_MODEL) for number in range(count - 2)]
    lone, many = (
        replace(_model(count, 1), id="bench/lone"),
        replace(_model(count + 1, MANY), id="bench/many"),
    )
    return Snapshot.of([*models, lone, many], providers, revision=1)


def _model(number: int, count: int) -> ModelFacts:
    offerings = tuple(_offering(number * 100 + each, each) for each in range(count))
    tier = (None, "low", "medium", "high")[number % 4]
    types = frozenset({"text", "image"} if number % 3 else {"text"})
    return ModelFacts(
        f"bench/model-{number}",
        "M",
        input_types=types,
        context_length=8_192 << number % 6,
        reasoning_tier=tier,
        offerings=offerings,
    )


def _offering(id_: int, number: int) -> OfferingFacts:
    prices = tuple(
        PriceFacts(meter, "standard", 1_000_000, Decimal(id_ % 37 + times), "USD")
        for meter, times in (("input_text_tokens", 1), ("output_text_tokens", 4))
    )
    return OfferingFacts(
        id_,
        id_ % PROVIDERS + 1,
        "upstream",
        answered({_CHAT}),
        _PARAMS[number % 3],
        position=number,
        prices=prices,
        regions=("eu",) if number % 2 else ("us",),
    )


def worn(snapshot: Snapshot) -> HealthTable:
    """A tenth of the offerings have been called lately, some of those in vain."""
    health = HealthTable()
    for offering_id in list(snapshot.offerings)[::10]:
        health.succeeded(offering_id, 100.0 + offering_id % 900, time.monotonic())
    return health


def key() -> KeyFacts:
    scopes = MEANT["inference"]
    return KeyFacts(1, "k" * 12, "", "bench", 1, "t", "inference", True, scopes, (("key", 1), ("team", 1)), 1)


def planning(case: Case, snapshot: Snapshot, health: HealthTable) -> Callable[[int], object]:
    """One decision; its argument counts them."""
    call = Call(_CHAT, case.body, is_streamed=bool(case.body.get("stream")))
    required = operation_of(_CHAT).requirements(call)
    request = RouteRequest(case.names, required, reasoning_effort=str(case.body.get("reasoning_effort", "")))
    facts, now = key(), time.monotonic()
    context = RoutingContext(snapshot, facts, _AT, partial(health.status, at=now), draw=0.5)

    def decide(number: int) -> object:
        if case.is_new_second:
            context.at = _AT + number * _SECOND
        return plan_route(request, context)

    return decide


def quickest_us(work: Callable[[int], object], times: int = TIMES, rounds: int = ROUNDS) -> float:
    """Microseconds of CPU for one."""
    work(0)
    return min(_round_us(work, times, number * times + 1) for number in range(rounds))


def _round_us(work: Callable[[int], object], times: int, first: int) -> float:
    began = time.process_time_ns()
    for number in range(first, first + times):
        work(number)
    return (time.process_time_ns() - began) / times / 1_000


def loop_s() -> float:
    """Of a million steps in plain Python: what this machine is compared by."""

    def step(_: int) -> None:
        def same(value: int) -> int:
            return value

        kept, text = [""] * 16, "text"
        for number in range(1_000_000):
            kept[number & 15] = text.upper()
            same(number)

    return quickest_us(step, times=1, rounds=5) / 1e6


def main(cases: Sequence[Case] = CASES) -> int:
    """1 where a goal is missed."""
    snapshot = catalogue()
    health, pace = worn(snapshot), loop_s() / LOOP_S
    print(
        f"A million steps: {pace * LOOP_S:.3f} s of CPU, {pace:.2f} times the machine that goals are for.\n"
    )
    print(f"{'':44} {'here':>10} {'there':>10} {'goal':>10}")
    is_missed = False
    for case in cases:
        here = quickest_us(planning(case, snapshot, health))
        goal = f"{case.goal_us:.0f} µs" if case.goal_us else "none"
        print(f"{case.title:44} {here:7.1f} µs {here / pace:7.1f} µs {goal:>10}")
        is_missed |= case.goal_us is not None and here / pace > case.goal_us
    return int(is_missed)


if __name__ == "__main__":
    sys.exit(main())
