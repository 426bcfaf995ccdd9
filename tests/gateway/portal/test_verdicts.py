"""What stands between a team and a model: each reason, and that it agrees with what routing lets through."""

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from django.utils import timezone

from accounts.key_facts import facts_of, facts_of_team, find_key
from accounts.models import Team
from catalogue.published.reading import read_now
from gateway.portal.eyes.verdicts import Verdict, Viewer, judge
from providers.credentials import add_credential
from providers.models import Provider
from tests.make import make_key, make_member, make_model, make_offering, make_provider, make_team, publish_all
from tests.make import make_route as make_named_route

pytestmark = pytest.mark.django_db
OVER = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def model() -> str:
    provider = make_provider("groq", name="Groq")
    make_offering(make_model("acme/one", aliases=["one"]), provider, regions=["us"])
    publish_all()
    return "acme/one"


def seen_by_team(name: str, **terms: Any) -> Verdict:
    team = make_team("atlas", name="Atlas", **terms)
    return see(Viewer(facts_of_team(team), team), name)


def seen_by_key(name: str, team: Team, **terms: Any) -> Verdict:
    key, _ = make_key(team, "ci", **terms)
    found = find_key(key.public_id)
    assert found
    return see(Viewer(facts_of(found), team, found), name)


def see(viewer: Viewer, name: str) -> Verdict:
    reading = read_now()
    found = reading.find(name)
    assert found
    return judge(viewer, found, reading)


def texts(verdict: Verdict) -> str:
    return " ".join(each.text for each in verdict.against)


def test_team_without_rules_may_call_it(model: str) -> None:
    verdict = seen_by_team(model)
    assert (verdict.may_call, verdict.is_closed, verdict.against, verdict.notes) == (True, False, [], [])


@pytest.mark.parametrize(
    ("terms", "says", "asked"),
    [
        ({"denied_model_patterns": ["x/*", "acme/*"]}, "Atlas denies “acme/*”.", {}),
        ({"denied_model_patterns": ["one"]}, "Atlas denies “one”.", {}),
        ({"model_patterns": ["x/*"]}, "none of them", {"kind": "model", "model": "acme/one"}),
        ({"new_models": "closed"}, "closed to Atlas until", {"kind": "model", "model": "acme/one"}),
        ({"denied_provider_patterns": ["gro*"]}, "Atlas denies the provider groq.", {}),
        ({"provider_patterns": ["x"]}, "groq is none of them", {"kind": "provider", "provider": "groq"}),
        ({"regions": ["eu"]}, "Calls keep to regions eu: none of its offerings runs", {}),
        ({"zero_retention": True}, "Calls keep to zero data retention", {}),
        ({"no_data_collection": True}, "Calls keep to no data collection", {}),
        ({"quantizations": ["bf16"]}, "Calls keep to quantizations bf16", {}),
    ],
)
def test_rule_of_the_team_is_named_with_what_would_change_it(
    model: str, terms: dict[str, Any], says: str, asked: dict[str, str]
) -> None:
    verdict = seen_by_team(model, **terms)
    assert (verdict.may_call, verdict.is_closed, verdict.asked) == (False, True, asked)
    assert says in texts(verdict)
    assert verdict.rule in texts(verdict)


def test_rule_of_the_key_is_told_from_the_teams(model: str) -> None:
    team = make_team("atlas", name="Atlas")
    listed = seen_by_key(model, team, model_patterns=["x/*"])
    assert "The key ci lists the models" in texts(listed)
    assert listed.asked.items() >= {"kind": "model", "model": "acme/one"}.items()
    assert listed.asked["key"]
    assert "The key ci denies" in texts(seen_by_key(model, team, denied_model_patterns=["acme/*"]))
    assert "The key ci lists providers" in texts(seen_by_key(model, team, provider_patterns=["x"]))
    assert "lacks the scope" in texts(seen_by_key(model, team, scope="feed"))


def test_several_rules_are_all_told_and_nothing_is_asked_that_would_not_help(model: str) -> None:
    verdict = seen_by_team(model, model_patterns=["x/*"], denied_model_patterns=["acme/*"])
    assert (len(verdict.against), verdict.asked) == (2, {})


@pytest.mark.parametrize(
    ("fields", "policy", "says"),
    [
        ({"deprecation_at": OVER}, "advise", ""),
        ({"deprecation_at": OVER}, "block", "Atlas blocks deprecated models"),
        ({"retirement_at": OVER}, "advise", "It is retired."),
        ({"release_at": datetime(2090, 1, 1, tzinfo=UTC)}, "advise", "not released yet"),
    ],
)
def test_life_of_a_model_counts(fields: dict[str, Any], policy: str, says: str) -> None:
    make_offering(make_model("acme/old", **fields), make_provider())
    publish_all()
    verdict = seen_by_team("acme/old", lifecycle_policy=policy)
    assert (verdict.may_call, says in texts(verdict)) == (not says, True)
    assert verdict.is_closed is (policy == "block")


def test_calls_of_a_retired_model_are_said_to_go_on_where_the_team_wants_that() -> None:
    new = make_model("acme/new")
    make_offering(new, make_provider())
    make_offering(make_model("acme/old", retirement_at=OVER, successor=new), make_provider())
    publish_all()
    assert seen_by_team("acme/old", lifecycle_policy="redirect").notes == [
        "Calls of it go to acme/new, as Atlas wants."
    ]


def test_what_nobody_connected_is_closed_to_everybody_but_whoever_has_a_credential_of_their_own() -> None:
    provider = make_provider("groq", name="Groq", has_credential=False)
    make_offering(make_model("acme/one"), provider)
    publish_all()
    verdict = seen_by_team("acme/one")
    assert (verdict.may_call, verdict.is_closed) == (False, False)
    assert "No provider that offers it is connected" in texts(verdict)
    team = Team.objects.get()
    add_credential(provider=Provider.objects.get(), team=team, label="ours", secret="secret-of-ours")
    verdict = see(Viewer(facts_of_team(team), team), "acme/one")
    assert verdict.may_call
    assert verdict.notes == ["By Atlas's own credential at Groq: what it costs is paid there."]


@pytest.mark.parametrize("has_operators", [True, False])
@pytest.mark.parametrize(
    ("terms", "by_own"),
    [
        ({}, True),
        ({"region": "us-east-1"}, True),
        ({"region": "eu"}, False),
        ({"region": "us", "base_url": "https://93.184.216.34/v1"}, False),
        ({"region": "eu", "place": "only"}, False),
    ],
)
def test_own_credential_is_held_to_where_calls_stay_by_where_it_leads(
    terms: dict[str, str], by_own: bool, has_operators: bool
) -> None:
    provider = make_provider("groq", name="Groq", has_credential=has_operators)
    make_offering(make_model("acme/one"), provider, regions=["us"])
    publish_all()
    team = make_team("atlas", name="Atlas", regions=["us"])
    add_credential(provider=Provider.objects.get(), team=team, label="ours", secret="secret-of-ours", **terms)
    verdict = see(Viewer(facts_of_team(team), team), "acme/one")
    may_call = by_own or (has_operators and terms.get("place") != "only")
    assert verdict.may_call == may_call
    assert may_call or "the credentials that calls go by lead elsewhere" in texts(verdict)
    listed = [each.id for each in read_now().callable_by(facts_of_team(team))]
    assert listed == (["acme/one"] if may_call else [])


def test_route_is_closed_where_all_its_members_are(model: str) -> None:
    route = make_named_route("house/fast")
    make_member(route, make_offering(make_model("other/two"), make_provider()).model)
    publish_all()
    verdict = seen_by_team("house/fast", model_patterns=["house/*"])
    assert "None of the models that answer for it" in texts(verdict)


RULES: list[dict[str, Any]] = [
    {},
    {"model_patterns": ["acme/*"]},
    {"model_patterns": ["house/*", "other/two"]},
    {"denied_model_patterns": ["acme/*"]},
    {"provider_patterns": ["groq"]},
    {"denied_provider_patterns": ["groq"]},
    {"regions": ["us"]},
    {"zero_retention": True},
    {"quantizations": ["unknown"]},
]


def test_verdicts_agree_with_what_a_key_may_call() -> None:
    groq, other = make_provider("groq"), make_provider("other")
    old = {"deprecation_at": OVER}
    make_offering(make_model("acme/one"), groq, regions=["us-east-1"], zero_retention=True)
    make_offering(make_model("acme/old", **old), other, regions=["us"], quantization="fp8")
    two = make_model("other/two")
    make_offering(two, groq)
    make_offering(two, other, regions=["eu"], zero_retention=True)
    make_offering(make_model("other/gone", retirement_at=OVER), other)
    make_named_route("house/fast", two)
    away = make_provider("away", has_credential=False)
    make_offering(make_model("acme/away"), away)
    make_offering(make_model("other/away"), away)
    publish_all(at=timezone.now())
    policies = ("advise", "block")
    for number, (teams, keys, policy) in enumerate(product(RULES, RULES, policies)):
        closed = {"new_models": "closed"} if number % 3 == 0 else {}
        team = make_team(lifecycle_policy=policy, **teams, **closed)
        key, _ = make_key(team, **keys)
        if number % 2:
            terms = {"secret": "secret-of-ours", "model_patterns": ["acme/*"]}
            add_credential(provider=away, team=team, label="ours", **terms)
        found = find_key(key.public_id)
        assert found
        reading, facts = read_now(), facts_of(found)
        viewer = Viewer(facts, team, found)
        able = {each.id for each in reading.snapshot.models.values() if judge(viewer, each, reading).may_call}
        assert able == {each.id for each in reading.callable_by(facts)}, (teams, keys, policy)
