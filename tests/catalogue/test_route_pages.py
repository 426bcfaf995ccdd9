"""The pages on which curators make named routes, and on which clients read them."""

from typing import Any

import pytest
from django.test import Client

from catalogue.models import Model, PublishedModel, Route, RouteMember
from tests.catalogue.test_admin import edit, errors, form_values
from tests.catalogue.test_routes import make_offered
from tests.make import (
    make_member,
    make_model,
    make_organisation,
    make_provider,
    make_published,
    make_route,
    make_staff,
    make_team,
    make_user,
    publish_all,
)

pytestmark = pytest.mark.django_db

ROUTES = "/admin/catalogue/route/"


@pytest.fixture
def curator(client: Client) -> Client:
    client.force_login(make_staff("ada"))
    return client


def page_of(route: Model) -> str:
    return f"{ROUTES}{route.pk}/change/"


def add(curator: Client, *members: dict[str, Any], **values: Any) -> Any:
    """The answer to a new route with these members."""
    make_organisation("house")
    page = form_values(curator.get(f"{ROUTES}add/"))
    page |= {"organisation": "house", "slug": "fast", "name": "Fast", **values}
    page |= {"members-TOTAL_FORMS": str(len(members)), "members-INITIAL_FORMS": "0"}
    for number, member in enumerate(members):
        row = {"tier": "0", "weight": "1"} | member
        page |= {f"members-{number}-{name}": value for name, value in row.items()}
    return curator.post(f"{ROUTES}add/", page)


def told(answer: Any) -> list[str]:
    """What the summary over the form says."""
    assert answer.status_code == 200, answer.content[:500]
    return [f"{each.label}: {each.message}" for each in answer.context["field_errors"]]


def test_a_route_is_made_with_its_members_and_published(curator: Client) -> None:
    one, two, team = make_offered("acme/one"), make_offered("acme/two"), make_team("red")
    answer = add(
        curator,
        {
            "model": one.pk,
            "weight": "3",
            "is_streamed": "True",
            "endpoints": ["chat.completions"],
            "team": team.pk,
        },
        {"model": two.pk, "tier": "1", "has_tools": "False", "input_types": ["text", "image"]},
    )
    assert answer.status_code == 302
    route = Route.objects.get()
    first, second = route.members.all()
    assert (route.public_id, route.kind) == ("house/fast", "route")
    assert (first.model, first.weight, first.is_streamed, first.has_tools, first.team) == (
        one,
        3,
        True,
        None,
        team,
    )
    assert (first.endpoints, second.tier, second.has_tools) == (["chat.completions"], 1, False)
    assert second.input_types == ["text", "image"]
    assert PublishedModel.objects.get(public_id="house/fast").kind == "route"


def test_a_checkbox_lets_the_next_member_answer_for_a_trouble_with_the_request(curator: Client) -> None:
    one = make_offered("acme/one")
    refused = add(curator, {"model": one.pk}, fallback_on=["provider_error"])
    assert "provider_error is not one of" in " ".join(told(refused))
    assert add(curator, {"model": one.pk}, fallback_on=["content_filter"]).status_code == 302
    route = Route.objects.get()
    assert PublishedModel.objects.get(public_id="house/fast").content["fallback_on"] == ["content_filter"]
    assert "a content filter refuses the request." in curator.get("/models/house/fast").content.decode()
    assert edit(curator, route, name="Faster").status_code == 302
    assert Route.objects.get().fallback_on == ["content_filter"]


def test_saving_a_route_as_it_is_changes_nothing(curator: Client) -> None:
    route = make_route("house/fast")
    make_member(route, make_offered("acme/one"), is_streamed=False, has_tools=True, input_types=["text"])
    publish_all()
    before = RouteMember.objects.values().get()
    chosen = {"members-0-is_streamed": "False", "members-0-has_tools": "True"}
    assert edit(curator, route, **chosen).status_code == 302
    assert RouteMember.objects.values().get() == before
    assert PublishedModel.objects.filter(public_id="house/fast").count() == 1


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([], "Member: A route needs a member"),
        ([{"weight": "0"}], "Member: In tier 0 no member has a weight above 0."),
        ([{"weight": "-1"}], "Member 1: Weight: Ensure this value is greater than or equal to 0."),
        ([{"canary_percent": "10"}], "Member: A canary needs a base"),
        ([{}, {"canary_percent": "100"}], "Member 2: Canary: Ensure this value is less than or equal to 99."),
        ([{}, {"canary_percent": "0"}], "Member 2: Canary: Ensure this value is greater than or equal to 1."),
        ([{}, {"canary_percent": "9", "tier": "2"}], "Member 2: Tier: A canary comes before all tiers"),
        (
            [{"input_tokens_from": "9", "input_tokens_below": "5"}],
            "Member 1: Input tokens below: No prompt has",
        ),
        ([{"input_types": ["smell"]}], "Member 1: Input: Select a valid choice. smell is not one of"),
        ([{"endpoints": ["ocr"]}], "Member 1: Endpoints: Select a valid choice. ocr is not one of"),
        ([{"model": "999999"}], "Member 1: Model: Select a valid choice."),
        ([{"model": "route"}], "Member 1: Model: Select a valid choice."),
        ([{"provider": "elsewhere"}], "Member 1: Provider: acme/one has no offering at Elsewhere."),
    ],
)
def test_a_route_that_makes_no_sense_is_refused_above_the_form(
    curator: Client, members: list[dict[str, Any]], expected: str
) -> None:
    rows = {
        "one": make_offered("acme/one").pk,
        "route": make_route("house/other", make_model("acme/two")).pk,
        "elsewhere": make_provider("elsewhere").pk,
    }
    given = [{"model": "one"} | member for member in members]
    answer = add(
        curator, *[{name: rows.get(str(value), value) for name, value in each.items()} for each in given]
    )
    assert any(line.startswith(expected) for line in told(answer)), told(answer)
    assert not Route.objects.filter(slug="fast").exists()


def test_a_taken_id_is_refused_for_a_route_too(curator: Client) -> None:
    model = make_offered("house/fast")
    assert "already exists" in errors(add(curator, {"model": model.pk}))


def test_models_and_routes_have_a_list_each(curator: Client) -> None:
    make_route("house/fast", make_published("acme/one"))
    publish_all()
    lists = {name: curator.get(f"/admin/catalogue/{name}/").content.decode() for name in ("model", "route")}
    assert ("acme/one" in lists["model"], "house/fast" in lists["model"]) == (True, False)
    assert "house/fast" in lists["route"]
    assert 'class="chip good">edition' in lists["route"]


def test_a_link_to_a_model_that_is_a_route_leads_to_its_page(curator: Client) -> None:
    route = make_route("house/fast", make_published("acme/one"))
    answer = curator.get(f"/admin/catalogue/model/{route.pk}/change/")
    assert answer.headers["Location"] == page_of(route)


def test_a_routes_page_shows_what_clients_see_its_editions_and_its_history(curator: Client) -> None:
    route = make_route("house/fast", make_published("acme/one"))
    publish_all()
    edit(curator, route, **{"members-0-weight": "4"})
    assert "acme/one: tier 0, weight 4" in curator.get(page_of(route)).content.decode()
    assert "acme/one: tier 0, weight 1" in curator.get(f"{ROUTES}{route.pk}/editions/").content.decode()
    history = curator.get(f"{ROUTES}{route.pk}/history/").content.decode()
    assert "route member acme/one in house/fast" in history


def test_whoever_saves_second_is_told_of_the_members_that_changed(curator: Client) -> None:
    route = make_route("house/fast", make_published("acme/one"))
    opened = form_values(curator.get(page_of(route)))
    edit(curator, route, **{"members-0-weight": "4"})
    answer = curator.post(page_of(route), opened | {"members-0-weight": "9"})
    assert "Somebody else saved this page" in answer.content.decode()
    assert RouteMember.objects.get().weight == 4


def test_deleting_a_route_takes_it_from_clients_and_leaves_its_members(curator: Client) -> None:
    route = make_route("house/fast", make_published("acme/one"))
    publish_all()
    assert curator.post(f"{ROUTES}{route.pk}/delete/", {"post": "yes"}).status_code == 302
    live = PublishedModel.objects.current().values_list("public_id", flat=True)
    assert list(live) == ["acme/one"]


def test_routes_need_rights_of_their_own(client: Client) -> None:
    route = make_route("house/fast", make_published("acme/one"))
    client.force_login(make_user("nobody", is_staff=True))
    assert client.get(page_of(route)).status_code == 403
    assert client.get(ROUTES).status_code == 403


def test_the_public_page_tells_members_weights_and_conditions(client: Client) -> None:
    route = make_route("house/fast")
    make_member(route, make_offered("acme/one"), weight=3, has_tools=True)
    make_member(route, make_offered("acme/two"), weight=1)
    make_member(route, make_offered("acme/new"), canary_percent=5)
    publish_all()
    page = client.get("/models/house/fast").content.decode()
    for text in ("named route", "tier 0, weight 3", "75 %", "for calls with tools", "canary, 5 of 100 calls"):
        assert text in page
    assert "#members" not in client.get("/models/acme/one").content.decode()


def test_the_public_list_marks_routes_and_can_be_narrowed_to_them(client: Client) -> None:
    make_route("house/fast", make_offered("acme/one"))
    publish_all()
    page = client.get("/models?kind=route").content.decode()
    assert ("house/fast" in page, 'id="id-acme/one"' in page) == (True, False)
    assert "named routes" in client.get("/models").content.decode()
