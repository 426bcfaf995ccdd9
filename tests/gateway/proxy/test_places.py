"""Which credentials lead where calls may go, by the regions and the addresses that they are judged by."""

from dataclasses import replace

import pytest

from accounts.floors import Floor
from gateway.proxy.errors import Forbidden, InvalidRequest
from gateway.proxy.routing.places import places_for
from gateway.proxy.routing.preferences import NO_PREFERENCES, read_preferences
from providers.facts import OPERATOR
from providers.health import HealthStatus
from tests.gateway.proxy.test_own_credentials import a_credential, of_team
from tests.gateway.proxy.test_wishes import CHAT, PROVIDERS
from tests.gateway.proxy.values import a_key, a_model, a_routing_context, an_offering, plan_for

EU = Floor(regions=(("eu",),))
WISHED = {"regions": ["eu"]}
OPEN = HealthStatus(is_open=True, success_rate=0.0, latency_ms=None, cause="failures")
ELSEWHERE = "https://eu.vendor.example/v1"
MAIN, FURTHER = 1, "1:7"


def planned(credential, *, wishes=None, name="acme/one", healths=None, floor=None, **offering):
    """The ways that may be gone, the first first."""
    model = a_model(offerings=(an_offering(1, **offering),))
    context = a_routing_context(model, key=a_key(floor=floor), healths=healths)
    there = of_team(credential, team=credential.team_id)
    context.snapshot = replace(context.snapshot, credentials=there)
    preferences = read_preferences({"provider": wishes}, PROVIDERS) if wishes else NO_PREFERENCES
    return [each.way for each in plan_for(name, CHAT, context, preferences).candidates]


def of_ours(**facts):
    return a_credential(**{"team_id": OPERATOR, "place": "after", **facts})


@pytest.mark.parametrize("name", ["acme/one", "auto"])
@pytest.mark.parametrize("asked", [{"floor": EU}, {"wishes": WISHED}], ids=["floor", "wish"])
@pytest.mark.parametrize(
    ("offered", "region", "ways"),
    [
        (("eu",), "", [MAIN, FURTHER]),
        (("eu",), "eu-west-1", [MAIN, FURTHER]),
        (("eu",), "us", [MAIN]),
        (("us",), "eu-west-1", [FURTHER]),
        (("global",), "eu", [FURTHER]),
        (("eu", "us"), "europe-west4", [FURTHER]),
        # Nobody has told where it is.
        ((), "eu", [FURTHER]),
        # As clouds call it, and outside of the Union.
        (("us",), "eu-west-2", None),
        (("us",), "us", None),
        (("us",), "", None),
    ],
)
def test_one_of_ours_is_judged_by_its_own_region(asked, offered, region, ways, name):
    if ways is None:
        kind, code = (
            (Forbidden, "floor_not_met") if "floor" in asked else (InvalidRequest, "no_wished_provider")
        )
        with pytest.raises(kind) as refused:
            planned(of_ours(region=region), regions=offered, name=name, **asked)
        assert refused.value.error_code == code
    else:
        assert planned(of_ours(region=region), regions=offered, name=name, **asked) == ways


@pytest.mark.parametrize("more", [{"zdr": True}, {"quantizations": ["fp8"]}, {"data_collection": "deny"}])
def test_another_region_fulfils_no_other_wish(more):
    with pytest.raises(InvalidRequest) as refused:
        planned(of_ours(region="eu"), regions=("us",), wishes={**WISHED, **more})
    assert refused.value.param == f"provider.{next(iter(more))}"


@pytest.mark.parametrize(
    ("offered", "region", "base_url", "ways"),
    [
        (("eu",), "", "", [FURTHER, MAIN]),
        (("eu",), "us", "", [MAIN]),
        (("eu",), "eu", "", [FURTHER, MAIN]),
        # Nobody vouches for what its owner says of it.
        (("us",), "eu", "", None),
        (("eu",), "eu", ELSEWHERE, [MAIN]),
    ],
)
def test_a_teams_own_talks_no_call_out_of_its_floor(offered, region, base_url, ways):
    own = a_credential(region=region, base_url=base_url)
    if ways is None:
        with pytest.raises(Forbidden):
            planned(own, regions=offered, floor=EU)
    else:
        assert planned(own, regions=offered, floor=EU) == ways


@pytest.mark.parametrize(
    "floor", [Floor(zero_retention=True), Floor(no_data_collection=True), Floor(quantizations=("fp8",))]
)
@pytest.mark.parametrize("base_url", ["", ELSEWHERE])
def test_what_is_known_of_an_offering_is_not_known_of_an_address_that_a_team_gave(floor, base_url):
    facts = {"zero_retention": True, "collects_data": False, "quantization": "fp8"}
    own = a_credential(base_url=base_url, region="eu")
    assert planned(own, floor=floor, **facts) == ([MAIN] if base_url else [FURTHER, MAIN])
    # One of ours is the same model at the same vendor.
    assert planned(of_ours(base_url=base_url, region="eu"), floor=floor, **facts) == [MAIN, FURTHER]


@pytest.mark.parametrize(
    ("region", "base_url", "ways"), [("eu", "", [FURTHER]), ("eu", ELSEWHERE, [FURTHER]), ("us", "", None)]
)
def test_what_a_team_says_of_its_own_holds_for_what_it_wishes(region, base_url, ways):
    own = a_credential(region=region, base_url=base_url)
    if ways is None:
        with pytest.raises(InvalidRequest):
            planned(own, regions=("us",), wishes=WISHED)
    else:
        assert planned(own, regions=("us",), wishes=WISHED) == ways


@pytest.mark.parametrize(
    ("asked", "code"), [({"floor": EU}, "floor_not_met"), ({"wishes": WISHED}, "no_wished_provider")]
)
def test_where_only_the_teams_own_is_used_and_lies_elsewhere_nobody_is(asked, code):
    own = a_credential(place="only", region="us")
    with pytest.raises((Forbidden, InvalidRequest)) as refused:
        planned(own, regions=("eu",), **asked)
    assert refused.value.error_code == code
    assert planned(own, regions=("eu",)) == [FURTHER]


def test_an_offering_that_is_ejected_is_spared_only_by_a_way_that_lies_where_calls_stay():
    healths = {MAIN: OPEN, FURTHER: OPEN}
    assert planned(of_ours(region="eu"), regions=("us",), floor=EU, healths=healths) == [FURTHER]
    assert planned(of_ours(region="us"), regions=("eu",), floor=EU, healths=healths) == [MAIN]


def test_ways_are_judged_one_by_one_only_where_calls_have_to_stay_somewhere():
    """All other calls are spared that."""
    snapshot = a_routing_context().snapshot
    snapshot = replace(snapshot, credentials=of_team(a_credential(region="eu")))
    somewhere = read_preferences({"provider": WISHED}, PROVIDERS)
    assert places_for(NO_PREFERENCES, snapshot, 1) is None
    assert places_for(somewhere, snapshot, 1) is somewhere
    assert places_for(somewhere, snapshot, 2) is None
