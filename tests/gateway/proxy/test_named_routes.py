"""Which members of a named route a call is for, and in which order they are tried."""

from collections import Counter

import pytest

from catalogue.facts import MemberConditions, ModelFacts, RouteMember
from catalogue.published.snapshot import Snapshot
from gateway.proxy.routing.named import is_for, members_in_order
from providers.operations.base import Requirements
from tests.gateway.proxy.values import a_key, a_model, an_offering

CHAT = Requirements("chat.completions", input_tokens=500)


def member(name, **facts):
    return RouteMember(f"acme/{name}", **facts)


def a_route(*members):
    return ModelFacts("house/fast", "Fast", members=members)


def order(route, draw, *, required=CHAT, key=None):
    """The members' names, rank by rank."""
    ranks = members_in_order(route, required, key or a_key(), draw)
    return ["+".join(each.model_id.removeprefix("acme/") for each in rank) for rank in ranks]


def even_draws(count):
    """In the middle of as many equal parts."""
    return [(number + 0.5) / count for number in range(count)]


WEIGHED = a_route(member("a", weight=3), member("b", weight=1))
TIERS = a_route(member("c", tier=5), member("a"), member("b", tier=1))
WITH_CANARY = a_route(member("new", canary_percent=10), member("a"), member("b"))


@pytest.mark.parametrize(
    ("route", "draw", "expected"),
    [
        (WEIGHED, 0.0, ["a", "b"]),
        (WEIGHED, 0.7499, ["a", "b"]),
        (WEIGHED, 0.75, ["b", "a"]),
        (WEIGHED, 0.9999, ["b", "a"]),
        (TIERS, 0.0, ["a", "b", "c"]),
        (TIERS, 0.9999, ["a", "b", "c"]),
        (WITH_CANARY, 0.0999, ["new", "b", "a"]),
        (WITH_CANARY, 0.0499, ["new", "a", "b"]),
        (WITH_CANARY, 0.1, ["a", "b", "new"]),
        (WITH_CANARY, 0.5499, ["a", "b", "new"]),
        (WITH_CANARY, 0.5501, ["b", "a", "new"]),
        (a_route(member("a"), member("parked", weight=0)), 0.9999, ["a"]),
        (a_route(member("parked", weight=0)), 0.5, []),
    ],
)
def test_a_draw_decides_who_comes_first_and_who_follows(route, draw, expected):
    assert order(route, draw) == expected


@pytest.mark.parametrize("weights", [(1,), (1, 1), (3, 1), (5, 0, 3, 2), (7, 11, 13), (1, 999)])
def test_each_member_is_first_for_exactly_its_share_of_an_even_grid_of_draws(weights):
    route = a_route(*(member(str(place), weight=weight) for place, weight in enumerate(weights)))
    whole = sum(weights)
    first = Counter(order(route, draw)[0] for draw in even_draws(whole * 4))
    assert first == {str(place): weight * 4 for place, weight in enumerate(weights) if weight}


def test_a_draw_that_rounding_took_to_its_end_is_the_last_ones():
    route = a_route(member("a"), member("b"), member("c"))
    assert order(route, 1.0) == ["c", "a", "b"]


def test_those_that_follow_are_drawn_by_their_weights_too():
    route = a_route(member("a", weight=2), member("b", weight=1), member("c", weight=3))
    followers = Counter(tuple(order(route, draw)[:2]) for draw in even_draws(6000))
    shares = {
        ("a", "b"): 2 / 6 * 1 / 4,
        ("a", "c"): 2 / 6 * 3 / 4,
        ("b", "a"): 1 / 6 * 2 / 5,
        ("b", "c"): 1 / 6 * 3 / 5,
        ("c", "a"): 3 / 6 * 2 / 3,
        ("c", "b"): 3 / 6 * 1 / 3,
    }
    assert {pair: round(count / 6000, 3) for pair, count in followers.items()} == {
        pair: round(share, 3) for pair, share in shares.items()
    }


@pytest.mark.parametrize("percent", [1, 10, 50, 99])
def test_a_canary_takes_exactly_its_percentage_of_all_calls_and_leaves_the_rest_in_their_shares(percent):
    route = a_route(member("a", weight=3), member("b"), member("new", canary_percent=percent))
    first = Counter(order(route, draw)[0] for draw in even_draws(400))
    assert first == {"new": 4 * percent, "a": 3 * (100 - percent), "b": 100 - percent}


def test_two_canaries_take_a_percentage_each():
    route = a_route(member("a"), member("x", canary_percent=20), member("y", canary_percent=30))
    first = Counter(order(route, draw)[0] for draw in even_draws(100))
    assert first == {"x": 20, "y": 30, "a": 50}


@pytest.mark.parametrize("draw", even_draws(50))
def test_every_member_that_takes_calls_is_tried_once_and_no_tier_before_a_lower_one(draw):
    weights = (("a", 3), ("b", 1))
    members = [
        member(f"{tier}{name}", tier=tier, weight=weight) for tier in (2, 0, 1) for name, weight in weights
    ]
    found = order(a_route(*members, member("new", canary_percent=30)), draw)
    assert sorted(found) == ["0a", "0b", "1a", "1b", "2a", "2b", "new"]
    assert found.index("new") in {0, 6}
    assert "".join(name[0] for name in found if name != "new") == "001122"


STREAMED = Requirements("chat.completions", is_streamed=True)
TOOLS = Requirements("chat.completions", params=frozenset({"tools"}))
PICTURE = Requirements("chat.completions", input_types=frozenset({"image"}))
EMBEDDING = Requirements("embeddings")


@pytest.mark.parametrize(
    ("conditions", "required", "expected"),
    [
        (None, CHAT, True),
        (MemberConditions(), CHAT, True),
        (MemberConditions(is_streamed=True), STREAMED, True),
        (MemberConditions(is_streamed=True), CHAT, False),
        (MemberConditions(is_streamed=False), STREAMED, False),
        (MemberConditions(has_tools=True), TOOLS, True),
        (MemberConditions(has_tools=True), CHAT, False),
        (MemberConditions(has_tools=False), TOOLS, False),
        (MemberConditions(input_types=frozenset({"image", "audio"})), PICTURE, True),
        (MemberConditions(input_types=frozenset({"audio"})), PICTURE, False),
        (MemberConditions(input_types=frozenset({"text"})), CHAT, True),
        (MemberConditions(input_types=frozenset({"text"})), PICTURE, False),
        (MemberConditions(input_tokens_from=500), CHAT, True),
        (MemberConditions(input_tokens_from=501), CHAT, False),
        (MemberConditions(input_tokens_below=501), CHAT, True),
        (MemberConditions(input_tokens_below=500), CHAT, False),
        (MemberConditions(endpoints=frozenset({"embeddings"})), EMBEDDING, True),
        (MemberConditions(endpoints=frozenset({"embeddings"})), CHAT, False),
        (MemberConditions(team_id=1), CHAT, True),
        (MemberConditions(team_id=2), CHAT, False),
        (MemberConditions(project_id=7), CHAT, True),
        (MemberConditions(project_id=8), CHAT, False),
        (
            MemberConditions(is_streamed=False, team_id=1, input_tokens_from=100, input_tokens_below=1000),
            CHAT,
            True,
        ),
        (
            MemberConditions(is_streamed=False, team_id=1, input_tokens_from=100, input_tokens_below=300),
            CHAT,
            False,
        ),
    ],
)
def test_a_member_is_for_the_calls_that_meet_all_its_conditions(conditions, required, expected):
    key = a_key(subjects=(("key", 1), ("project", 7), ("team", 1)))
    assert is_for(conditions, required, key) is expected


def test_shares_are_of_those_members_that_the_call_is_for():
    only_streams = MemberConditions(is_streamed=True)
    route = a_route(member("a"), member("b"), member("c", weight=2, conditions=only_streams))
    whole = Counter(order(route, draw)[0] for draw in even_draws(100))
    streamed = Counter(order(route, draw, required=STREAMED)[0] for draw in even_draws(100))
    assert (whole, streamed) == ({"a": 50, "b": 50}, {"a": 25, "b": 25, "c": 50})


def test_a_canary_that_a_call_is_not_for_takes_nothing_of_it():
    route = a_route(
        member("a"), member("new", canary_percent=50, conditions=MemberConditions(has_tools=True))
    )
    assert {tuple(order(route, draw)) for draw in even_draws(10)} == {("a",)}


def test_where_a_call_is_for_nobody_of_a_tier_the_next_one_is_first():
    route = a_route(member("a", conditions=MemberConditions(has_tools=True)), member("b", tier=1))
    assert (order(route, 0.5), order(route, 0.5, required=TOOLS)) == (["b"], ["a", "b"])


def test_a_member_keeps_the_provider_that_it_is_pinned_to():
    route = a_route(member("a", provider_slug="fast-cloud"), member("a", provider_slug="cheap-cloud", tier=1))
    ranks = members_in_order(route, CHAT, a_key(), 0.5)
    assert [[each.provider_slug for each in rank] for rank in ranks] == [["fast-cloud"], ["cheap-cloud"]]


def test_an_offering_is_found_again_as_its_models_and_not_as_a_routes():
    model, offering = a_model("acme/a"), an_offering(1)
    route = ModelFacts("house/fast", "Fast", members=(member("a"),), offerings=(offering,))
    for models in ((model, route), (route, model)):
        found = Snapshot.of(models, {}, revision=1).offering(1)
        assert found is not None
        assert found[0] is model
