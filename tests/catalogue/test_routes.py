"""Named routes in the catalogue: what is published of them, and what clients, lists and staff hear."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from catalogue.changes.differences import differences
from catalogue.instants import date_text
from catalogue.models import Alias, Edition, Model, Offering, PublishedModel, RouteMember
from catalogue.published.content import facts_from_content
from catalogue.published.reading import read_as_of, read_now
from catalogue.published.record import listing, record
from catalogue.publishing.editions import publish
from catalogue.publishing.rollback import RollbackRefusedError, roll_back
from catalogue.quality.lint import Kind
from catalogue.quality.worklist import examine_catalogue
from catalogue.services import delete_models
from tests.catalogue.reference import ids_by_sql
from tests.gateway.proxy.values import a_key
from tests.make import (
    make_member,
    make_model,
    make_offering,
    make_price,
    make_provider,
    make_route,
    make_team,
    publish_all,
)

pytestmark = pytest.mark.django_db


def make_offered(public_id: str, usd: str = "1", **offered: Any) -> Model:
    """A model with one offering and a price for input and output."""
    provider = offered.pop("provider", None)
    own = {
        name: offered.pop(name)
        for name in ("input_types", "context_length", "open_weights")
        if name in offered
    }
    model = make_model(public_id, **own)
    offering = make_offering(model, provider, **offered)
    for meter in ("input_text_tokens", "output_text_tokens"):
        make_price(offering, meter, usd)
    return model


def record_of(public_id: str) -> dict[str, Any]:
    reading = read_now()
    return record(reading.snapshot.models[public_id], reading.snapshot, reading.at)


def fields_of(edition: Edition | None, public_id: str = "house/fast") -> dict[str, tuple[Any, Any]]:
    """What an edition changed of a model, for clients."""
    assert edition is not None
    rows = PublishedModel.objects.filter(public_id=public_id).order_by("edition_from_id")
    older, newer = [row for row in rows if row.edition_from_id <= edition.number][-2:]
    before, after = (facts_from_content(row.content) for row in (older, newer))
    return {change.field: (change.before, change.after) for change in differences(before, after)}


def kinds_of(public_id: str = "house/fast") -> dict[str, list[str]]:
    """What the worklist says of it, by kind."""
    found: dict[str, list[str]] = {}
    for finding in examine_catalogue().findings:
        if finding.model_id == public_id:
            found.setdefault(finding.kind, []).append(finding.what)
    return found


def test_a_route_says_what_is_true_whichever_member_answers() -> None:
    big = make_offered(
        "acme/big", "5", input_types=["text", "image"], context_length=200_000, open_weights=True
    )
    small = make_offered("acme/small", "1", context_length=32_000, open_weights=True)
    make_route("house/fast", big, small)
    publish_all()
    found = record_of("house/fast")
    assert (found["kind"], found["input_types"], found["output_types"]) == ("route", ["text"], ["text"])
    assert found["headline"]["context_length"] == {"from": 32_000, "to": 200_000}
    assert (found["headline"]["prompt"], found["open_weights"]) == (
        {"from": "0.000001", "to": "0.000005"},
        True,
    )
    assert "chat.completions" in found["endpoints"]
    assert found["is_routable"]
    assert [member["model_id"] for member in found["route"]["members"]] == ["acme/big", "acme/small"]
    assert (record_of("acme/big")["kind"], record_of("acme/big")["route"]) == ("model", None)


def test_the_record_tells_weights_tiers_and_conditions_and_not_whose_calls_they_are() -> None:
    model, team = make_offered("acme/one"), make_team("secretive")
    route = make_route()
    make_member(
        route, model, weight=3, tier=2, is_streamed=True, has_tools=False, input_tokens_from=1000, team=team
    )
    publish_all()
    (member,) = record_of("house/fast")["route"]["members"]
    assert (member["weight"], member["tier"], member["conditions"]["is_for_some_teams"]) == (3, 2, True)
    assert member["text"] == (
        "acme/one: tier 2, weight 3, for streamed calls without tools, of at least 1,000 input tokens, of one team"
    )
    assert "secretive" not in str(record_of("house/fast"))


def test_a_route_is_owned_by_its_organisation_in_openais_list() -> None:
    make_route("house/fast", make_offered("acme/one", provider=make_provider("cloud")))
    publish_all()
    reading = read_now()
    rows = {
        name: listing(model, reading.snapshot, reading.at) for name, model in reading.snapshot.models.items()
    }
    assert {name: row["owned_by"] for name, row in rows.items()} == {
        "acme/one": "cloud",
        "house/fast": "house",
    }
    assert rows["house/fast"]["supports_streaming"]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (None, {"acme/one", "house/fast"}),
        (["model"], {"acme/one"}),
        (["route"], {"house/fast"}),
        (["model", "route"], {"acme/one", "house/fast"}),
    ],
)
def test_lists_have_both_kinds_and_can_be_narrowed_to_one(
    kinds: list[str] | None, expected: set[str]
) -> None:
    make_route("house/fast", make_offered("acme/one"))
    publish_all()
    assert set(ids_by_sql({"kind": kinds} if kinds else {}, read_now())) == expected


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ({"provider": ["cloud"]}, True),
        ({"provider": ["elsewhere"]}, False),
        ({"max_price_prompt": ["0.000001"]}, True),
        ({"max_price_prompt": ["0.0000009"]}, False),
        ({"params": ["tools"]}, True),
        ({"endpoints": ["embeddings"]}, False),
        ({"min_context": ["8000"]}, True),
        ({"min_context": ["8001"]}, False),
        ({"organisation": ["house"]}, True),
    ],
)
def test_a_route_is_found_by_what_its_members_offer(query: dict[str, list[str]], is_found: bool) -> None:
    model = make_offered("acme/one", provider=make_provider("cloud"), params=["tools"], context_length=8000)
    make_provider("elsewhere")
    make_route("house/fast", model)
    publish_all()
    assert ("house/fast" in ids_by_sql(query, read_now())) is is_found


def test_a_member_at_one_provider_brings_only_that_ones_offering() -> None:
    model, here = make_offered("acme/one"), make_provider("here")
    make_offering(model, here)
    make_member(make_route(), model, provider=here)
    publish_all()
    assert [each["api_provider_id"] for each in record_of("house/fast")["providers"]] == ["here"]


def test_a_fallback_is_listed_for_what_the_first_tier_is_asked_for() -> None:
    route = make_route("house/fast", make_offered("acme/chat"))
    make_member(route, make_offered("acme/both", endpoints=["chat.completions", "embeddings"]), tier=1)
    make_member(route, make_offered("acme/embeds", endpoints=["embeddings"]), tier=1)
    publish_all()
    assert "embeddings" not in record_of("house/fast")["endpoints"]
    assert len(record_of("house/fast")["providers"]) == 2


def test_a_member_that_is_there_for_pictures_lets_the_route_read_them() -> None:
    route = make_route("house/eyes", make_offered("acme/blind"))
    make_member(route, make_offered("acme/eyes", input_types=["text", "image"]), input_types=["image"])
    publish_all()
    assert record_of("house/eyes")["input_types"] == ["image", "text"]


def test_a_member_that_changes_publishes_its_routes_in_the_same_edition() -> None:
    model = make_offered("acme/one")
    make_route("house/fast", model)
    publish_all()
    model.context_length = 64_000
    model.save()
    edition = publish([model], note="wider")
    assert fields_of(edition)["context_length"] == (None, 64_000)
    assert PublishedModel.objects.filter(edition_from=edition).count() == 2
    assert publish([model]) is None


def test_what_is_saved_of_a_member_and_not_published_is_no_part_of_a_route() -> None:
    model = make_offered("acme/one")
    route = make_route("house/fast", model)
    publish_all()
    Model.objects.filter(pk=model.pk).update(context_length=64_000)
    assert publish([route]) is None


def test_a_member_that_is_in_quarantine_stays_as_it_was_in_a_route_too() -> None:
    model = make_offered("acme/one")
    route = make_route("house/fast", model)
    publish_all()
    Model.objects.filter(pk=model.pk).update(input_types=["not a word"], context_length=1)
    make_member(route, model, tier=1)
    publish_all()
    route.refresh_from_db()
    assert route.quarantine_reason == ""
    assert record_of("house/fast")["top_provider"]["context_length"] is None


def test_history_tells_members_in_words() -> None:
    one, two = make_offered("acme/one"), make_offered("acme/two")
    route = make_route("house/fast", one)
    publish_all()
    RouteMember.objects.filter(model=one).update(weight=3)
    make_member(route, two, canary_percent=5)
    assert fields_of(publish([route]))["members"] == (
        ["acme/one: tier 0, weight 1"],
        ["acme/one: tier 0, weight 3", "acme/two: canary, 5 of 100 calls"],
    )


def test_a_rollback_brings_members_back_as_they_were() -> None:
    one, two, team = make_offered("acme/one"), make_offered("acme/two"), make_team("narrow")
    route = make_route("house/fast", one)
    make_member(route, two, weight=7, tier=1, has_tools=True, team=team, input_types=["image"])
    first = publish_all()
    kept = RouteMember.objects.get(model=one).pk
    RouteMember.objects.filter(model=two).delete()
    route.name = "Faster"
    route.save()
    publish([route])
    assert first is not None
    roll_back(first.number, "house/fast")
    members = list(RouteMember.objects.order_by("tier"))
    assert [(each.model_id, each.weight, each.tier) for each in members] == [(one.pk, 1, 0), (two.pk, 7, 1)]
    assert (members[0].pk, members[1].has_tools, members[1].team, members[1].input_types) == (
        kept,
        True,
        team,
        ["image"],
    )
    route.refresh_from_db()
    assert (route.name, Offering.objects.filter(model=route).count()) == ("Fast", 0)


def test_what_a_route_falls_back_on_is_published_told_and_rolled_back() -> None:
    route = make_route("house/fast", make_offered("acme/one"))
    first = publish_all()
    before = PublishedModel.objects.get(public_id="house/fast")
    # As records were before there was such a thing.
    assert "fallback_on" not in before.content
    assert record_of("house/fast")["route"]["fallback_on"] == []
    route.fallback_on = ["context_length_exceeded", "content_filter"]
    route.save()
    assert fields_of(publish([route])) == {"fallback_on": ([], ["content_filter", "context_length_exceeded"])}
    assert record_of("house/fast")["route"]["fallback_on"] == ["content_filter", "context_length_exceeded"]
    assert first is not None
    roll_back(first.number, "house/fast")
    route.refresh_from_db()
    assert route.fallback_on == []
    assert record_of("house/fast")["route"]["fallback_on"] == []


def test_a_route_that_was_deleted_comes_back_as_a_route() -> None:
    first = (make_route("house/fast", make_offered("acme/one")), publish_all())[1]
    delete_models(Model.objects.filter(public_id="house/fast"))
    assert "house/fast" not in read_now().snapshot.models
    assert first is not None
    roll_back(first.number, "house/fast")
    assert Model.objects.get(public_id="house/fast").is_route
    assert record_of("house/fast")["is_routable"]


def test_a_rollback_asks_for_the_members_first() -> None:
    one, two = make_offered("acme/one"), make_offered("acme/two")
    route = make_route("house/fast", one, two)
    first = publish_all()
    RouteMember.objects.filter(model=two).delete()
    publish([route])
    delete_models(Model.objects.filter(pk=two.pk))
    assert first is not None
    with pytest.raises(RollbackRefusedError, match="its member acme/two no longer exists"):
        roll_back(first.number, "house/fast")


def test_as_of_reads_the_members_of_then() -> None:
    one, two = make_offered("acme/one"), make_offered("acme/two")
    route = make_route("house/fast", one)
    yesterday = timezone.now() - timedelta(days=1)
    publish_all(at=yesterday)
    make_member(route, two)
    publish([route])
    then = read_as_of(yesterday + timedelta(hours=1)).snapshot.models["house/fast"]
    now = read_now().snapshot.models["house/fast"]
    assert [len(each.members) for each in (then, now)] == [1, 2]


def test_a_member_that_retires_takes_what_it_offers_out_of_the_route_by_itself() -> None:
    one, two = make_offered("acme/one", "1"), make_offered("acme/two", "5")
    ends = timezone.now() + timedelta(days=10)
    one.retirement_at = ends
    one.save()
    make_route("house/fast", one, two)
    publish_all()
    later = read_as_of(ends + timedelta(days=1))
    found = record(later.snapshot.models["house/fast"], later.snapshot, later.at)
    assert record_of("house/fast")["headline"]["prompt"]["from"] == "0.000001"
    assert (found["headline"]["prompt"]["from"], found["is_routable"]) == ("0.000005", True)


def test_a_route_whose_members_are_all_retired_is_quarantined_and_cannot_be_called() -> None:
    one = make_offered("acme/one")
    route = make_route("house/fast", one)
    publish_all()
    one.retirement_at = timezone.now() - timedelta(hours=1)
    one.save()
    publish([one])
    route.refresh_from_db()
    assert "All of them are retired" in route.quarantine_reason
    assert not record_of("house/fast")["is_routable"]


def test_a_route_whose_last_member_is_deleted_is_quarantined_and_cannot_be_called() -> None:
    one = make_offered("acme/one")
    route = make_route("house/fast", one)
    publish_all()
    delete_models(Model.objects.filter(pk=one.pk))
    route.refresh_from_db()
    assert "A route needs a member" in route.quarantine_reason
    assert not record_of("house/fast")["is_routable"]
    assert ids_by_sql({}, read_now()) == []


def test_a_deleted_member_beside_another_leaves_the_route_to_that_one() -> None:
    one, two = make_offered("acme/one"), make_offered("acme/two")
    route = make_route("house/fast", one, two)
    publish_all()
    delete_models(Model.objects.filter(pk=one.pk))
    route.refresh_from_db()
    assert route.quarantine_reason == ""
    assert [each["model_id"] for each in record_of("house/fast")["route"]["members"]] == ["acme/two"]


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ([], "A route needs a member"),
        ([{"canary_percent": 10}], "A canary needs a base"),
        ([{"weight": 0}], "In tier 0 no member has a weight above 0"),
        ([{}, {"tier": 3, "weight": 0}], "In tier 3 no member has a weight above 0"),
        (
            [{}, {"canary_percent": 60}, {"canary_percent": 40}],
            "Canaries take 100 of a hundred calls together",
        ),
        (
            [{"input_tokens_from": 10, "input_tokens_below": 10}],
            "No prompt has at least 10 and fewer than 10 tokens",
        ),
        ([{"input_types": ["smell"]}], "“smell” is none of text, image, audio"),
        ([{"endpoints": ["ocr"]}], "“ocr” is none of"),
        ([{}, {"canary_percent": 10, "tier": 1}], "A canary comes before all tiers"),
    ],
)
def test_a_route_that_makes_no_sense_is_not_published(members: list[dict[str, Any]], fault: str) -> None:
    model, route = make_offered("acme/one"), make_route()
    for member in members:
        make_member(route, model, **member)
    publish_all()
    route.refresh_from_db()
    assert fault in route.quarantine_reason
    assert "house/fast" not in read_now().snapshot.models


def test_a_route_is_no_member_and_has_no_offerings() -> None:
    inner = make_route("house/inner", make_offered("acme/one"))
    outer = make_route("house/outer")
    with pytest.raises(ValidationError, match="is a route itself"):
        RouteMember(route=outer, model=inner).clean()
    with pytest.raises(ValidationError, match="is a named route"):
        Offering(
            model=inner, provider=make_provider(), upstream_name="x", endpoints=["chat.completions"]
        ).clean()
    make_member(outer, inner)
    publish_all()
    outer.refresh_from_db()
    assert "house/inner is a route itself" in outer.quarantine_reason


def test_a_member_is_offered_by_the_provider_that_it_is_pinned_to() -> None:
    member = RouteMember(
        route=make_route(), model=make_offered("acme/one"), provider=make_provider("elsewhere")
    )
    with pytest.raises(ValidationError, match="acme/one has no offering at Elsewhere"):
        member.clean()


def test_the_worklist_tells_of_members_that_leave_and_of_tiers_that_nothing_serves() -> None:
    soon, later = make_offered("acme/soon"), make_model("acme/nowhere")
    soon.retirement_at = timezone.now() + timedelta(days=30)
    soon.save()
    route = make_route("house/fast", soon)
    make_member(route, later, tier=1)
    publish_all()
    found = kinds_of()
    assert found[Kind.MEMBER_LEAVES] == [f"acme/soon retires on {soon.retirement_at:%Y-%m-%d}."]
    assert found[Kind.EMPTY_TIER] == ["Tier 1: nobody offers acme/nowhere."]
    assert set(found) == {Kind.MEMBER_LEAVES, Kind.EMPTY_TIER}


def test_a_sound_route_has_nothing_to_be_fixed_and_lacks_only_what_is_not_written() -> None:
    route = make_route("house/fast", make_offered("acme/one"), description="Fast.", release_at=timezone.now())
    publish_all()
    worklist = examine_catalogue()
    assert kinds_of() == {}
    assert worklist.qualities[route.pk].missing == {}


def test_a_key_sees_a_route_if_it_may_call_the_route_and_one_of_its_members() -> None:
    make_route("house/fast", make_offered("acme/one"), make_offered("other/two"))
    publish_all()
    reading = read_now()
    seen = {
        patterns: {model.id for model in reading.callable_by(a_key(model_patterns=patterns))}
        for patterns in [("house/*",), ("house/*", "other/*"), ("other/*",), ()]
    }
    assert seen == {
        ("house/*",): set(),
        ("house/*", "other/*"): {"house/fast", "other/two"},
        ("other/*",): {"other/two"},
        (): {"house/fast", "other/two", "acme/one"},
    }


def test_an_alias_of_a_route_leads_to_it() -> None:
    route = make_route("house/fast", make_offered("acme/one"))
    Alias.objects.create(model=route, name="quick")
    publish_all()
    found = read_now().find("quick")
    assert found is not None
    assert found.id == "house/fast"


def test_prices_of_a_route_are_those_of_its_cheapest_member() -> None:
    make_route("house/fast", make_offered("acme/a", "5"), make_offered("acme/b", "2"))
    publish_all()
    found = record_of("house/fast")["headline"]["prompt"]
    assert Decimal(found["from"]) * 1_000_000 == 2


def test_news_of_a_route_call_it_one() -> None:
    route = make_route(
        "house/fast", make_offered("acme/one"), deprecation_at=timezone.now() - timedelta(days=1)
    )
    publish_all()
    message = record_of("house/fast")["lifecycle"]["message"]
    assert message == f"Named route 'house/fast' has been deprecated since {date_text(route.deprecation_at)}."
