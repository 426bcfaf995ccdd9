"""A provider's invoice as CSV, read by a mapping that a person declared. Nothing is guessed. Pure."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

from gateway.core.lines import is_one_line

MOST_FAULTS = 50
MOST_ROWS = 100_000
MOST_DAYS = 92
_LONGEST_MODEL = 200
_MOST_USD = Decimal(10) ** 9
_PLACES = 10
_SHOWN = 60

DATE_FORMS: Mapping[str, tuple[str, str]] = {
    "iso": ("2026-11-02", "%Y-%m-%d"),
    "iso_time": ("2026-11-02T00:00:00Z, any hour, in UTC", ""),
    "month_first": ("11/02/2026", "%m/%d/%Y"),
    "day_first": ("02/11/2026", "%d/%m/%Y"),
    "dotted": ("02.11.2026", "%d.%m.%Y"),
}
"""By name: how it is shown, and how it is read."""
DECIMAL_FORMS: Mapping[str, tuple[str, str, str]] = {
    "point": ("1234.56", "", "."),
    "point_grouped": ("1,234.56", ",", "."),
    "comma": ("1234,56", "", ","),
    "comma_grouped": ("1.234,56", ".", ","),
}
"""By name: how it is shown, what groups thousands, and the decimal sign."""
UNITS: Mapping[str, Decimal] = {"usd": Decimal(1), "cent": Decimal("0.01")}
DELIMITERS: Mapping[str, str] = {"comma": ",", "semicolon": ";", "tab": "\t"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column holds what, and how it is written. Empty token columns: the sheet does not say."""

    date: str
    model: str
    amount: str
    input_tokens: str = ""
    output_tokens: str = ""
    date_form: str = "iso"
    decimal_form: str = "point"
    unit: str = "usd"
    delimiter: str = "comma"


class Line(NamedTuple):
    day: date
    model: str
    usd: Decimal
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell that cannot be read. `row` as spreadsheet programs count: 1 is the head, and 0 is the whole sheet."""

    row: int
    column: str
    value: str
    allowed: str

    def __str__(self) -> str:
        if not self.row:
            return self.allowed
        shown = self.value if len(self.value) <= _SHOWN else f"{self.value[:_SHOWN]}…"
        return f"Row {self.row}, {self.column}: “{shown}” cannot be read; {self.allowed}."


class SheetUnreadable(Exception):
    """`faults`, the first of them if there are many."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def read_sheet(data: bytes, columns: Columns) -> list[Line]:
    """Its rows, in order; blank ones are passed over. Raises SheetUnreadable."""
    rows = _rows(data, columns)
    lines: list[Line] = []
    faults: list[Fault] = []
    for number, row in rows:
        if len(lines) >= MOST_ROWS:
            raise SheetUnreadable([_of_sheet(f"The sheet has more than {MOST_ROWS:,} rows; split it.")])
        bad, line = _read_row(number, row, columns)
        faults += bad
        if line:
            lines.append(line)
        if len(faults) >= MOST_FAULTS:
            break
    if faults:
        raise SheetUnreadable(faults[:MOST_FAULTS])
    _check_days(lines)
    return lines


def _of_sheet(told: str) -> Fault:
    return Fault(0, "", "", told)


def _check_days(lines: Sequence[Line]) -> None:
    if not lines:
        raise SheetUnreadable([_of_sheet("The sheet has no rows below its head.")])
    days = [line.day for line in lines]
    if (max(days) - min(days)).days >= MOST_DAYS:
        told = f"The sheet reaches from {min(days)} to {max(days)}; import {MOST_DAYS} days at most at once."
        raise SheetUnreadable([_of_sheet(told)])


def _rows(data: bytes, columns: Columns) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SheetUnreadable([_of_sheet("The sheet is not text in UTF-8.")]) from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[columns.delimiter], strict=True)
    try:
        head = [name.strip() for name in next(reader, [])]
        _check_head(head, columns)
        for number, cells in enumerate(reader, start=2):
            if any(cell.strip() for cell in cells):
                # What is missing at a row's end is empty.
                yield number, dict(zip(head, [*cells, *[""] * len(head)], strict=False))
    except csv.Error as error:
        told = f"The sheet is no CSV by line {reader.line_num}: {error}."
        raise SheetUnreadable([_of_sheet(told)]) from None


def _check_head(head: Sequence[str], columns: Columns) -> None:
    wanted = [columns.date, columns.model, columns.amount, columns.input_tokens, columns.output_tokens]
    faults = []
    for name in filter(None, wanted):
        if (times := head.count(name)) != 1:
            there = ", ".join(filter(None, head))[:300] or "none"
            what = "is there more than once" if times else "is not there"
            faults.append(_of_sheet(f"The column “{name}” {what}; the sheet's columns are: {there}."))
    if faults:
        raise SheetUnreadable(faults)


def _read_row(number: int, row: Mapping[str, str], columns: Columns) -> tuple[list[Fault], Line | None]:
    readers: dict[str, tuple[str, Callable[[str], object], str]] = {
        "day": (columns.date, lambda text: _day(text, columns.date_form), _dates_allowed(columns)),
        "model": (columns.model, _model, f"use the model's name, {_LONGEST_MODEL} characters at most"),
        "usd": (columns.amount, lambda text: _usd(text, columns), _amounts_allowed(columns)),
    }
    for name in ("input_tokens", "output_tokens"):
        if column := getattr(columns, name):
            readers[name] = (column, _tokens, "use a whole number, such as 1234, 0 or more")
    faults: list[Fault] = []
    values = {}
    for name, (column, read, allowed) in readers.items():
        cell = row[column].strip()
        try:
            values[name] = read(cell)
        except ValueError:
            faults.append(Fault(number, column, cell, allowed))
    return (faults, None) if faults else ([], Line(**values))  # type: ignore[arg-type]  # as the readers are typed


def _dates_allowed(columns: Columns) -> str:
    return f"the mapping says that days are as {DATE_FORMS[columns.date_form][0]}"


def _amounts_allowed(columns: Columns) -> str:
    shown = DECIMAL_FORMS[columns.decimal_form][0]
    return f"the mapping says that amounts are as {shown}, without a currency, {_PLACES} decimals at most"


def _day(text: str, form: str) -> date:
    if form != "iso_time":
        return datetime.strptime(text, DATE_FORMS[form][1]).replace(tzinfo=UTC).date()
    at = datetime.fromisoformat(text)
    if at.tzinfo is None or at.utcoffset():
        raise ValueError
    return at.date()


def _model(text: str) -> str:
    if not text or len(text) > _LONGEST_MODEL or not is_one_line(text):
        raise ValueError
    return text


def _usd(text: str, columns: Columns) -> Decimal:
    _, group, sign = DECIMAL_FORMS[columns.decimal_form]
    whole = rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})*" if group else r"\d+"
    if not re.fullmatch(rf"-?{whole}(?:{re.escape(sign)}\d{{1,{_PLACES}}})?", text, re.ASCII):
        raise ValueError
    plain = text.replace(group, "") if group else text
    amount = Decimal(plain.replace(sign, ".")) * UNITS[columns.unit]
    if abs(amount) > _MOST_USD:
        raise ValueError
    return amount


def _tokens(text: str) -> int:
    if not re.fullmatch(r"\d{1,15}", text, re.ASCII):
        raise ValueError
    return int(text)
