"""What becomes of what an offering is sent: said by itself or by its provider, published, listed and brought in."""

import csv
import re
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from accounts.models import Team
from catalogue.changes.differences import differences
from catalogue.models import Edition, Offering, PublishedModel
from catalogue.published.content import Content, facts_from_content
from catalogue.published.loading import load_snapshot
from catalogue.publishing.compile import compile_model
from catalogue.publishing.editions import publish
from catalogue.publishing.rollback import plan_rollback, roll_back
from catalogue.sheets.columns import OfferingSheet
from providers.credentials import add_credential
from providers.models import Provider
from tests.catalogue.importing.sheets import bring_in
from tests.make import (
    make_key,
    make_model,
    make_offering,
    make_provider,
    make_published,
    make_team,
    publish_all,
)

pytestmark = pytest.mark.django_db


def live() -> Content:
    content: Content = PublishedModel.objects.current().get().content
    return content


def say(**facts: bool | None) -> None:
    """Of the one offering, and publish it."""
    Offering.objects.update(**facts)
    publish_all()


@pytest.mark.parametrize(
    ("own", "of_provider", "expected"),
    [
        (None, None, None),
        (None, True, True),
        (None, False, False),
        (True, None, True),
        (True, False, True),
        (False, True, False),
    ],
)
@pytest.mark.parametrize("name", ["zero_retention", "collects_data"])
def test_what_an_offering_says_itself_goes_before_what_its_provider_says(
    name: str, own: bool | None, of_provider: bool | None, expected: bool | None
) -> None:
    model = make_model()
    make_offering(model, make_provider(**{name: of_provider}), **{name: own})
    publish([model])
    (offering,) = facts_from_content(live()).offerings
    assert getattr(offering, name) is expected
    (loaded,) = load_snapshot(None).models.values()
    assert loaded.offerings == (offering,)


def test_record_of_what_is_unknown_says_what_it_always_said() -> None:
    model = make_published()
    (offering,) = compile_model(type(model).objects.complete().get())["offerings"]
    assert not {"zero_retention", "collects_data"} & (offering.keys() | offering["provider"].keys())


def test_change_is_told_in_the_names_that_clients_know() -> None:
    make_published()
    before = facts_from_content(live())
    say(zero_retention=True, collects_data=False)
    told = [
        (each.field.rpartition(".")[2], each.before, each.after)
        for each in differences(before, facts_from_content(live()))
    ]
    assert told == [("zero_retention", None, True), ("collects_data", None, False)]


def test_rolling_back_sets_what_offerings_said_and_leaves_what_their_providers_say() -> None:
    make_published()
    Provider.objects.update(collects_data=False)
    publish_all()
    before = Edition.objects.latest("number").number
    say(zero_retention=True)
    Provider.objects.update(collects_data=True)
    publish_all()
    (step,) = plan_rollback(before).steps
    assert [(change.field.rpartition(".")[2], change.before, change.after) for change in step.changes] == [
        ("zero_retention", True, None)
    ]
    roll_back(before)
    offering = Offering.objects.get()
    assert (offering.zero_retention, offering.collects_data) == (None, None)
    assert facts_from_content(live()).offerings[0].collects_data is True
    assert plan_rollback(before).steps == []


@pytest.mark.parametrize(("cell", "kept"), [("yes", True), ("no", False), ("", None)])
def test_sheet_has_a_column_of_each_in_which_empty_is_unknown(cell: str, kept: bool | None) -> None:
    offering = make_offering(make_model("acme/one"), make_provider("fast"), upstream_name="one")
    Offering.objects.update(zero_retention=not kept)
    bring_in(
        OfferingSheet,
        {"model": "acme/one", "provider": "fast", "upstream_name": "one", "zero_retention": cell},
    )
    offering.refresh_from_db()
    assert offering.zero_retention is kept
    written = OfferingSheet().export(Offering.objects.all()).csv
    (row,) = csv.DictReader(StringIO(written))
    assert row["zero_retention"] == cell


def hints() -> list[str]:
    """Of the one offering, on the model's page."""
    page = Client().get("/models/acme/one").content.decode()
    told: list[str] = re.findall(
        r'<span class="hint" title="[^"]*">([^<]*)</span>', page.partition("</table>")[0]
    )
    return told


def test_clients_and_guests_read_it() -> None:
    make_published()
    say(zero_retention=True, collects_data=False)
    _, text = make_key()
    client = Client(headers={"authorization": f"Bearer {text}"})
    (told,) = client.get("/v1/gateway/models/acme/one/endpoints").json()["endpoints"]
    assert (told["zero_retention"], told["collects_data"]) == (True, False)
    assert hints() == ["zero retention", "no data collection"]
    say(zero_retention=None, collects_data=True)
    assert hints() == ["collects data"]
    say(zero_retention=False, collects_data=None)
    assert hints() == []


@pytest.mark.parametrize(
    ("team_terms", "terms", "expected"),
    [
        ({}, {}, {"acme/eu", "acme/both", "acme/nowhere"}),
        ({"regions": ["eu"]}, {}, {"acme/eu"}),
        ({}, {"regions": ["eu"]}, {"acme/eu"}),
        ({"regions": ["eu"]}, {"regions": ["us"]}, set()),
        ({"zero_retention": True}, {}, {"acme/both"}),
        ({"zero_retention": True}, {"regions": ["eu", "us"]}, {"acme/both"}),
        ({"quantizations": ["unknown"]}, {}, {"acme/both", "acme/nowhere"}),
    ],
)
def test_a_key_is_shown_the_models_that_its_floor_leaves(
    settings: Any, team_terms: dict[str, Any], terms: dict[str, Any], expected: set[str]
) -> None:
    settings.TEAM_SCOPE = True
    offered: dict[str, dict[str, Any]] = {
        "acme/eu": {"regions": ["eu-west-1"], "quantization": "fp8"},
        "acme/both": {"regions": ["eu", "us"], "zero_retention": True},
        "acme/nowhere": {},
    }
    for name, facts in offered.items():
        make_offering(make_model(name), **facts)
    publish_all()
    team: Team = make_team(**team_terms)
    _, text = make_key(team, **terms)
    client = Client(headers={"authorization": f"Bearer {text}"})
    assert {row["id"] for row in client.get("/v1/models").json()["data"]} == expected
    listed = client.get("/v1/gateway/models?privacy_scope=team").json()["models"]
    assert {row["id"] for row in listed} == expected


@pytest.mark.parametrize(
    ("region", "patterns", "listed"),
    [("eu", None, True), ("us", None, False), ("", None, False), ("eu", ["other/*"], False)],
)
def test_a_key_that_stays_somewhere_is_shown_what_a_credential_of_ours_leads_there(
    region: str, patterns: list[str] | None, listed: bool
) -> None:
    make_published()
    Offering.objects.update(regions=["us"])
    publish_all()
    add_credential(
        provider=Provider.objects.get(),
        team=None,
        label="elsewhere",
        secret="secret-of-elsewhere",
        place="before",
        region=region,
        model_patterns=patterns,
        **({"base_url": "https://eu.example/v1"} if region else {}),
    )
    _, text = make_key(make_team(regions=["eu"]))
    answer = Client().get("/v1/models", headers={"authorization": f"Bearer {text}"})
    assert [model["id"] for model in answer.json()["data"]] == (["acme/one"] if listed else [])
