"""Faults that other gateways shipped, where no test of ours stands for them elsewhere."""

import pytest

from accounts.budgets import Terms
from accounts.keys import DEPLOYMENT
from tests.gateway.proxy.admission.test_budgets import CENT, an_edge, held, owed
from tests.gateway.proxy.admission.test_limits import ASKED, LANES, ask
from tests.services import wait_until
from tests.upstream import ScriptedProvider

A_PERSONS = (("key", 1), ("member", 4), ("project", 7), ("team", 1))
A_PROGRAMS = (("key", 1), ("service_account", 5), ("team", 1))
OWNERS = [
    (A_PERSONS, ("key", 1)),
    (A_PERSONS, ("member", 4)),
    (A_PROGRAMS, ("service_account", 5)),
    (A_PERSONS, ("project", 7)),
    (A_PERSONS, ("team", 1)),
]
"""Whom a key's calls count for, and one of them."""
each_owner = pytest.mark.parametrize(("subjects", "owner"), OWNERS, ids=[owner[0] for _, owner in OWNERS])


@pytest.fixture
def first():
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
def edge(first):
    with an_edge(first) as running:
        yield running


@each_owner
@pytest.mark.parametrize(("surface", "is_streamed"), ASKED)
@LANES
def test_budget_of_every_owner_is_enforced_on_every_surface(
    edge,
    first,
    subjects,
    owner,
    surface,
    is_streamed,
    lane,
):
    """Budgets of end users, teams and projects of others were never enforced, or on one surface only."""
    name = f"{owner[0]}:{owner[1]}"
    edge.keys.change(edge.key, subjects=subjects)
    edge.process.limited.hold_to(name, Terms("lifetime", "", CENT // 10, is_strict=True))
    assert ask(edge, surface, is_streamed=is_streamed, lane=lane).status_code == 200
    wait_until(lambda: owed(edge, name) == CENT // 10, "settling")
    assert ask(edge, surface, is_streamed=is_streamed, lane=lane).status_code == 402
    assert len(first.calls) == 1


@each_owner
@LANES
def test_limit_of_every_owner_is_enforced(edge, first, subjects, owner, lane):
    edge.keys.change(edge.key, subjects=subjects)
    edge.process.limited.set(owner, "requests", 1, "day")
    assert [ask(edge, lane=lane).status_code for _ in range(2)] == [200, 429]
    assert len(first.calls) == 1


def test_what_the_gateway_itself_fails_on_keeps_nothing(edge, first):
    """Elsewhere an exception kept what was charged before the call: a dollar was lost in six calls."""

    def fail(*_arguments, **_named):
        raise RuntimeError("a fault of ours")

    edge.process.limited.hold_to("key:1", Terms("lifetime", "", CENT, is_strict=True))
    edge.process.limited.hold_to(DEPLOYMENT, Terms("lifetime", "", CENT, is_strict=True))
    edge.limit("key", "concurrency", 1, "none")
    services = edge.process.services
    adapters = services.adapters
    object.__setattr__(services, "adapters", fail)
    for _ in range(3):
        assert ask(edge).status_code == 500
    wait_until(lambda: held(edge) == held(edge, DEPLOYMENT) == 0, "giving back")
    assert owed(edge) == owed(edge, DEPLOYMENT) == 0
    object.__setattr__(services, "adapters", adapters)
    assert ask(edge).status_code == 200
    assert len(first.calls) == 1


@LANES
def test_error_of_a_provider_is_no_output_that_is_charged(edge, first, lane):
    """Elsewhere the text of errors was counted as what a model had said."""
    edge.process.limited.hold_to("key:1", Terms("lifetime", "", CENT, is_strict=True))
    first.default = "500"
    assert ask(edge, lane=lane).status_code == 502
    edge.records.settled()
    assert [(float(closed.cost_usd), float(closed.loss_usd)) for closed in edge.records.closes] == [(0, 0)]
    wait_until(lambda: held(edge) == 0, "giving back")
    assert owed(edge) == 0


def test_rule_that_is_new_counts_for_keys_that_are_in_memory(edge):
    """A key that was asked for before its budget was made is held to it, too."""
    assert ask(edge).status_code == 200
    edge.process.limited.hold_to("key:1", Terms("lifetime", "", CENT, is_strict=True))
    edge.process.spent.spent["key:1"] = CENT
    assert ask(edge).status_code == 402
