"""Members of named routes as rows of a sheet."""

from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.test import Client

from accounts import revision
from accounts.models import Project
from catalogue.models import Alias, Edition, PublishedModel, RouteMember
from catalogue.sheets.columns import AliasSheet, ModelSheet, OrganisationSheet, RouteMemberSheet, Sheet
from catalogue.sheets.workbook import write_workbook
from tests.catalogue.importing.sheets import bring_in, bring_in_file, faults
from tests.catalogue.test_routes import make_offered
from tests.make import make_member, make_provider, make_route, make_staff, make_team, publish_all

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision, "GIVE_WAY_S", 0)


def row(**cells: Any) -> dict[str, Any]:
    return {"route": "house/fast", "model": "acme/one", **cells}


def whole_row(**cells: Any) -> dict[str, Any]:
    """With all columns, empty but for what is said."""
    return {**dict.fromkeys(RouteMemberSheet().columns(), ""), **row(**cells)}


def test_members_that_are_brought_back_change_nothing() -> None:
    one, provider, team = make_offered("acme/one"), make_provider("cloud"), make_team("red")
    two = make_offered("acme/two", provider=provider)
    project = Project.objects.create(team=team, slug="invoices", name="Invoices")
    route = make_route("house/fast", one)
    make_member(route, two, provider=provider, tier=1, weight=3, is_streamed=True, has_tools=False, team=team)
    make_member(
        route, one, canary_percent=5, input_types=["image", "text"], endpoints=["responses"], project=project
    )
    make_member(route, two, tier=2, input_tokens_from=10, input_tokens_below=2000)
    publish_all()
    before, editions = list(RouteMember.objects.order_by("pk").values()), Edition.objects.count()
    made = bring_in_file(RouteMemberSheet, RouteMemberSheet().export().csv.encode())
    assert (made.state, made.counts["same"]) == ("done", 4)
    assert (list(RouteMember.objects.order_by("pk").values()), Edition.objects.count()) == (before, editions)


def test_members_are_changed_and_added_and_their_route_is_published() -> None:
    make_route("house/fast", make_offered("acme/one"))
    make_offered("acme/two")
    publish_all()
    result = bring_in(
        RouteMemberSheet,
        whole_row(weight="3", has_tools="yes"),
        whole_row(model="acme/two", tier="1", input_types="image, audio", input_tokens_below="1000"),
        whole_row(model="acme/two", canary_percent="5"),
    )
    assert faults(result) == ""
    first, canary, second = RouteMember.objects.order_by("tier", "pk")
    assert (first.weight, first.has_tools, canary.canary_percent, second.tier) == (3, True, 5, 1)
    assert (second.input_types, second.input_tokens_below) == (["image", "audio"], 1000)
    assert len(PublishedModel.objects.current().get(public_id="house/fast").content["members"]) == 3


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ({"route": "house/slow"}, "There is no named route 'house/slow'"),
        ({"route": "acme/one"}, "There is no named route 'acme/one'"),
        ({"route": ""}, "It has no route"),
        ({"model": "acme/none"}, "There is no model 'acme/none'"),
        ({"model": "house/fast"}, "house/fast is a route itself"),
        ({"provider": "elsewhere"}, "acme/one has no offering at Elsewhere"),
        ({"weight": "-1"}, "weight"),
        ({"weight": "0"}, "no member has a weight above 0"),
        ({"canary_percent": "100"}, "canary_percent"),
        ({"canary_percent": "5", "tier": "1"}, "A canary comes before all tiers"),
        ({"input_types": "smell"}, "“smell” is none of"),
        ({"endpoints": "ocr"}, "“ocr” is none of"),
        ({"input_tokens_from": "9", "input_tokens_below": "9"}, "No prompt has at least 9"),
        ({"is_streamed": "perhaps"}, "neither yes"),
        ({"team": "nobody"}, "There is no team 'nobody'"),
        ({"project": "red/none"}, "There is no project 'red/none'"),
    ],
)
def test_a_member_that_makes_no_sense_is_refused_by_its_column(cells: dict[str, str], complaint: str) -> None:
    make_route("house/fast", make_offered("acme/one"))
    make_provider("elsewhere")
    publish_all()
    before = list(RouteMember.objects.values())
    assert complaint in faults(bring_in(RouteMemberSheet, row(**cells)))
    assert list(RouteMember.objects.values()) == before


def test_the_workbook_has_members_and_no_route_among_the_models() -> None:
    make_route("house/fast", make_offered("acme/one"))
    book = openpyxl.load_workbook(BytesIO(write_workbook(is_filled=True)))
    assert [cell.value for cell in book["models"]["A"]] == ["id", "acme/one"]
    assert [cell.value for cell in book["routes"][2]][:5] == ["house/fast", "acme/one", None, "0", "1"]


@pytest.mark.parametrize(
    ("number", "sheet", "line"),
    [
        (0, ModelSheet, "acme/one,One,"),
        (1, AliasSheet, "uno,acme/one,"),
        (2, OrganisationSheet, "acme,Acme,"),
        (3, RouteMemberSheet, "house/fast,acme/one,,0,1,"),
    ],
)
def test_every_kind_of_row_is_taken_out_from_the_page_of_models(
    client: Client, number: int, sheet: type[Sheet], line: str
) -> None:
    model = make_offered("acme/one")
    Alias.objects.create(model=model, name="uno")
    make_route("house/fast", model)
    client.force_login(make_staff("ada"))
    chosen = {f"{sheet.__name__.lower()}_{name}": "on" for name in sheet().fields}
    asked = {"format": "0", "resource": str(number), **chosen}
    lines = client.post("/admin/catalogue/model/export/", asked).content.decode().splitlines()
    assert any(each.startswith(line) for each in lines[1:]), lines
