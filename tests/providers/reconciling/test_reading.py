"""Invoices as sheets: read by what a person declared, each bad cell named."""

from datetime import date
from decimal import Decimal

import pytest

from providers.reconciling import reading
from providers.reconciling.reading import Columns, Line, SheetUnreadable, read_sheet

COLUMNS = Columns("Day", "Model", "Cost")
DAY = date(2026, 11, 2)
AMOUNTS = "the mapping says that amounts are as 1234.56, without a currency, 10 decimals at most"


def read(text: str, **changes: str) -> list[Line]:
    return read_sheet(text.encode(), Columns(**{"date": "Day", "model": "Model", "amount": "Cost"} | changes))


def faults(text: str, **changes: str) -> list[str]:
    with pytest.raises(SheetUnreadable) as raised:
        read(text, **changes)
    return list(map(str, raised.value.faults))


def one(day: str = "2026-11-02", cost: str = "1.5", **changes: str) -> Line:
    (line,) = read(f"Day;Model;Cost\n{day};m;{cost}\n", delimiter="semicolon", **changes)
    return line


def test_sheet_is_read_by_its_columns_wherever_they_stand() -> None:
    text = '\ufeffCost,In,Out,Day,Model,Note\r\n0.25,7,3,2026-11-02,m,x\r\n\r\n-1,0,0,2026-11-03,"n, two"\r\n'
    assert read(text, input_tokens="In", output_tokens="Out") == [
        Line(DAY, "m", Decimal("0.25"), 7, 3),
        Line(date(2026, 11, 3), "n, two", Decimal(-1), 0, 0),
    ]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("iso", "2026-11-02"),
        ("iso_time", "2026-11-02T23:59:59Z"),
        ("iso_time", "2026-11-02 00:00:00+00:00"),
        ("month_first", "11/02/2026"),
        ("day_first", "02/11/2026"),
        ("dotted", "02.11.2026"),
    ],
)
def test_days_are_read_as_they_are_declared(form: str, text: str) -> None:
    assert one(day=text, date_form=form).day == DAY


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("iso", "11/02/2026"),
        ("iso", "2026-11-31"),
        ("iso", ""),
        ("iso_time", "2026-11-02T00:00:00"),
        ("iso_time", "2026-11-02T00:00:00+02:00"),
        ("month_first", "13/02/2026"),
        ("day_first", "2026-11-02"),
    ],
)
def test_other_days_are_refused_by_what_is_declared(form: str, text: str) -> None:
    (told,) = faults(f"Day,Model,Cost\n{text},m,1\n", date_form=form)
    assert told.startswith(f"Row 2, Day: “{text}” cannot be read; the mapping says that days are as ")


@pytest.mark.parametrize(
    ("form", "text", "usd"),
    [
        ("point", "1234.5", "1234.5"),
        ("point", "-0.0000000001", "-0.0000000001"),
        ("point_grouped", "1,234.56", "1234.56"),
        ("point_grouped", "12", "12"),
        ("comma", "1234,56", "1234.56"),
        ("comma_grouped", "1.234.567,89", "1234567.89"),
    ],
)
def test_amounts_are_read_as_they_are_declared(form: str, text: str, usd: str) -> None:
    assert one(cost=text, decimal_form=form).usd == Decimal(usd)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("point", "1,5"),
        ("point", "$1.5"),
        ("point", "1e3"),
        ("point", "NaN"),
        ("point", "٣"),
        ("point", "+1"),
        ("point", ".5"),
        ("point", "1."),
        ("point", "0.00000000001"),
        ("point", "1000000000.01"),
        ("point", "=1+1"),
        ("point_grouped", "1234.56"),
        ("point_grouped", "1,23.4"),
        ("comma", "1.5"),
        ("comma_grouped", "1,234.56"),
    ],
)
def test_other_amounts_are_refused_by_what_is_declared(form: str, text: str) -> None:
    (told,) = faults(f"Day;Model;Cost\n2026-11-02;m;{text}\n", delimiter="semicolon", decimal_form=form)
    assert told.startswith(f"Row 2, Cost: “{text}” cannot be read; the mapping says that amounts are as ")


def test_cents_are_cents() -> None:
    assert one(cost="123.45", unit="cent").usd == Decimal("1.2345")


def test_each_bad_cell_is_named_with_row_column_value_and_what_is_allowed() -> None:
    text = "Day,Model,Cost,In\n2026-11-02,m,1,5\nx,,one,-1\n2026-11-02,m,1,1.0\n"
    assert faults(text, input_tokens="In") == [
        "Row 3, Day: “x” cannot be read; the mapping says that days are as 2026-11-02.",
        "Row 3, Model: “” cannot be read; use the model's name, 200 characters at most.",
        f"Row 3, Cost: “one” cannot be read; {AMOUNTS}.",
        "Row 3, In: “-1” cannot be read; use a whole number, such as 1234, 0 or more.",
        "Row 4, In: “1.0” cannot be read; use a whole number, such as 1234, 0 or more.",
    ]


def test_cells_that_are_missing_are_empty() -> None:
    assert len(faults("Day,Model,Cost\n2026-11-02\n")) == 2


def test_only_the_first_of_many_faults_are_told() -> None:
    assert len(faults("Day,Model,Cost\n" + "x,,y\n" * 100)) == reading.MOST_FAULTS


def test_long_value_is_shown_cut() -> None:
    (told,) = faults(f"Day,Model,Cost\n2026-11-02,m,{'9' * 1000}\n")
    assert f"“{'9' * 60}…”" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Date,Model,Cost\n", "The column “Day” is not there; the sheet's columns are: Date, Model, Cost."),
        ("Day,Model,Cost,Cost\n", "The column “Cost” is there more than once"),
        ("", "the sheet's columns are: none."),
        ("Day,Model,Cost\n\n", "The sheet has no rows below its head."),
        ('Day,Model,Cost\n"2026', "The sheet is no CSV by line 2"),
        (
            "Day,Model,Cost\n2026-11-02,m,1\n2026-08-02,m,1\n",
            "from 2026-08-02 to 2026-11-02; import 92 days",
        ),
    ],
)
def test_sheet_that_is_none_says_why(text: str, told: str) -> None:
    said = "\n".join(faults(text))
    assert told in said
    assert said.startswith("The ")


def test_sheet_of_as_many_days_as_may_be_is_read() -> None:
    assert len(read("Day,Model,Cost\n2026-11-02,m,1\n2026-08-03,m,1\n")) == 2


def test_sheet_in_another_encoding_is_told() -> None:
    with pytest.raises(SheetUnreadable, match="UTF-8"):
        read_sheet("Day,Model,Cost\n2026-11-02,modèle,1\n".encode("latin-1"), COLUMNS)


def test_sheet_that_is_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 2)
    rows = "2026-11-02,m,1\n"
    assert len(read("Day,Model,Cost\n" + rows * 2)) == 2
    assert "more than 2 rows" in faults("Day,Model,Cost\n" + rows * 3)[0]


def test_columns_that_there_are_are_told_up_to_a_length() -> None:
    (told, *_) = faults(f"{'x' * 400},Model,Cost\n")
    assert told.endswith(f": {'x' * 300}.")


def test_names_amounts_and_shown_values_have_bounds() -> None:
    text = "Day,Model,Cost\n2026-11-02,{},{}\n"
    assert read(text.format("m" * 200, "-1000000000"))[0][1:3] == ("m" * 200, Decimal(-1_000_000_000))
    assert "200 characters at most" in faults(text.format("m" * 201, "1"))[0]
    assert f"“{'x' * 60}”" in faults(text.format("m", "x" * 60))[0]
    assert f"“{'x' * 60}…”" in faults(text.format("m", "x" * 61))[0]


@pytest.mark.parametrize("name", ["a\x00b", "a\u2028b"])
def test_name_that_is_no_line_is_refused(name: str) -> None:
    assert "use the model's name" in faults(f"Day,Model,Cost\n2026-11-02,{name},1\n")[0]
