"""`manage.py import_catalogue`."""

import json
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry
from catalogue.models import Alias, Edition, Model, Offering, Organisation, Price, PublishedModel
from catalogue.publishing.editions import publish
from providers.models import Credential, Provider
from tests.catalogue.importing.folders import (
    card,
    model,
    offer,
    organisation,
    provider,
    rule,
    write_folder,
)
from tests.make import make_model, make_offering, make_price, make_provider, make_staff

pytestmark = pytest.mark.django_db


def bring_in(path: Path, *options: str, **files: Any) -> str:
    """What the command says."""
    said = StringIO()
    call_command("import_catalogue", write_folder(path, **files), *options, stdout=said, stderr=StringIO())
    return said.getvalue()


def refusal(path: Path, **files: Any) -> str:
    with pytest.raises(CommandError) as refused:
        bring_in(path, **files)
    assert not Model.objects.exists()
    return str(refused.value)


def test_folder_is_published(tmp_path: Path) -> None:
    bring_in(tmp_path, aliases=[{"alias": "uno", "target_model_id": "acme/one", "enabled": True}])
    published = PublishedModel.objects.current().get()
    assert (published.public_id, published.content["aliases"]) == ("acme/one", ["uno"])
    prices = published.content["offerings"][0]["prices"]
    assert [(price["meter"], price["amount"]) for price in prices] == [("input_text_tokens", "1")]
    assert published.edition_from.note == f"Imported from {tmp_path.name}"


def test_second_run_changes_nothing(tmp_path: Path) -> None:
    bring_in(tmp_path)
    editions = Edition.objects.count()
    said = bring_in(tmp_path)
    assert "Made: nothing.\nChanged: nothing." in said
    assert Edition.objects.count() == editions


def test_run_is_one_entry_of_the_audit_told_on_its_last_edition(tmp_path: Path) -> None:
    bring_in(tmp_path)
    models = [model("acme/one", context_length=8000)]
    bring_in(tmp_path, models=models)
    entries = AuditEntry.objects.all()
    assert [entry.page for entry in entries] == [
        f"catalogue.edition/{number}" for number in Edition.objects.values_list("number", flat=True)
    ]
    assert entries[0].changes["models changed"] == [None, 1]


def test_only_what_changed_is_published_again(tmp_path: Path) -> None:
    models = [model("acme/one"), model("acme/two", name="Two")]
    bring_in(tmp_path, models=models)
    models[1]["context_length"] = 8000
    said = bring_in(tmp_path, models=models)
    assert "Changed: 1 models." in said
    assert PublishedModel.objects.count() == 3


def test_price_that_changed_ends_and_another_begins(tmp_path: Path) -> None:
    bring_in(tmp_path)
    bring_in(tmp_path, pricing=[card(rule(price="2"))])
    old, new = Price.objects.order_by("pk")
    assert (old.amount, new.amount) == (Decimal(1), Decimal(2))
    assert old.valid_to == new.valid_from is not None


def test_price_that_left_ends_and_comes_back_as_another_row(tmp_path: Path) -> None:
    bring_in(tmp_path)
    bring_in(tmp_path, pricing=[])
    assert Price.objects.get().valid_to is not None
    bring_in(tmp_path)
    assert [price.valid_to is None for price in Price.objects.order_by("pk")] == [False, True]


def test_what_staff_decided_stays(tmp_path: Path) -> None:
    groq = make_provider("groq", base_url="https://own.example/v1", is_enabled=False)
    offering = make_offering(make_model("acme/one"), groq, upstream_name="one", is_enabled=False)
    make_price(offering, "input_text_tokens", "9")
    bring_in(tmp_path)
    groq.refresh_from_db()
    assert (groq.base_url, groq.is_enabled, groq.credential.kind) == ("https://own.example/v1", False, "none")
    assert not Offering.objects.get().is_enabled
    assert [price.amount for price in Price.objects.filter(valid_to=None)] == [Decimal(9)]


def test_what_is_looked_after_here_wins_and_only_what_it_leaves_open_is_filled_in(tmp_path: Path) -> None:
    curated = make_model("acme/one", name="Uno", input_types=["text", "image"], context_length=None)
    groq = make_provider("groq")
    here = make_offering(curated, groq, upstream_name="one", params=["tools"], context_length=None)
    theirs = [model(name="One", input_types=["text"], context_length=8000)]
    bring_in(tmp_path, models=theirs)
    curated.refresh_from_db()
    here.refresh_from_db()
    assert (curated.name, curated.input_types, curated.context_length) == ("Uno", ["text", "image"], 8000)
    assert here.params == ["tools"]


def test_model_of_an_import_is_looked_after_once_somebody_has_published_it(tmp_path: Path) -> None:
    bring_in(tmp_path)
    row = Model.objects.get()
    row.name = "Uno"
    row.save()
    publish([row], author=make_staff())
    bring_in(tmp_path, models=[model(name="Eins", context_length=8000)])
    row.refresh_from_db()
    assert (row.name, row.context_length) == ("Uno", 8000)


def test_dry_run_writes_nothing_and_says_what_would_differ(tmp_path: Path) -> None:
    bring_in(tmp_path)
    rows = [model(context_length=8000), model("acme/two", name="Two")]
    price = card(rule(price="2"))
    said = bring_in(tmp_path, "--dry-run", models=rows, pricing=[price])
    assert "acme/one: context_length: nothing → 8000" in said
    assert "price of input_text_tokens, standard: 1 USD for 1000000 → ends" in said
    assert "Made: 1 models" in said
    assert list(Model.objects.values_list("public_id", "context_length")) == [("acme/one", None)]
    assert Price.objects.filter(valid_to=None).get().amount == 1
    made = bring_in(tmp_path, models=rows, pricing=[price])
    counts = ("Made:", "Changed:")
    told = [[line for line in text.splitlines() if line.startswith(counts)] for text in (said, made)]
    assert told[0] == told[1]


def test_only_new_touches_nothing_that_is_here(tmp_path: Path) -> None:
    bring_in(tmp_path)
    rows = [model(name="Eins"), model("acme/two", name="Two")]
    offers = [
        offer(provider_model_slug="other"),
        offer(id="groq:acme/two", model_id="acme/two", api_model_id="acme/two"),
    ]
    said = bring_in(tmp_path, "--only-new", models=rows, provider_models=offers, pricing=[])
    assert "nothing of them is touched" in said
    assert set(Model.objects.values_list("public_id", "name")) == {("acme/one", "One"), ("acme/two", "Two")}
    assert set(Offering.objects.values_list("model__public_id", "upstream_name")) == {
        ("acme/one", "one"),
        ("acme/two", "one"),
    }
    assert Price.objects.get().valid_to is None


def test_plans_conditions_and_windows_are_kept(tmp_path: Path) -> None:
    window = {
        "label": "peak",
        "timezone": "UTC",
        "start_time": "01:00",
        "end_time": "04:00",
        "price_per_unit": 0.44,
    }
    match = {"path": "input_tokens", "op": "gt", "value": 200_000, "or_group": 1, "and_index": 1}
    rules = [
        rule(plan="batch", price="0.5"),
        rule(price="2", match=[match]),
        rule(price="0.22", time_windows=[window]),
    ]
    bring_in(tmp_path, pricing=[card(*rules)])
    told = {
        (price.plan, str(price.amount.normalize()), len(price.conditions)) for price in Price.objects.all()
    }
    assert told == {
        ("batch", "0.5", 0),
        ("standard", "2", 1),
        ("standard", "0.22", 0),
        ("standard", "0.44", 1),
    }
    assert Price.objects.get(amount="2").conditions == [match]


@pytest.mark.parametrize(
    ("said", "kept"), [(["US", "eu-north1"], ["eu-north1", "us"]), (["Europe/West"], []), (None, [])]
)
def test_regions_are_kept_in_one_spelling(tmp_path: Path, said: list[str] | None, kept: list[str]) -> None:
    bring_in(tmp_path, provider_models=[offer(**{"execution_regions": said} if said else {})])
    assert Offering.objects.get().regions == kept


@pytest.mark.parametrize(
    ("providers", "said", "kept"),
    [
        (["EU"], {}, ["eu"]),
        (["EU"], {"execution_regions": ["us"]}, ["us"]),
        (["eu", "us"], {}, []),
        ([], {}, []),
    ],
)
def test_offer_runs_in_the_only_region_of_its_provider_where_it_names_none(
    tmp_path: Path, providers: list[str], said: dict[str, Any], kept: list[str]
) -> None:
    where = provider(execution_regions=providers)
    bring_in(tmp_path, providers=[where], provider_models=[offer(**said)])
    assert Offering.objects.get().regions == kept


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({}, (None, None)),
        ({"zero_data_retention": "default", "data_policy_confidence": "confirmed"}, (True, None)),
        ({"zero_data_retention": "default"}, (None, None)),
        ({"zero_data_retention": "optional", "data_policy_confidence": "confirmed"}, (None, None)),
        ({"zero_data_retention": "unsupported"}, (False, None)),
        ({"prompt_training_policy": "no_train", "data_policy_confidence": "confirmed"}, (None, False)),
        ({"prompt_training_policy": "no_train", "data_policy_confidence": "maybe"}, (None, None)),
        ({"prompt_training_policy": "may_train", "data_policy_confidence": "maybe"}, (None, True)),
        ({"prompt_training_policy": "opt_out_available"}, (None, None)),
    ],
)
def test_good_news_of_what_a_provider_does_with_data_counts_where_it_is_confirmed(
    tmp_path: Path, said: dict[str, Any], kept: tuple[bool | None, bool | None]
) -> None:
    bring_in(tmp_path, providers=[provider(**said)])
    made = Provider.objects.get()
    assert (made.zero_retention, made.collects_data) == kept


def test_price_of_many_places_is_kept_exactly(tmp_path: Path) -> None:
    bring_in(tmp_path, pricing=[card(rule(price="0.000000000123", unit_size=1))])
    price = Price.objects.get()
    assert price.amount / price.unit_size == Decimal("0.000000000123")


def test_region_tells_prices_apart_only_where_there_are_several(tmp_path: Path) -> None:
    everywhere = [rule(region="global"), rule("output_text_tokens", region="global")]
    bring_in(tmp_path, pricing=[card(*everywhere)])
    assert {len(price.conditions) for price in Price.objects.all()} == {0}
    bring_in(tmp_path, pricing=[card(rule(region="eu", price="3"), rule(region="us"))])
    assert {len(price.conditions) for price in Price.objects.filter(valid_to=None)} == {1}


def test_second_capability_that_counts_the_same_holds_for_itself_alone(tmp_path: Path) -> None:
    images = card(rule(price="8"), capability_id="image.generate")
    bring_in(tmp_path, pricing=[images, card(rule(price="1"))])
    told = {str(price.amount.normalize()): price.conditions for price in Price.objects.all()}
    assert told == {"1": [], "8": [{"path": "endpoint", "op": "eq", "value": "images.generations"}]}


def test_rule_of_the_higher_priority_overrules(tmp_path: Path) -> None:
    said = bring_in(tmp_path, pricing=[card(rule(price="7", priority=200), rule(price="1"))])
    assert "1 price overruled by another" in said
    assert Price.objects.get().amount == 7


def test_of_an_offer_that_is_said_twice_the_row_that_is_on_counts(tmp_path: Path) -> None:
    old = offer(is_active_gateway=False, effective_to="2026-01-01")
    assert "1 offer said twice" in bring_in(tmp_path, provider_models=[old, offer(context_length=8000)])
    offering = Offering.objects.get()
    assert (offering.is_enabled, offering.effective_to, offering.context_length) == (True, None, 8000)


def test_price_that_changes_and_changes_back_is_never_missing(tmp_path: Path) -> None:
    for price in ("1", "2", "1"):
        bring_in(tmp_path, pricing=[card(rule(price=price))])
    assert [row.amount for row in Price.objects.filter(valid_to=None)] == [Decimal(1)]


def test_price_whose_end_has_passed_meanwhile_ends_here(tmp_path: Path) -> None:
    bring_in(tmp_path)
    bring_in(tmp_path, pricing=[card(rule(effective_to="2026-01-01"))])
    assert Price.objects.get().valid_to is not None


def test_import_that_broke_off_is_published_by_the_next(tmp_path: Path) -> None:
    bring_in(tmp_path)
    PublishedModel.objects.all().delete()
    bring_in(tmp_path)
    assert PublishedModel.objects.current().count() == 1


def test_offers_with_one_id_and_two_names_are_two_offerings(tmp_path: Path) -> None:
    said = bring_in(tmp_path, provider_models=[offer(), offer(provider_model_slug="one-eu")])
    assert "1 repeated offer id" in said
    assert Offering.objects.count() == 2
    assert Price.objects.count() == 2


def test_offer_without_a_model_is_of_the_one_that_it_names(tmp_path: Path) -> None:
    nameless = offer()
    del nameless["model_id"]
    assert "1 offer without model_id" in bring_in(tmp_path, provider_models=[nameless])
    assert Offering.objects.get().model.public_id == "acme/one"


def test_card_without_an_offer_row_goes_to_that_model_at_that_provider(tmp_path: Path) -> None:
    nameless = card()
    del nameless["provider_model_id"]
    assert "1 price card without an offer row" in bring_in(tmp_path, pricing=[nameless])
    assert Price.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "irregularity"),
    [
        ({"previous_model_id": "acme/zero"}, "1 previous model unknown"),
        ({"deprecation_date": "2026-02-01", "retirement_date": "2026-01-01"}, "1 dates out of order"),
        ({"announced_date": "2026-02-01", "release_date": "2026-01-01"}, "1 dates out of order"),
        ({"status": "Retired"}, "1 retired without a date"),
        ({"replacement_model_id": "acme/nobody"}, "1 replacement model unknown"),
    ],
)
def test_irregular_model_is_imported_and_told(
    tmp_path: Path, fields: dict[str, Any], irregularity: str
) -> None:
    assert irregularity in bring_in(tmp_path, models=[model(**fields)])
    assert PublishedModel.objects.current().count() == 1


def test_model_that_is_retired_without_a_date_is_not_called(tmp_path: Path) -> None:
    bring_in(tmp_path, models=[model(status="Retired")])
    assert not Offering.objects.get().is_enabled


def test_provider_without_an_address_is_off(tmp_path: Path) -> None:
    assert "1 provider without a usable address" in bring_in(
        tmp_path, providers=[provider(api_base_url=None)]
    )
    assert (Provider.objects.get().base_url, Provider.objects.get().is_enabled) == ("", False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://169.254.169.254/", "ftp://groq.example"])
def test_address_that_the_door_refuses_is_not_taken(tmp_path: Path, url: str) -> None:
    bring_in(tmp_path, providers=[provider(api_base_url=url)])
    assert Provider.objects.get().base_url == ""


def test_only_allowed_variables_open_a_provider(tmp_path: Path, settings: Any) -> None:
    settings.CREDENTIAL_VARIABLES = ["GROQ_API_KEY"]
    providers = [provider(auth_env="GROQ_API_KEY"), provider(id="evil", auth_env=["DATABASE_URL"])]
    bring_in(tmp_path, providers=providers)
    assert [row.variable for row in Credential.objects.all()] == ["GROQ_API_KEY"]


def test_whatever_is_not_kept_is_told(tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    folder = write_folder(tmp_path / "data", models=[model(family_id="ones")])
    said = StringIO()
    call_command("import_catalogue", folder, report=report, stdout=said, stderr=StringIO())
    assert "1 models.json family_id" in said.getvalue()
    told = next(
        row for row in map(json.loads, report.read_text().splitlines()) if row["field"] == "family_id"
    )
    assert (told["kind"], told["file"], told["row"]) == ("member not kept", "models.json", 2)


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"models": [model(), model("acme/two", context_length="long")]}, "models.json:3:context_length"),
        ({"models": [model(release_date="soon")]}, "models.json:2:release_date"),
        ({"models": [model(), model("acme/Two")]}, "models.json:3:slug"),
        ({"models": [model(), model()]}, "models.json:3:id"),
        ({"models": [model("beta/one", organisation_id="beta")]}, "models.json:2:id"),
        ({"models": [model(name="a\x00b")]}, "models.json:2:name"),
        ({"models": [model(name="a\r\nb")]}, "models.json:2:name"),
        ({"providers": [provider(name="a\r\nb")]}, "providers.json:2:name"),
        ({"organisations": [organisation(name="a\u2028b")]}, "organisations.json:2:name"),
        ({"provider_models": [offer(provider_model_slug="a\nb")]}, "provider_models.json:2:upstream_name"),
        ({"organisations": [organisation(colour="red")]}, "organisations.json:2:colour"),
        ({"provider_models": [offer(provider_id="nobody")]}, "provider_models.json:2:provider_id"),
        ({"provider_models": [offer(model_id="acme/none")]}, "provider_models.json:2:model_id"),
        (
            {"provider_models": [offer(capabilities=[{"id": "magic"}])]},
            "provider_models.json:2:capabilities.0.id",
        ),
        ({"pricing": [card(rule("wishes"))]}, "pricing.json:2:rules.0.meter"),
        ({"pricing": [card(rule(price="-1"))]}, "pricing.json:2:rules.0.price"),
        ({"pricing": [card(rule(price="cheap"))]}, "pricing.json:2:rules.0.price"),
        ({"pricing": [card(rule(currency="dollars"))]}, "pricing.json:2:currency"),
    ],
)
def test_bad_row_is_named_and_nothing_is_written(tmp_path: Path, files: dict[str, Any], place: str) -> None:
    assert place in refusal(tmp_path, **files)
    assert not Organisation.objects.exists()


def test_line_that_is_no_json_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "models.json").write_text('[\n{"id": "acme/one",\n]\n')
    with pytest.raises(CommandError, match=r"models\.json:2"):
        call_command("import_catalogue", folder, stdout=StringIO(), stderr=StringIO())


def test_file_that_is_missing_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path)
    (folder / "pricing.json").unlink()
    with pytest.raises(CommandError, match=r"pricing\.json"):
        call_command("import_catalogue", folder, stdout=StringIO(), stderr=StringIO())


def test_folder_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is not a folder"):
        call_command("import_catalogue", tmp_path / "nowhere")


def test_id_that_is_an_alias_here_is_refused(tmp_path: Path) -> None:
    make_model("beta/other", aliases=["acme/one"])
    with pytest.raises(CommandError, match=r"models\.json:2:id: 'acme/one' is an alias"):
        bring_in(tmp_path)


def test_alias_that_means_another_model_here_stays_and_is_told(tmp_path: Path) -> None:
    make_model("beta/other", aliases=["uno"])
    said = bring_in(tmp_path, aliases=[{"alias": "uno", "target_model_id": "acme/one", "enabled": True}])
    assert "1 alias taken" in said
    assert Alias.objects.get().model.public_id == "beta/other"
