"""Sheets out of the catalogue and into it, by the services and by the pages of the admin."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import openpyxl
import pytest
import tablib
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts import revision
from catalogue.models import Edition, Model, Offering, Price, PublishedModel, SheetImport
from catalogue.sheets import work
from catalogue.sheets.columns import ModelSheet, OfferingSheet, PriceSheet
from tests.catalogue.importing.sheets import bring_in, bring_in_file, faults, go_on, models, read, submit
from tests.make import (
    make_model,
    make_offering,
    make_organisation,
    make_price,
    make_provider,
    make_published,
    make_staff,
    make_user,
    publish_all,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision, "GIVE_WAY_S", 0)


def test_sheet_that_is_brought_back_changes_nothing() -> None:
    model = make_published(aliases=["uno"], release_at=None, context_length=8000)
    make_price(
        model.offerings.get(),
        amount="0.0000001",
        conditions=[{"path": "input_tokens", "op": "gt", "value": 9}],
    )
    publish_all()
    editions, prices = Edition.objects.count(), Price.objects.count()
    for sheet in (ModelSheet, OfferingSheet, PriceSheet):
        made = bring_in_file(sheet, sheet().export().csv.encode())
        assert (made.state, made.counts["same"]) == ("done", made.row_count)
    assert (Edition.objects.count(), Price.objects.count()) == (editions, prices)


def test_models_are_changed_and_made_in_one_edition() -> None:
    make_published("acme/one")
    before = Edition.objects.count()
    result = bring_in(
        ModelSheet,
        {"id": "acme/one", "name": "Uno", "retirement_at": "2099-01-01", "input_types": "text image"},
        {"id": "acme/two", "name": "Duo", "retirement_at": "", "input_types": "text"},
    )
    assert faults(result) == ""
    assert Edition.objects.count() == before + 1
    assert set(PublishedModel.objects.current().values_list("public_id", "name")) == {
        ("acme/one", "Uno"),
        ("acme/two", "Duo"),
    }


def test_name_of_more_than_one_line_is_refused() -> None:
    make_published("acme/one")
    assert "One line" in faults(bring_in(ModelSheet, {"id": "acme/one", "name": "Uno\r\nBcc: all"}))
    assert Model.objects.get().name == "One"


def test_one_bad_row_leaves_everything_as_it_was() -> None:
    make_published("acme/one")
    result = bring_in(ModelSheet, {"id": "acme/one", "name": "Uno"}, {"id": "nobody/two", "name": "Duo"})
    assert "organisation" in faults(result)
    assert Model.objects.get().name == "One"


@pytest.mark.parametrize(
    ("column", "value", "complaint"),
    [
        ("release_at", "soon", "not an instant"),
        ("context_length", "0", "context_length"),
        ("successor", "acme/nobody", "There is no model"),
        ("reasoning_tier", "extreme", "reasoning_tier"),
        ("name", "a\x00b", "NUL"),
    ],
)
def test_bad_value_is_named_by_row_and_field(column: str, value: str, complaint: str) -> None:
    make_model("acme/one")
    result = bring_in(ModelSheet, {"id": "acme/one", column: value})
    assert faults(result).startswith("row 2")
    assert complaint in faults(result)


def test_column_that_does_not_exist_is_refused_with_those_that_do() -> None:
    make_model("acme/one")
    result = bring_in(ModelSheet, {"id": "acme/one", "price": "1"})
    assert "'price' does not exist" in faults(result)
    assert "context_length" in faults(result)


def test_sheet_without_what_names_its_rows_is_refused() -> None:
    result = bring_in(OfferingSheet, {"model": "acme/one", "provider": "groq"})
    assert "upstream_name" in faults(result)


def test_offering_is_made_where_its_model_and_provider_are() -> None:
    make_model("acme/one")
    make_provider("groq")
    row = {"model": "acme/one", "provider": "groq", "upstream_name": "one", "endpoints": "chat.completions"}
    assert faults(bring_in(OfferingSheet, row)) == ""
    assert Offering.objects.get().endpoints == ["chat.completions"]


def test_import_leaves_switches_alone() -> None:
    offering = make_offering(is_enabled=False)
    names = {"model": offering.model.public_id, "provider": offering.provider.slug}
    bring_in(OfferingSheet, {**names, "upstream_name": offering.upstream_name, "position": "3"})
    offering.refresh_from_db()
    assert (offering.position, offering.is_enabled) == (3, False)


def price_row(offering: Offering, **fields: Any) -> dict[str, Any]:
    names = {"model": offering.model.public_id, "provider": offering.provider.slug}
    given = {"upstream_name": offering.upstream_name, "meter": "input_text_tokens", "amount": "2"}
    return {**names, **given, **fields}


def test_price_is_added_and_none_is_changed() -> None:
    offering = make_offering()
    make_price(offering, amount="1", valid_to=None)
    assert faults(bring_in(PriceSheet, price_row(offering, valid_from="2026-01-01"))) == ""
    assert sorted(Price.objects.values_list("amount", flat=True)) == [Decimal(1), Decimal(2)]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [({"meter": "wishes"}, "meter"), ({"amount": "-1"}, "amount"), ({"model": "acme/nobody"}, "no offering")],
)
def test_bad_price_is_refused(fields: dict[str, Any], complaint: str) -> None:
    result = bring_in(PriceSheet, price_row(make_offering(), **fields))
    assert complaint in faults(result)
    assert not Price.objects.exists()


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1+2", "@SUM(A1)"])
def test_text_that_a_program_would_compute_is_quoted_and_comes_back_as_it_was(text: str) -> None:
    make_model("acme/one", name=text)
    dataset = ModelSheet().export()
    assert dataset["name"] == [f"'{text}"]
    assert bring_in_file(ModelSheet, dataset.csv.encode()).counts["same"] == 1


def test_empty_rows_of_a_workbook_are_passed_over() -> None:
    make_model("acme/one")
    book = openpyxl.Workbook()
    for row in (["id", "name"], ["acme/one", "Uno"], [None, None]):
        book.active.append(row)
    content = BytesIO()
    book.save(content)
    assert bring_in_file(ModelSheet, content.getvalue()).state == "done"
    assert Model.objects.get().name == "Uno"


@pytest.fixture
def curator() -> Client:
    client = Client()
    client.force_login(make_staff())
    return client


def upload(curator: Client, content: bytes, name: str = "models.csv") -> SheetImport:
    """As far as a worker reads it."""
    file = SimpleUploadedFile(name, content)
    page = reverse("admin:catalogue_model_import")
    curator.post(page, {"import_file": file, "numbers": "point", "resource": "0"})
    made = SheetImport.objects.get()
    work.go_on(made.pk)
    return made


def page_of(made: SheetImport) -> str:
    return reverse("admin:catalogue_model_sheet", args=[made.pk])


def test_curator_sees_the_difference_before_it_is_made(curator: Client) -> None:
    make_published("acme/one")
    made = upload(curator, "\ufeffid,name\nacme/one,Uno\n".encode())
    assert "Uno" in curator.get(page_of(made)).content.decode()
    assert Model.objects.get().name == "One"
    curator.post(page_of(made), {"confirm": ""})
    work.go_on(made.pk)
    assert "being written" not in curator.get(page_of(made)).content.decode()
    assert PublishedModel.objects.current().get().name == "Uno"
    assert Edition.objects.first().author.username == "curator"  # type: ignore[union-attr]


def test_curator_is_told_the_row_and_the_field(curator: Client) -> None:
    make_organisation("acme")
    made = upload(curator, b"id,name,context_length\nacme/one,One,-5\n")
    page = curator.get(page_of(made)).content.decode()
    assert 'name="confirm"' not in page
    assert "context_length" in page
    assert not Model.objects.exists()


@pytest.mark.parametrize("number", [0, 1])
def test_models_are_carried_away_as_csv_and_xlsx(curator: Client, number: int) -> None:
    make_published("acme/one")
    fields = {f"modelsheet_{field}": "on" for field in ModelSheet().fields}
    answer = curator.post(
        reverse("admin:catalogue_model_export"), {"format": str(number), "resource": "0", **fields}
    )
    data = answer.content.decode() if number == 0 else answer.content
    told = tablib.Dataset().load(data, "csv" if number == 0 else "xlsx").dict
    assert [row["id"] for row in told] == ["acme/one"]


def test_who_may_only_look_cannot_bring_anything_in() -> None:
    client = Client()
    client.force_login(make_user("reader", is_staff=True))
    make_organisation("acme")
    made = read(ModelSheet, models(1))
    rows = reverse("admin:catalogue_model_sheet_rows", args=[made.pk])
    for page in (reverse("admin:catalogue_model_import"), page_of(made), rows):
        assert client.get(page).status_code == 403
    assert client.post(page_of(made), {"confirm": ""}).status_code == 403
    made.refresh_from_db()
    assert made.state == "ready"


def test_import_is_found_on_the_pages_of_its_rows_only(curator: Client) -> None:
    made = read(ModelSheet, models(1))
    assert made.file_name in curator.get(reverse("admin:catalogue_model_import")).text
    assert curator.get(reverse("admin:catalogue_offering_sheet", args=[made.pk])).status_code == 404


def test_all_rows_are_downloaded_though_the_page_shows_the_first(curator: Client) -> None:
    made = read(ModelSheet, models(200, context_length=-1))
    rows = curator.get(reverse("admin:catalogue_model_sheet_rows", args=[made.pk])).text
    page = curator.get(page_of(made)).text
    assert rows.count("acme/m-") == 200
    assert "150 more are in the CSV" in page
    assert page.count("acme/m-") == 50


def test_template_is_a_workbook_with_a_sheet_for_each_kind_of_row(curator: Client) -> None:
    page = reverse("admin:catalogue_model_sheet_template")
    assert page in curator.get(reverse("admin:catalogue_model_import")).text
    book = openpyxl.load_workbook(BytesIO(curator.get(page).content))
    assert book.sheetnames[:6] == ["organisations", "models", "aliases", "offerings", "prices", "routes"]
    assert [cell.value for cell in book["aliases"][1]] == ["name", "model", "policy"]


def test_page_asks_again_while_a_worker_has_the_import_in_hand(curator: Client) -> None:
    made = submit(ModelSheet, models(1))
    assert 'http-equiv="refresh"' in curator.get(page_of(made)).text
    go_on(made)
    assert 'http-equiv="refresh"' not in curator.get(page_of(made)).text


def test_file_that_is_too_large_is_refused_at_the_form(
    curator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalogue.admin.sheets.MOST_BYTES", 10)
    file = SimpleUploadedFile("models.csv", b"id,name\nacme/one,One\n")
    page = curator.post(
        reverse("admin:catalogue_model_import"), {"import_file": file, "numbers": "point", "resource": "0"}
    )
    assert "It is larger than" in page.text
    assert not SheetImport.objects.exists()
