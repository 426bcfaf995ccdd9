"""Every way of writing a cell, on CSV and XLSX alike: understood as what it says, or refused by name."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from django.utils import timezone
from openpyxl.worksheet.formula import ArrayFormula

from accounts import revision
from catalogue.models import Alias, Model, Offering, Organisation, Price
from catalogue.services import set_price
from catalogue.sheets.columns import ModelSheet, OfferingSheet, PriceSheet
from catalogue.sheets.workbook import write_workbook
from tests.catalogue.importing.sheets import bring_in_file, faults, read, to_csv
from tests.make import make_model, make_offering, make_organisation, make_price, make_provider, make_published

pytestmark = pytest.mark.django_db
Write = Callable[..., bytes]


def to_xlsx(*rows: dict[str, Any]) -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    page.append(list(rows[0]))
    for row in rows:
        page.append(list(row.values()))
    content = BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision, "GIVE_WAY_S", 0)


@pytest.fixture(params=[to_csv, to_xlsx])
def write(request: pytest.FixtureRequest) -> Write:
    return request.param  # type: ignore[no-any-return]


def change(write: Write, column: str, *values: Any, comma: bool = False) -> list[str]:
    """What is wrong with these cells of as many models; where nothing is, they were taken."""
    for number in range(len(values)):
        make_model(f"acme/m{number}")
    data = write(*({"id": f"acme/m{number}", column: value} for number, value in enumerate(values)))
    return faults(bring_in_file(ModelSheet, data, comma=comma)).splitlines()


def taken(column: str) -> list[Any]:
    return list(Model.objects.order_by("pk").values_list(column, flat=True))


@pytest.mark.parametrize("formula", ["=1+1", "=TRUE()", '=B2&"x"', ArrayFormula("B2:B2", "=SUM(C1:C9)")])
def test_formula_is_refused_in_every_column_that_it_may_stand_in(formula: Any) -> None:
    make_model("acme/one")
    data = to_xlsx({"id": "acme/one", "name": formula, "context_length": formula, "open_weights": formula})
    said = faults(bring_in_file(ModelSheet, data)).splitlines()
    text = getattr(formula, "text", formula)
    reason = f"{text!r} is a formula: put its value in its place."
    assert said == [f"row 2: {column}: {reason}" for column in ("name", "context_length", "open_weights")]


@pytest.mark.parametrize("text", ["#N/A", " #REF! ", "#DIV/0!"])
def test_error_of_a_spreadsheet_is_no_name(write: Write, text: str) -> None:
    assert change(write, "name", text) == [
        f"row 2: name: {text!r} is what a spreadsheet shows where a formula fails: put a value in its place."
    ]


@pytest.mark.parametrize("value", [time(14, 30), timedelta(hours=30), date(2026, 3, 1), 0.5, True])
def test_what_a_workbook_holds_is_text_only_where_it_is_one(value: Any) -> None:
    (said,) = change(to_xlsx, "name", value)
    assert said.startswith("row 2: name: ")
    assert said.endswith(" in the workbook: format the cell as text and type it again.")


@pytest.mark.parametrize("merged", ["B2:B3", "A1:B1", "C2:C3"])
def test_merged_cells_are_refused_by_their_places(merged: str) -> None:
    make_model("acme/one", open_weights=True)
    book = openpyxl.load_workbook(BytesIO(to_xlsx({"id": "acme/one", "open_weights": "no"})))
    book.active.append(["acme/two", None])
    book.active.merge_cells(merged)
    content = BytesIO()
    book.save(content)
    made = bring_in_file(ModelSheet, content.getvalue())
    assert f"cells are merged: {merged}. Unmerge them" in made.message
    assert Model.objects.get().open_weights is True


YES = ["true", "TRUE", "True", "true ", " yes", "yes", "Yes", "YES", "y", "x", "X", "1", "on", 1, True]
NO = ["false", "FALSE", "no", "No", " NO ", "n", "0", "off", 0, False]
NEITHER = ["maybe", "2", "ja", "-", "wahr", "yes please", "✓", 2, 0.5]


def test_every_spelling_of_yes_and_no_is_understood(write: Write) -> None:
    assert change(write, "is_moderated", *YES, *NO) == []
    assert taken("is_moderated") == [*(True for _ in YES), *(False for _ in NO)]


@pytest.mark.parametrize("column", ["is_moderated", "open_weights"])
def test_what_is_neither_yes_nor_no_is_refused_with_both(write: Write, column: str) -> None:
    said = change(write, column, *NEITHER)
    for number, typed in enumerate(NEITHER):
        assert said[number].startswith(
            f"row {number + 2}: {column}: {str(typed)!r} is neither yes (true, yes, y, x"
        )
        assert "nor no (false, no" in said[number]


def test_empty_is_unknown_where_that_may_be_and_refused_where_not(write: Write) -> None:
    assert change(write, "open_weights", "", " ") == []
    said = faults(bring_in_file(ModelSheet, write({"id": "acme/m0", "is_moderated": " "})))
    assert said == "row 2: is_moderated: It is empty: write yes or no.\n"


WHOLE = {"128000": 128_000, " 128000 ": 128_000, 128000: 128_000, "+5": 5}
NOT_WHOLE = [
    "128.000",
    "128,000",
    "200000.9",
    200000.9,
    "128K",
    "1e5",
    "1_000",
    "١٢٨",
    "-5",
    "0",
    "NaN",
    "2026-03-01",
]
WHOLE_WITH_COMMA = {"128.000": 128_000, "1.280.000": 1_280_000, "128000": 128_000, 128000: 128_000}
NOT_WHOLE_WITH_COMMA = ["128,000", "12.80", "200000,9", "1.28.000", "128 000"]


@pytest.mark.parametrize(
    ("good", "bad", "comma"), [(WHOLE, NOT_WHOLE, False), (WHOLE_WITH_COMMA, NOT_WHOLE_WITH_COMMA, True)]
)
def test_whole_number_is_its_digits_alone(
    write: Write, good: dict[Any, int], bad: list[Any], comma: bool
) -> None:
    assert change(write, "context_length", *good, comma=comma) == []
    assert taken("context_length") == list(good.values())
    data = write(
        *({"id": f"acme/n{number}", "name": "N", "context_length": each} for number, each in enumerate(bad))
    )
    said = faults(bring_in_file(ModelSheet, data, comma=comma)).splitlines()
    for number, typed in enumerate(bad):
        assert said[number].startswith(f"row {number + 2}: context_length: {str(typed)!r}"), said[number]


AMOUNTS = {"0.23": "0.23", 0.25: "0.25", "1E-7": "0.0000001", "3": "3", 4: "4", "0": "0"}
NO_AMOUNTS = ["0,23", "1,234.5", "$0.23", "0.23 USD", "a lot", "Infinity", "-1", "0.12345678901", ".5", ""]
AMOUNTS_WITH_COMMA = {"0,23": "0.23", "1.234,5": "1234.5", "3": "3"}
NO_AMOUNTS_WITH_COMMA = ["0.23", "1,234.5", "1.2345,6", "0,23 €"]


@pytest.mark.parametrize(
    ("good", "bad", "comma"),
    [(AMOUNTS, NO_AMOUNTS, False), (AMOUNTS_WITH_COMMA, NO_AMOUNTS_WITH_COMMA, True)],
)
def test_amount_is_exact_or_refused_in_words(
    write: Write, good: dict[Any, str], bad: list[Any], comma: bool
) -> None:
    offering = make_offering()
    data = write(*(price_of(offering, each, plan=f"p{number}") for number, each in enumerate(good)))
    assert faults(bring_in_file(PriceSheet, data, comma=comma)) == ""
    amounts = Price.objects.order_by("pk").values_list("amount", flat=True)
    assert list(amounts) == [Decimal(text) for text in good.values()]
    data = write(*(price_of(offering, each, plan=f"q{number}") for number, each in enumerate(bad)))
    said = faults(bring_in_file(PriceSheet, data, comma=comma)).splitlines()
    for number, typed in enumerate(bad):
        value = repr(typed) if typed else "This field"
        assert said[number].startswith(f"row {number + 2}: amount: {value}"), said[number]
        assert "Conversion" not in said[number]


@pytest.mark.parametrize(
    ("column", "typed", "allowed"),
    [
        ("reasoning_tier", "extreme", "low, medium, high"),
        ("release_at", "1.3.2026", "YYYY-MM-DD"),
        ("knowledge_cutoff", "2026-03", "2026-03-01"),
        ("successor", "acme/nobody", "There is no model 'acme/nobody'"),
        ("input_types", "text images", "Did you mean image?"),
    ],
)
def test_value_that_is_not_allowed_is_refused_with_what_is(
    write: Write, column: str, typed: str, allowed: str
) -> None:
    (said,) = (line for line in change(write, column, typed) if line)
    assert said.startswith(f"row 2: {column}: ")
    assert allowed in said


def test_word_that_nobody_knows_is_kept_where_it_is_meant(write: Write) -> None:
    make_model("acme/one")
    make_provider("groq")
    row = {"model": "acme/one", "provider": "groq", "upstream_name": "one"}
    said = faults(bring_in_file(OfferingSheet, write({**row, "endpoints": "chat.completion"})))
    assert "Did you mean chat.completions" in said
    assert faults(bring_in_file(OfferingSheet, write({**row, "endpoints": "!chat.completion"}))) == ""
    assert Offering.objects.get().endpoints == ["chat.completion"]


@pytest.mark.parametrize(
    ("typed", "kept", "refused"),
    [
        ("eu us-east-1", ["eu", "us-east-1"], ""),
        ("eu, us", ["eu", "us"], ""),
        ("", [], ""),
        ("EU", [], "row 2: regions: 'EU': Lower-case letters, digits and dashes, such as global, eu"),
    ],
)
def test_regions_are_any_words_as_clouds_spell_them(
    write: Write, typed: str, kept: list[str], refused: str
) -> None:
    make_model("acme/one")
    make_provider("groq")
    row = {"model": "acme/one", "provider": "groq", "upstream_name": "one", "endpoints": "chat.completions"}
    assert faults(bring_in_file(OfferingSheet, write({**row, "regions": typed}))).startswith(refused)
    assert [offering.regions for offering in Offering.objects.all()] == ([] if refused else [kept])


def test_all_faults_of_all_rows_are_told_at_once(write: Write) -> None:
    make_model("acme/one")
    bad = {"context_length": "128.000", "is_moderated": "maybe", "release_at": "soon"}
    said = faults(
        bring_in_file(
            ModelSheet, write({"id": "acme/one", "name": "A", **bad}, {"id": "acme/two", "name": "B", **bad})
        )
    )
    told = [line.split(": ")[:2] for line in said.splitlines() if line]
    assert sorted(told) == sorted([f"row {row}", column] for row in (2, 3) for column in bad)


def test_days_of_a_workbook_are_days() -> None:
    make_model("acme/one")
    row = {"id": "acme/one", "release_at": datetime(2026, 3, 1), "knowledge_cutoff": date(2025, 1, 2)}  # noqa: DTZ001
    assert faults(bring_in_file(ModelSheet, to_xlsx(row))) == ""
    model = Model.objects.get()
    assert (model.release_at, model.knowledge_cutoff) == (datetime(2026, 3, 1, tzinfo=UTC), date(2025, 1, 2))


def test_name_that_a_workbook_holds_as_a_number_is_refused() -> None:
    make_model("acme/one")
    assert "format the cell as text" in faults(
        bring_in_file(ModelSheet, to_xlsx({"id": "acme/one", "name": 4.1}))
    )


@pytest.mark.parametrize(
    "data",
    [
        b"id;name\nacme/one;Uno\n",
        b"id\tname\nacme/one\tUno\n",
        b"sep=;\nid;name\nacme/one;Uno\n",
        b" id , name \nacme/one,Uno\n",
        b"\xef\xbb\xbfid,name\r\nacme/one,Uno\r\n,\r\n",
        '"id";"name"\r\n"acme/one";"Uno"\r\n'.encode("utf-16"),
        to_xlsx({" id ": "acme/one", "name": "Uno"}),
    ],
)
def test_file_is_read_by_what_it_holds(data: bytes) -> None:
    make_model("acme/one")
    assert faults(bring_in_file(ModelSheet, data)) == ""
    assert Model.objects.get().name == "Uno"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"id,name\n", "no rows below"),
        (b"\xd0\xcf\x11\xe0rest", "old Excel workbook"),
        (b"PK but no more", "not a readable XLSX workbook"),
        ("id,name\nacme/one,Ünö\n".encode("latin-1"), "not in UTF-8"),
        (b"id|name\nacme/one|Uno\n", "'id' is missing"),
        (b"id,nome,price\nacme/one,Uno,1\n", "'nome' does not exist. The column 'price' does not exist"),
    ],
)
def test_file_that_cannot_be_read_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    assert reason in bring_in_file(ModelSheet, data).message


def price_of(offering: Offering, amount: Any, **cells: Any) -> dict[str, Any]:
    names = {"model": offering.model.public_id, "provider": offering.provider.slug}
    return {
        **names,
        "upstream_name": offering.upstream_name,
        "meter": "input_text_tokens",
        "amount": amount,
        **cells,
    }


def running(offering: Offering) -> list[tuple[int, bool]]:
    rows = Price.objects.filter(offering=offering).order_by("pk")
    return [(int(price.amount), price.valid_to is None) for price in rows]


def test_price_without_a_beginning_begins_now_and_ends_the_running_one(write: Write) -> None:
    offering = make_offering()
    set_price(
        offering, meter="input_text_tokens", usd_per_million=Decimal(1), at=timezone.now() - timedelta(days=9)
    )
    for amount in ("2", "1"):
        assert faults(bring_in_file(PriceSheet, write(price_of(offering, amount)))) == ""
    assert running(offering) == [(1, False), (2, False), (1, True)]
    latest = Price.objects.latest("pk")
    assert latest.valid_from is not None
    assert Price.objects.filter(valid_to=latest.valid_from).count() == 1
    assert bring_in_file(PriceSheet, write(price_of(offering, "1.0"))).counts["same"] == 1


def test_price_that_began_earlier_than_the_running_one_is_refused_for_it_would_never_count(
    write: Write,
) -> None:
    offering = make_offering()
    make_price(offering, amount="1", valid_from=timezone.now() - timedelta(days=9))
    said = faults(bring_in_file(PriceSheet, write(price_of(offering, "2", valid_from="2020-01-01"))))
    assert "would never apply" in said
    past = price_of(offering, "2", valid_from="2020-01-01", valid_to="2021-01-01")
    shown = read(PriceSheet, write(past)).shown[0]["changes"]
    assert {"column": "valid_from", "before": "", "after": "2020-01-01"} in shown
    assert faults(bring_in_file(PriceSheet, write(past))) == ""
    assert running(offering) == [(1, True), (2, False)]


def test_two_prices_that_begin_now_for_the_same_are_refused(write: Write) -> None:
    offering = make_offering()
    said = faults(bring_in_file(PriceSheet, write(price_of(offering, "2"), price_of(offering, "3"))))
    assert "begins now too" in said


def test_whole_catalogue_goes_out_as_a_workbook_and_comes_back_as_it_is() -> None:
    model = make_published("acme/one", aliases=["uno"])
    make_price(model.offerings.get(), amount="9", valid_from=timezone.now())
    make_offering(model, endpoints=["odd.word"])
    made = bring_in_file(ModelSheet, write_workbook(is_filled=True))
    assert (made.state, made.sheet, faults(made)) == ("done", "workbook", "")
    assert made.counts["same"] == made.row_count > 5


def test_workbook_makes_everything_that_its_later_sheets_name() -> None:
    make_provider("groq")
    book = openpyxl.load_workbook(BytesIO(write_workbook(is_filled=False)))
    place = {"model": "new/one", "provider": "groq", "upstream_name": "up"}
    sheets: dict[str, dict[str, Any]] = {
        "organisations": {"id": "new", "name": "New"},
        "models": {"id": "new/one", "name": "One", "input_types": "text", "is_moderated": "no"},
        "aliases": {"name": "uno", "model": "new/one"},
        "offerings": {**place, "endpoints": "chat.completions", "streams": "yes"},
        "prices": {**place, "meter": "input_text_tokens", "amount": 0.5},
    }
    for name, row in sheets.items():
        page = book[name]
        page.append([row.get(cell.value) for cell in page[1]])
    content = BytesIO()
    book.save(content)
    made = bring_in_file(PriceSheet, content.getvalue())
    assert (made.state, faults(made)) == ("done", "")
    assert Organisation.objects.get().name == "New"
    assert Alias.objects.get().model.public_id == "new/one"
    assert Price.objects.get().amount == Decimal("0.5")


def test_fault_in_a_workbook_names_its_sheet() -> None:
    make_organisation("acme")
    book = openpyxl.Workbook()
    book.active.title = "Models"
    book.active.append(["id", "name"])
    book.active.append(["acme/one", "One"])
    page = book.create_sheet("Aliases")
    page.append(["name", "model"])
    page.append(["uno", "acme/two"])
    content = BytesIO()
    book.save(content)
    made = bring_in_file(ModelSheet, content.getvalue())
    assert made.state == "refused"
    assert made.shown[0]["name"] == "aliases: uno"
    assert not Model.objects.exists()
