"""Calls that share a prompt's beginning stay where its cache is; and where `auto` goes once quotas are full."""

import pytest

from catalogue.endpoints import answered
from gateway.core.store.interface import Limit
from gateway.proxy.routing.affinity import KEPT_S, LEAST_TOKENS, Affinity, prompt_mark
from gateway.proxy.routing.headroom import Headroom
from gateway.proxy.routing.names import read_name
from gateway.proxy.routing.preferences import ProviderPreferences
from providers.formats.losses import Kind
from providers.health import HealthStatus
from providers.operations.base import Requirements
from tests.gateway.proxy.edge import running_edge
from tests.gateway.proxy.values import (
    a_model,
    a_price,
    a_provider,
    a_routing_context,
    an_offering,
    plan_for,
)
from tests.upstream import ScriptedProvider

CHAT = Requirements("chat.completions", input_tokens=2_000)
MARK = b"m"
LONG = "x" * 5 * LEAST_TOKENS


def says(*texts):
    return {"messages": [{"role": "user", "content": text} for text in texts]}


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        (says(LONG, "a"), says(LONG, "b"), True),
        (says(LONG), says(LONG + "b"), True),
        (says("a" + LONG), says("b" + LONG), False),
        (says("a"), says("b"), False),
        ({"system": LONG, **says("a")}, {"system": LONG, **says("b")}, True),
        ({**says("a"), "system": LONG}, {"system": LONG, **says("b")}, True),
        ({"tools": [{"name": "a"}], **says(LONG)}, {"tools": [{"name": "b"}], **says(LONG)}, False),
        ({"temperature": 1, **says(LONG)}, {"temperature": 0, **says(LONG)}, True),
        ({"input": LONG}, {"input": LONG + "b"}, True),
        ({"input": LONG}, {"prompt": LONG}, False),
        ({"contents": [{"parts": [{"text": LONG}]}]}, {"contents": [{"parts": [{"text": LONG}]}, {}]}, True),
    ],
)
def test_prompts_that_begin_alike_have_one_mark(first, second, is_same):
    assert (prompt_mark(1, "one", first) == prompt_mark(1, "one", second)) is is_same


@pytest.mark.parametrize(("letters", "is_same"), [(4_089, False), (4_090, True), (4_091, True)])
def test_a_beginning_is_its_first_four_thousand_bytes_with_its_name(letters, is_same):
    """The name and a quotation mark take six of the 4,096."""
    first, second = ({"input": "x" * letters + end} for end in "ab")
    assert (prompt_mark(1, "one", first) == prompt_mark(1, "one", second)) is is_same


@pytest.mark.parametrize(("letters", "is_same"), [(4_088, False), (4_089, True), (4_090, True)])
def test_a_beginning_may_end_between_two_messages(letters, is_same):
    first, second = ({"input": ["x" * letters, end]} for end in ("a", 1))
    assert (prompt_mark(1, "one", first) == prompt_mark(1, "one", second)) is is_same


def test_teams_and_models_share_no_marks():
    marks = {prompt_mark(team, name, says(LONG)) for team in (1, 2) for name in ("one", "two")}
    assert len(marks) == 4


def test_marks_are_kept_for_five_minutes_and_the_last_ones_only():
    affinity = Affinity(most=2)
    affinity.learn(b"a", 1, at=0.0)
    affinity.learn(b"b", "2:7", at=1.0)
    assert (affinity.find(b"a", KEPT_S - 0.1), affinity.find(b"a", KEPT_S)) == (1, None)
    affinity.learn(b"a", 3, at=2.0)
    affinity.learn(b"c", 4, at=3.0)
    assert [affinity.find(mark, 4.0) for mark in (b"a", b"b", b"c")] == [3, None, 4]
    assert len(affinity) == 2


OFFERINGS = tuple(an_offering(number, position=number) for number in (1, 2, 3))


def kept_at(way, *models, healths=None, name="acme/one", needs=CHAT, **wishes):
    context = a_routing_context(*(models or (a_model(offerings=OFFERINGS),)), healths=healths)
    context.affinity = {MARK: way}.get
    return plan_for(name, needs, context, prompt_mark=MARK, **wishes)


def ids(plan):
    return [candidate.offering.id for candidate in plan.candidates]


def test_what_holds_the_beginning_of_a_prompt_leads():
    plan = kept_at(3)
    assert (ids(plan), plan.kept_at) == ([3, 1, 2], 3)
    assert ids(kept_at(None)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("health", "order"),
    [
        (HealthStatus(is_open=True, success_rate=1.0, latency_ms=None), [1, 2]),
        (HealthStatus(is_open=False, success_rate=0.7, latency_ms=None), [1, 2, 3]),
        (HealthStatus(is_open=False, success_rate=0.8, latency_ms=None), [3, 1, 2]),
    ],
)
def test_it_leads_while_it_does_well(health, order):
    assert ids(kept_at(3, healths={3: health})) == order


def test_the_clients_own_order_and_an_earlier_choice_go_before_it():
    offerings = tuple(an_offering(number, provider_id=number) for number in (1, 2))
    plan = kept_at(1, a_model(offerings=offerings), preferences=ProviderPreferences(order=("provider-2",)))
    assert ids(plan) == [2, 1]


def test_what_loses_less_of_the_request_goes_before_it():
    candidates = kept_at(3).candidates
    assert {candidate.loss for candidate in candidates} == {Kind.NOTHING}


def test_among_the_cheapest_a_kept_prompt_counts_at_its_lower_price():
    def priced(number, read, cached):
        prices = (a_price("input_text_tokens", read), a_price("cached_read_text_tokens", cached))
        return an_offering(number, prices=prices)

    model = a_model(offerings=(priced(1, "1", "1"), priced(2, "2", "0.2"), priced(3, "3", "3")))
    assert read_name("acme/one:cheap").sort == "price"
    assert ids(kept_at(None, model, name="acme/one:cheap")) == [1, 2, 3]
    assert ids(kept_at(2, model, name="acme/one:cheap")) == [2, 1, 3]
    # Less is saved than the other one is cheaper by.
    assert ids(kept_at(3, model, name="acme/one:cheap")) == [1, 2, 3]


@pytest.mark.parametrize("draw", [0.0, 0.6, 0.99])
def test_auto_stays_with_a_kept_prompt_too(draw):
    models = [a_model(f"acme/{number}", offerings=(an_offering(number),)) for number in range(1, 60)]
    context = a_routing_context(*models)
    context.affinity, context.draw = {MARK: 55}.get, draw
    assert plan_for("auto", CHAT, context, prompt_mark=MARK).candidates[0].offering.id == 55
    context.affinity = {MARK: 999}.get
    assert 55 not in ids(plan_for("auto", CHAT, context, prompt_mark=MARK))


@pytest.fixture(scope="module")
def provider():
    with ScriptedProvider() as running:
        yield running


def test_calls_that_begin_alike_go_where_the_first_was_answered(provider):
    """By the very bodies: the second offering answered once, since the first was full of trouble."""
    providers = [a_provider(number, base_url=provider.base_url) for number in (1, 2)]
    offerings = (an_offering(1, provider_id=1), an_offering(2, provider_id=2, position=1))
    with running_edge([a_model(offerings=offerings)], providers) as edge:

        def answerer(*texts):
            return edge.chat(**says(*texts)).headers["x-gateway-provider"]

        assert answerer(LONG, "one") == "provider-1"
        provider.script("503")
        assert answerer("other " + LONG, "one") == "provider-2"
        assert answerer("other " + LONG, "two") == "provider-2"
        assert answerer(LONG, "two") == "provider-1"
        # What is too short to be kept follows recent success.
        assert answerer("short") == "provider-2"
        assert len(edge.process.edge._services.learnt.affinity) == 2


def test_headroom_is_known_for_a_second():
    headroom, offering = Headroom(), an_offering(1)
    headroom.found_full([offering], at=10.0)
    assert [headroom.of(offering, at) for at in (10.0, 10.9, 11.0)] == [0.0, 0.0, 1.0]
    assert headroom.of(an_offering(2), at=10.0) == 1.0


def test_what_was_full_is_forgotten_where_too_much_is_known(monkeypatch):
    monkeypatch.setattr("gateway.proxy.routing.headroom._MOST", 2)
    headroom, offerings = Headroom(), [an_offering(number) for number in range(4)]

    def full():
        return [offering.id for offering in offerings if not headroom.of(offering, 0.0)]

    for expected in ([0], [0, 1], [0, 1, 2], [3]):
        headroom.found_full([offerings[expected[-1]]], at=0.0)
        assert full() == expected


def test_auto_goes_on_to_what_has_room_however_many_are_full(provider):
    """A plan of `auto` is cut short: what it was cut off from may be all that has room."""
    full = (Limit("provider:1", "requests", 1, 60),)
    providers = [
        a_provider(1, base_url=provider.base_url, quotas=full),
        a_provider(2, base_url=provider.base_url),
    ]
    models = [
        a_model(f"acme/{number}", offerings=(an_offering(number, provider_id=1),)) for number in range(1, 40)
    ]
    endpoints = answered({"chat.completions"})
    last = a_model("acme/last", offerings=(an_offering(99, provider_id=2, endpoints=endpoints, position=9),))
    with running_edge([*models, last], providers) as edge:
        answers = [edge.chat("auto") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200] * 4, answers[-1].text
        assert [answer.headers["x-gateway-provider"] for answer in answers].count("provider-2") >= 3
