"""What a call of a model near its end meets, by the policy of its alias and its team."""

from datetime import timedelta

import pytest

from accounts.policies import LifecyclePolicy
from gateway.proxy.errors import ModelRetired, NotFound
from gateway.proxy.routing.telling import plan_headers
from providers.operations.base import Requirements
from tests.gateway.proxy.values import (
    AT,
    a_key,
    a_model,
    a_routing_context,
    an_offering,
    plan_for,
)

CHAT = Requirements("chat.completions")
TOMORROW = AT + timedelta(days=1)
OLD = a_model("acme/old", retirement_at=AT, successor_id="acme/new", aliases=("old",), offerings=())
AGEING = a_model("acme/ageing", deprecation_at=AT, retirement_at=TOMORROW, successor_id="acme/new")
NEW = a_model("acme/new", offerings=(an_offering(2),))


def plan(requested="acme/old", *models, policy="redirect", needs=CHAT, **key):
    context = a_routing_context(*(models or (OLD, AGEING, NEW)), key=a_key(lifecycle_policy=policy, **key))
    return plan_for(requested, needs, context)


def headers(requested, policy):
    context = a_routing_context(OLD, AGEING, NEW, key=a_key(lifecycle_policy=policy))
    return dict(plan_headers(plan_for(requested, CHAT, context), context))


def test_redirect_answers_a_retired_model_by_its_declared_successor():
    it = plan("acme/old")
    assert (it.model.id, it.retired.id) == ("acme/new", "acme/old")


def test_redirect_is_announced():
    told = headers("acme/old", "redirect")
    assert told[b"x-gateway-redirected-from"] == b"acme/old"
    assert told[b"link"] == b'</v1/models/acme/new>; rel="successor-version"'


@pytest.mark.parametrize("policy", ["advise", "warn", "block"])
def test_no_other_policy_redirects(policy):
    with pytest.raises(ModelRetired, match="use 'acme/new'"):
        plan(policy=policy)


def test_alias_with_a_policy_of_its_own_goes_before_the_team():
    old = a_model(
        "acme/old",
        retirement_at=AT,
        successor_id="acme/new",
        aliases=("a", "b"),
        alias_policies={"a": "redirect"},
    )
    assert plan("a", old, NEW, policy="advise").model.id == "acme/new"
    with pytest.raises(ModelRetired):
        plan("b", old, NEW, policy="advise")


def test_chain_of_declared_successors_leads_to_the_live_one():
    older = a_model("acme/older", retirement_at=AT, successor_id="acme/old")
    assert plan("acme/older", older, OLD, NEW).model.id == "acme/new"


def test_follower_that_nobody_declared_is_advice_only():
    old = a_model("acme/old", retirement_at=AT)
    follower = a_model("acme/new", previous_id="acme/old")
    with pytest.raises(ModelRetired, match=r"use 'acme/new'.*no declared successor"):
        plan("acme/old", old, follower)


def test_successor_that_the_key_may_not_call_does_not_answer():
    with pytest.raises(ModelRetired, match="no declared successor that this key may call"):
        plan(model_patterns=("acme/old",))


def test_successor_that_cannot_do_what_is_needed_does_not_answer():
    new = a_model("acme/new", offerings=(an_offering(2, params=frozenset({"temperature"})),))
    with pytest.raises(
        ModelRetired, match="could not be redirected: No provider of model 'acme/new' supports 'tools'"
    ):
        plan("acme/old", OLD, new, needs=Requirements("chat.completions", params=frozenset({"tools"})))


def test_embeddings_are_never_redirected():
    new = a_model("acme/new", offerings=(an_offering(2, endpoints=frozenset({"embeddings"})),))
    with pytest.raises(ModelRetired, match="not comparable"):
        plan("acme/old", OLD, new, needs=Requirements("embeddings"))


def test_deprecated_model_answers_itself_under_redirect():
    assert plan("acme/ageing").model.id == "acme/ageing"


def test_block_refuses_a_deprecated_model():
    with pytest.raises(ModelRetired, match="blocks deprecated models; use 'acme/new'") as refusal:
        plan("acme/ageing", policy="block")
    assert refusal.value.error_code == "model_deprecated"


def test_block_keeps_auto_away_from_deprecated_models():
    context = a_routing_context(AGEING, NEW, key=a_key(lifecycle_policy=LifecyclePolicy.BLOCK))
    assert {c.model.id for c in plan_for("auto", CHAT, context).candidates} == {"acme/new"}


@pytest.mark.parametrize(("policy", "is_told"), [("advise", False), ("warn", True)])
def test_only_warn_says_it_in_a_sentence(policy, is_told):
    told = headers("acme/ageing", policy)
    assert told[b"deprecation"] == b"@1795305600"
    assert (b"x-gateway-warning" in told) is is_told


def test_active_model_has_nothing_to_tell():
    assert headers("acme/new", "warn") == {}


def message_for(requested, *models, **key):
    with pytest.raises(NotFound) as refusal:
        plan(requested, *models, **key)
    return refusal.value.message


NUMBERED = [a_model(f"acme/model-{number}") for number in range(1, 7)]


def test_at_most_three_near_names_are_suggested():
    assert message_for("acme/model-0", *NUMBERED).endswith(
        "Did you mean 'acme/model-6' or 'acme/model-5' or 'acme/model-4'?"
    )


def test_of_the_five_nearest_names_those_are_suggested_that_the_key_may_call():
    may_call = {"model_patterns": ("acme/model-1", "acme/model-2")}
    assert message_for("acme/model-0", *NUMBERED, **may_call).endswith("Did you mean 'acme/model-2'?")


@pytest.mark.parametrize(("length", "shown"), [(199, 199), (200, 200), (201, 200)])
def test_an_unknown_name_is_said_up_to_two_hundred_letters(length, shown):
    assert message_for("~" * length).count("~") == shown


def test_names_are_compared_up_to_two_hundred_letters():
    long = a_model(f"acme/{'a' * 80}z")
    assert "Did you mean" in message_for(f"acme/{'a' * 80}{'-' * 114}z---", long)


@pytest.mark.parametrize("successor_id", ["acme/new", None])
def test_a_blocked_model_names_its_successor_where_there_is_one(successor_id):
    ageing = a_model("acme/ageing", deprecation_at=AT, successor_id=successor_id)
    with pytest.raises(ModelRetired) as refusal:
        plan("acme/ageing", ageing, NEW, policy="block")
    assert refusal.value.successor_id == successor_id
    assert ("use 'acme/new'" in refusal.value.message) is bool(successor_id)


@pytest.mark.parametrize("successor_id", ["acme/new", None])
def test_a_retired_model_names_its_successor_where_there_is_one(successor_id):
    old = a_model("acme/old", retirement_at=AT, successor_id=successor_id)
    with pytest.raises(ModelRetired) as refusal:
        plan("acme/old", old, NEW, policy="advise")
    assert refusal.value.successor_id == successor_id
