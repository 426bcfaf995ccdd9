"""Sheets out of the catalogue and into it, by the resource and by the pages of the admin."""

from decimal import Decimal
from io import BytesIO
from typing import Any

import openpyxl
import pytest
import tablib
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from catalogue.models import Edition, Model, Offering, Price, PublishedModel
from catalogue.sheets import InertXLSX, ModelSheet, OfferingSheet, PriceSheet, Sheet
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


def bring_in(sheet: type[Sheet], *rows: dict[str, Any]) -> Any:
    dataset = tablib.Dataset(headers=list(rows[0]))
    for row in rows:
        dataset.append(list(row.values()))
    return sheet().import_data(dataset, rollback_on_validation_errors=True)


def faults(result: Any) -> str:
    rows = [f"row {number}: {error.error}" for number, errors in result.row_errors() for error in errors]
    invalid = [f"row {row.number}: {row.error_dict}" for row in result.invalid_rows]
    return "\n".join([*rows, *invalid, *(str(error.error) for error in result.base_errors)])


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
        result = sheet().import_data(sheet().export(), raise_errors=True)
        assert result.totals["skip"] == result.total_rows
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
        ("release_at", "soon", "no instant"),
        ("context_length", "0", "context_length"),
        ("successor", "acme/nobody", "There is no model"),
        ("reasoning_tier", "extreme", "reasoning_tier"),
        ("name", "a\x00b", "NUL"),
    ],
)
def test_bad_value_is_named_by_row_and_field(column: str, value: str, complaint: str) -> None:
    make_model("acme/one")
    result = bring_in(ModelSheet, {"id": "acme/one", column: value})
    assert faults(result).startswith("row 1")
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
    assert ModelSheet().import_data(dataset, raise_errors=True).totals["skip"] == 1


def test_formula_of_a_workbook_is_read_as_text() -> None:
    book = openpyxl.Workbook()
    for row in (["id", "name"], ["acme/one", "=1+1"], [None, None]):
        book.active.append(row)
    content = BytesIO()
    book.save(content)
    assert InertXLSX().create_dataset(content.getvalue()).dict == [{"id": "acme/one", "name": "=1+1"}]


@pytest.fixture
def desk() -> Client:
    client = Client()
    client.force_login(make_staff())
    return client


def upload(desk: Client, content: bytes, name: str = "models.csv") -> Any:
    file = SimpleUploadedFile(name, content)
    page = reverse("admin:catalogue_model_import")
    return desk.post(page, {"import_file": file, "format": "0", "resource": "0"})


def test_curator_sees_the_difference_before_it_is_made(desk: Client) -> None:
    make_published("acme/one")
    page = upload(desk, "\ufeffid,name\nacme/one,Uno\n".encode())
    assert b"Uno" in page.content
    assert Model.objects.get().name == "One"
    confirmed = desk.post(
        reverse("admin:catalogue_model_process_import"), page.context["confirm_form"].initial, follow=True
    )
    assert confirmed.status_code == 200
    assert PublishedModel.objects.current().get().name == "Uno"
    assert Edition.objects.first().author.username == "curator"  # type: ignore[union-attr]


def test_curator_is_told_the_row_and_the_field(desk: Client) -> None:
    make_organisation("acme")
    page = upload(desk, b"id,name,context_length\nacme/one,One,-5\n")
    assert "confirm_form" not in page.context
    assert "context_length" in page.content.decode()
    assert not Model.objects.exists()


@pytest.mark.parametrize("number", [0, 1])
def test_models_are_carried_away_as_csv_and_xlsx(desk: Client, number: int) -> None:
    make_published("acme/one")
    fields = {f"modelsheet_{field}": "on" for field in ModelSheet().fields}
    answer = desk.post(
        reverse("admin:catalogue_model_export"), {"format": str(number), "resource": "0", **fields}
    )
    data = answer.content.decode() if number == 0 else answer.content
    told = tablib.Dataset().load(data, "csv" if number == 0 else "xlsx").dict
    assert [row["id"] for row in told] == ["acme/one"]


def test_who_may_only_look_cannot_bring_anything_in() -> None:
    client = Client()
    client.force_login(make_user("reader", is_staff=True))
    assert client.get(reverse("admin:catalogue_model_import")).status_code == 403
