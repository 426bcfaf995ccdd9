"""How names are read, which choices they make, and what is said of those that nobody has."""

from dataclasses import replace

import pytest

from accounts.restrictions import Restrictions
from gateway.proxy.errors import InvalidRequest, ModelRetired, NotFound
from gateway.proxy.routing.names import Asked, read_name
from gateway.proxy.routing.plan import plan_route
from gateway.proxy.routing.preferences import ProviderPreferences
from gateway.proxy.routing.request import MOST_MODELS, RouteRequest, read_effort, read_level, read_names
from providers.facts import CredentialFacts
from providers.formats.registry import CLIENT_FORMATS
from providers.health import HealthStatus
from providers.operations.base import Requirements
from tests.gateway.proxy.values import (
    AT,
    a_key,
    a_model,
    a_price,
    a_provider,
    a_routing_context,
    an_offering,
    plan_for,
)

CHAT = Requirements("chat.completions")
KNOWN = frozenset({"acme/one", "one", "acme/one:free", "llama3:8b"})


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("acme/one", ("acme/one", "", "", False)),
        ("auto", ("auto", "", "", False)),
        ("acme/one:fast", ("acme/one", "", "throughput", False)),
        ("acme/one:cheap", ("acme/one", "", "price", False)),
        ("auto:cheap", ("auto", "", "price", False)),
        ("auto:free", ("auto", "", "", True)),
        ("one:free", ("one", "", "", True)),
        ("one:free:fast", ("one", "", "throughput", True)),
        ("openai:acme/one", ("acme/one", "openai", "", False)),
        ("openai:acme/one:fast", ("acme/one", "openai", "throughput", False)),
        ("openai:auto", ("auto", "openai", "", False)),
        # Known whole: these are ids and aliases.
        ("acme/one:free", ("acme/one:free", "", "", False)),
        ("acme/one:free:fast", ("acme/one:free", "", "throughput", False)),
        ("llama3:8b", ("llama3:8b", "", "", False)),
        ("ollama:llama3:8b", ("llama3:8b", "ollama", "", False)),
        # Nobody has them: they are not taken for something else.
        ("acme/one:quick", ("acme/one:quick", "", "", False)),
        ("acme/two:one", ("acme/two:one", "", "", False)),
        (":fast", (":fast", "", "", False)),
        ("openai:", ("openai:", "", "", False)),
        ("", ("", "", "", False)),
    ],
)
def test_a_name_is_read_by_its_parts(name, asked):
    assert read_name(name, KNOWN.__contains__) == Asked(name, *asked)


def two_models(**facts):
    one = a_model("acme/one", aliases=("one",), offerings=(an_offering(1), an_offering(2, provider_id=2)))
    two = a_model("acme/two", offerings=(an_offering(3, **facts),))
    return one, two


def choose(*names, context=None, needs=CHAT, **wishes):
    return plan_route(RouteRequest(names, needs, **wishes), context or a_routing_context(*two_models()))


def ids(plan):
    return [candidate.offering.id for candidate in plan.candidates]


def test_choices_are_tried_in_their_order():
    plan = choose("acme/two", "one")
    assert [(each.offering.id, each.rank) for each in plan.candidates] == [(3, 0), (1, 1), (2, 1)]
    assert (plan.model.id, [choice.name for choice in plan.choices]) == ("acme/two", ["acme/two", "one"])


def test_what_may_answer_for_two_choices_is_tried_once_where_it_comes_first():
    plan = choose("acme/one", "one")
    assert [(each.offering.id, each.rank) for each in plan.candidates] == [(1, 0), (2, 0)]


def test_of_a_teams_own_credentials_three_are_tried_and_then_the_operators():
    own = tuple(CredentialFacts(number, 1, "own", "before", "secret") for number in range(5, 9))
    context = a_routing_context()
    context.snapshot = replace(context.snapshot, credentials={1: {1: own}})
    assert [each.way for each in choose("acme/one", context=context).candidates] == ["1:5", "1:6", "1:7", 1]


def test_the_order_of_choices_goes_before_health_and_the_clients_order_of_providers():
    poor = HealthStatus(is_open=False, success_rate=0.1, latency_ms=9_000)
    context = a_routing_context(*two_models(), healths={3: poor})
    wish = ProviderPreferences(order=("provider-2",))
    assert ids(choose("acme/two", "one", context=context, preferences=wish)) == [3, 2, 1]


def test_a_further_choice_serves_what_the_first_cannot_do():
    context = a_routing_context(*two_models(context_length=5))
    plan = choose("acme/two", "one", context=context, needs=Requirements("chat.completions", input_tokens=9))
    assert (plan.model.id, ids(plan)) == ("acme/one", [1, 2])
    assert [(drop.candidate.offering.id, drop.reason) for drop in plan.dropped] == [(3, "context_too_small")]


def test_of_choices_that_all_fail_the_first_is_explained():
    context = a_routing_context(*two_models(context_length=5))
    with pytest.raises(InvalidRequest, match="model 'acme/two' takes so long an input"):
        choose(
            "acme/two",
            "one:free",
            context=context,
            needs=Requirements("chat.completions", input_tokens=9),
        )


@pytest.mark.parametrize(("names", "param"), [(("acme/ome",), "model"), (("acme/two", "acme/ome"), "models")])
def test_an_unknown_model_is_named_wherever_it_stands(names, param):
    with pytest.raises(NotFound, match=r"'acme/ome' does not exist.*Did you mean 'acme/one'") as refusal:
        choose(*names)
    assert (refusal.value.error_code, refusal.value.param) == ("model_not_found", param)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("provider:provider-1/acme/one", "provider-1:acme/one"),
        ("provider-2/acme/one", "provider-2:acme/one"),
        ("provider-1:provider-2/acme/one", "provider-2:acme/one"),
        ("provider-1/one:fast", "provider-1:one"),
    ],
)
def test_a_pin_with_a_slash_for_its_colon_is_told_how_it_is_written(written, meant):
    with pytest.raises(NotFound) as refusal:
        choose(written)
    assert refusal.value.message.endswith(f" Did you mean '{meant}'?")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (a_key(model_patterns=("acme/two",)), "provider-1/acme/one"),
        (a_key(restrictions=Restrictions(denied_providers=("provider-1",))), "provider-1/acme/one"),
        (a_key(), "provider-2/acme/two"),
    ],
)
def test_no_pin_is_told_that_would_be_refused(key, name):
    with pytest.raises(NotFound) as refusal:
        choose(name, context=a_routing_context(*two_models(), key=key))
    assert "Did you mean 'provider-" not in refusal.value.message


def test_no_further_choice_is_one_that_the_key_may_not_call():
    context = a_routing_context(*two_models(), key=a_key(model_patterns=("acme/two",)))
    with pytest.raises(NotFound, match="'one' does not exist"):
        choose("acme/two", "one", context=context)


def test_a_choice_that_is_retired_is_passed_over_while_there_is_another():
    one, two = two_models()
    old = a_model("acme/old", retirement_at=AT, offerings=(an_offering(9),))
    context = a_routing_context(one, two, old)
    plan = choose("acme/old", "acme/two", context=context)
    assert ids(plan) == [3]
    assert [(each.name, each.refusal.error_code) for each in plan.passed_over] == [
        ("acme/old", "model_retired")
    ]
    with pytest.raises(ModelRetired):
        choose("acme/old", context=context)


def test_a_redirect_holds_for_each_choice():
    one, two = two_models()
    old = a_model("acme/old", retirement_at=AT, successor_id="acme/one", offerings=())
    context = a_routing_context(one, two, old, key=a_key(lifecycle_policy="redirect"))
    plan = choose("acme/two", "acme/old", context=context)
    assert ids(plan) == [3, 1, 2]
    assert plan.choices[1].retired is old


@pytest.mark.parametrize(
    ("name", "planned"), [("provider-2:acme/one", [2]), ("provider-1:one", [1]), ("provider-2:auto", [2])]
)
def test_a_pinned_provider_is_the_only_one_that_may_answer(name, planned):
    plan = choose(name)
    assert ids(plan) == planned
    assert {drop.reason for drop in plan.dropped} <= {"not_pinned"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("provider-3:acme/one", r"Provider 'provider-3' does not exist.*'provider-2:acme/one' or"),
        ("provider-2:acme/two", r"'provider-2' does not offer model 'acme/two'.*'provider-1:acme/two'\?"),
        ("provider-1:acme/ome", r"Model 'acme/ome' does not exist.*'acme/one'"),
        ("nobody:acme/ome", r"Model 'nobody:acme/ome' does not exist"),
        ("acme/one:quick", r"Model 'acme/one:quick' does not exist.*'acme/one'"),
    ],
)
def test_a_pin_that_does_not_exist_is_answered_with_what_is_near(name, message):
    with pytest.raises(NotFound, match=message) as refusal:
        choose(name)
    assert refusal.value.param == "model"


def refused_pin(name, *slugs):
    """What is said of it where these are the providers, all of which offer the model."""
    providers = tuple(a_provider(id_, slug=slug) for id_, slug in enumerate(slugs, start=1))
    model = a_model(offerings=tuple(an_offering(each.id, provider_id=each.id) for each in providers))
    with pytest.raises(NotFound) as refusal:
        choose(name, context=a_routing_context(model, providers=providers))
    return refusal.value.message


def test_at_most_three_near_providers_are_suggested():
    message = refused_pin("provider-9:acme/one", *(f"provider-{number}" for number in range(1, 5)))
    assert message.endswith(
        "Did you mean 'provider-4:acme/one' or 'provider-3:acme/one' or 'provider-2:acme/one'?"
    )


def test_where_none_is_near_the_first_three_that_offer_the_model_are_suggested():
    assert refused_pin("x:acme/one", "dd", "cc", "bb", "aa").endswith(
        "Did you mean 'aa:acme/one' or 'bb:acme/one' or 'cc:acme/one'?"
    )
    assert refused_pin("x:auto", "dd").endswith("or this key may not use it.")


@pytest.mark.parametrize(("length", "shown"), [(59, 59), (60, 60), (61, 60)])
def test_an_unknown_provider_is_said_up_to_sixty_letters(length, shown):
    assert refused_pin(f"{'~' * length}:acme/one", "aa").count("~") == shown


def test_providers_are_compared_up_to_sixty_letters():
    """One letter more or fewer, and less than six tenths of both were the same."""
    message = refused_pin(f"{'p' * 25}{'-' * 34}z---:auto", f"{'p' * 25}z")
    assert f"Did you mean '{'p' * 25}z:auto'?" in message


def test_an_unknown_model_is_said_without_what_its_name_says_besides():
    assert refused_pin("acme/zzz:fast", "aa").startswith("Model 'acme/zzz' does not exist")


def test_of_choices_that_are_all_past_the_first_is_told():
    old, older = (a_model(f"acme/{name}", retirement_at=AT, offerings=()) for name in ("old", "older"))
    with pytest.raises(ModelRetired, match="'acme/old' was retired"):
        choose("acme/old", "acme/older", context=a_routing_context(old, older))


def test_a_provider_that_is_closed_to_the_key_is_not_told_of():
    key = a_key(restrictions=Restrictions(denied_providers=("provider-1",)))
    with pytest.raises(NotFound) as refusal:
        choose("provider-1:acme/one", context=a_routing_context(*two_models(), key=key))
    assert "Did you mean 'provider-2:acme/one'?" in refusal.value.message


FREE, PAID = a_price("input_text_tokens", "0"), a_price("output_text_tokens", "1")


@pytest.mark.parametrize(
    ("prices", "planned"), [((FREE,), [1, 2]), ((FREE, PAID), [2]), ((), [2]), ((PAID,), [2])]
)
def test_free_is_what_is_known_to_charge_for_nothing(prices, planned):
    model = a_model(offerings=(an_offering(1, prices=prices), an_offering(2, prices=(FREE,))))
    assert ids(choose("acme/one:free", context=a_routing_context(model))) == planned


def test_a_model_that_nobody_offers_for_nothing_is_refused_by_name():
    with pytest.raises(InvalidRequest, match="No provider of model 'one:free' is free") as refusal:
        choose("one:free")
    assert (refusal.value.error_code, refusal.value.param) == ("no_free_provider", "model")


def test_cheap_is_by_what_the_call_would_cost():
    reads, writes = a_price("input_text_tokens", "1"), a_price("output_text_tokens", "4")
    offerings = (
        an_offering(1, prices=(a_price("input_text_tokens", "2"), a_price("output_text_tokens", "2"))),
        an_offering(2, prices=(reads, writes)),
        an_offering(3),
    )
    context = a_routing_context(a_model(offerings=offerings))
    long, short = (Requirements("chat.completions", input_tokens=tokens) for tokens in (10_000, 1))
    assert ids(choose("acme/one:cheap", context=context, needs=long)) == [2, 1, 3]
    assert ids(choose("acme/one:cheap", context=context, needs=short)) == [1, 2, 3]
    assert ids(choose("acme/one", context=context, needs=long)) == [1, 2, 3]


@pytest.mark.parametrize(
    ("least", "planned"), [("", [1, 2, 3, 4]), ("low", [2, 3, 4]), ("medium", [3, 4]), ("high", [4])]
)
def test_a_floor_of_reasoning_holds_for_whatever_is_named(least, planned):
    tiers = (None, "low", "medium", "high")
    models = [
        a_model(f"acme/{tier}", reasoning_tier=tier, offerings=(an_offering(number),))
        for number, tier in enumerate(tiers, start=1)
    ]
    names = tuple(model.id for model in models)
    plan = choose(*names, context=a_routing_context(*models), min_reasoning_level=least)
    assert ids(plan) == planned


def test_a_floor_that_no_model_reaches_is_the_callers():
    with pytest.raises(InvalidRequest, match="reason at level 'high' or above") as refusal:
        choose("acme/one", min_reasoning_level="high")
    assert refusal.value.param == "min_reasoning_level"


@pytest.mark.parametrize(
    ("effort", "order"),
    [
        ("", ["medium", "low", None, "high"]),
        ("low", ["low", "medium", "high"]),
        ("medium", ["medium", "high"]),
        ("high", ["high"]),
    ],
)
def test_auto_takes_the_levels_of_reasoning_in_the_order_of_the_effort(effort, order):
    models = [
        a_model(f"acme/{tier}", reasoning_tier=tier, offerings=(an_offering(number),))
        for number, tier in enumerate((None, "high", "low", "medium"), start=1)
    ]
    plan = plan_for("auto", CHAT, a_routing_context(*models), reasoning_effort=effort)
    assert [candidate.model.reasoning_tier for candidate in plan.candidates] == order


def test_an_own_floor_goes_before_the_efforts():
    models = [
        a_model(f"acme/{tier}", reasoning_tier=tier, offerings=(an_offering(number),))
        for number, tier in enumerate(("low", "medium", "high"), start=1)
    ]
    context = a_routing_context(*models)
    plan = plan_for("auto", CHAT, context, reasoning_effort="high", min_reasoning_level="low")
    assert [candidate.model.reasoning_tier for candidate in plan.candidates] == ["high", "medium", "low"]


def test_an_effort_is_no_floor_for_a_model_that_is_named():
    assert ids(choose("acme/two", reasoning_effort="high")) == [3]


def test_names_are_the_model_and_then_the_models():
    assert read_names({"models": ["b", "a", "c", "b"]}, "a", "chat.completions") == ("a", "b", "c")
    assert read_names({"models": None}, "a", "chat.completions") == ("a",)


@pytest.mark.parametrize("value", ["a", [], [1], [""], ["a"] * (MOST_MODELS + 1), {"a": 1}])
def test_models_that_are_no_short_list_of_names_are_refused(value):
    with pytest.raises(InvalidRequest) as refusal:
        read_names({"models": value}, "a", "chat.completions")
    assert refusal.value.param.startswith("models")


@pytest.mark.parametrize("names", [("auto",), ("auto:cheap",), ("provider-1:auto",)])
def test_nobody_chooses_a_model_to_embed_with(names):
    with pytest.raises(InvalidRequest) as refusal:
        choose(*names, needs=Requirements("embeddings"))
    assert (refusal.value.error_code, refusal.value.param) == ("model_required", "model")
    with pytest.raises(InvalidRequest) as refusal:
        read_names({"models": ["a"]}, "a", "embeddings")
    assert (refusal.value.error_code, refusal.value.param) == ("model_required", "models")


@pytest.mark.parametrize("value", ["auto", "none", "HIGH", 3, True, ["low"], {}])
def test_a_floor_is_one_of_three_words(value):
    with pytest.raises(InvalidRequest, match="one of low, medium, high") as refusal:
        read_level({"min_reasoning_level": value})
    assert refusal.value.param == "min_reasoning_level"


@pytest.mark.parametrize(
    ("form", "body", "level"),
    [
        ("openai", {"reasoning_effort": "low"}, "low"),
        ("openai", {"reasoning_effort": "minimal"}, "low"),
        ("openai", {"reasoning_effort": "xhigh"}, "high"),
        ("openai", {"reasoning_effort": "none"}, ""),
        ("openai", {}, ""),
        ("responses", {"input": "hi", "reasoning": {"effort": "medium"}}, "medium"),
        ("anthropic", {"max_tokens": 9, "output_config": {"effort": "high"}}, "high"),
        ("gemini", {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}, "low"),
    ],
)
def test_the_effort_is_read_from_every_format(form, body, level):
    given = {"messages": [{"role": "user", "content": "hi"}], "contents": [{"parts": [{"text": "hi"}]}]}
    request = None if form == "openai" else CLIENT_FORMATS[form].read_request({**given, **body})
    assert read_effort(Requirements("chat.completions", request=request), body) == level


def test_an_unknown_providers_offering_has_its_slug_as_published():
    model = a_model(offerings=(an_offering(1, provider_id=9, provider_slug="gone"), an_offering(2)))
    plan = choose("provider-1:acme/one", context=a_routing_context(model, providers=(a_provider(1),)))
    assert [drop.reason for drop in plan.dropped] == ["not_pinned"]
