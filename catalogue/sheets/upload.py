"""From an uploaded file to its rows, within bounds of size."""

import csv
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO, StringIO
from itertools import islice
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from catalogue.sheets.columns import SHEETS, Sheet
from gateway.core.formulas import unquote_formula

MOST_BYTES = 8 * 1024 * 1024
MOST_ROWS = 50_000
_MOST_UNPACKED_BYTES = 128 * 1024 * 1024
WORKBOOK = "workbook"
"""The kind of a file with a sheet for each kind of row."""
HOW_TO = "How to fill it in"
_ZIP, _OLD_WORKBOOK = b"PK", b"\xd0\xcf\x11\xe0"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# What a program shows where a formula has no value; a file that it writes has these texts too.
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"})
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s[^>]*?\bref=["']([A-Z0-9:]+)""")
_MOST_NAMED = 10
_SEPARATORS = (",", ";", "\t")
_SEPARATOR = re.compile(r'"?sep=([,;\t])"?')
_WORKBOOK_FAULTS = (
    zipfile.BadZipFile,
    InvalidFileException,
    AttributeError,
    KeyError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""What openpyxl raises for what is no workbook; it has no error of its own for most of it."""


Line = tuple[int, Sequence[Any]]
"""The number of a row that is not blank, and its cells."""


class Formula(str):
    """A cell that some program computes."""

    __slots__ = ()


class UnreadableSheetError(Exception):
    """There are no rows to be had from this file; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """Cells by column, as the file has them. `number` is what a spreadsheet shows beside it: blank rows count, too."""

    number: int
    cells: Mapping[str, Any]
    unread: Mapping[str, str]
    """Why, by column, of cells that hold no value but what some program made of others."""
    excess: int = 0
    """How many cells stand beyond the header."""
    sheet: str = ""
    """Of a whole workbook: the name of its sheet, in which rows are counted."""


def read_upload(data: bytes, sheet_name: str) -> list[Row]:
    """The rows of one sheet, or of all of a workbook's, in the order in which they are to be written.

    What kind of file it is, its content says, whatever it is called. Raises UnreadableSheetError.
    """
    if not data.strip():
        raise UnreadableSheetError("The file is empty.")
    if data[:4] == _OLD_WORKBOOK:
        raise UnreadableSheetError(
            "The file is an old Excel workbook (XLS), or is locked; save it as XLSX or CSV."
        )
    if sheet_name == WORKBOOK:
        rows = list(_rows_of_workbook(data))
    else:
        sheet = SHEETS[sheet_name]()
        lines = _first_sheet(data) if is_workbook(data) else _csv_lines(data, sheet)
        rows = list(_rows(lines, sheet))
    if not rows:
        raise UnreadableSheetError("The file has no rows below its header.")
    if len(rows) > MOST_ROWS:
        raise UnreadableSheetError(f"The file has more than {MOST_ROWS:,} rows; split it.")
    return rows


def is_workbook(data: bytes) -> bool:
    return data[:2] == _ZIP


def is_whole_workbook(data: bytes) -> bool:
    """Whether it has sheets that are called as ours are, and more than one."""
    try:
        names = [_plain(name) for name in _open_workbook(data).sheetnames] if is_workbook(data) else []
    except UnreadableSheetError:
        return False
    return len(set(names) & SHEETS.keys()) > 1


def _rows_of_workbook(data: bytes) -> Iterator[Row]:
    if not is_workbook(data):
        raise UnreadableSheetError("The file is not a readable XLSX workbook.")
    book = _open_workbook(data)
    sheets = {_plain(name): book[name] for name in book.sheetnames}
    strange = [name for name in sheets if name not in SHEETS and name != _plain(HOW_TO)]
    if strange:
        raise UnreadableSheetError(
            f"There is a sheet {strange[0]!r}. Sheets are {', '.join(SHEETS)}, and {HOW_TO}."
        )
    for name, sheet_class in SHEETS.items():
        if name in sheets:
            for row in _rows(_lines_of(sheets[name]), sheet_class(), place=f"In the sheet {name}: "):
                yield replace(row, sheet=name)


def _rows(lines: Iterator[Line], sheet: Sheet, *, place: str = "") -> list[Row]:
    try:
        _, first = next(lines, (0, ()))
        header = [str("" if cell is None else cell).strip() for cell in first]
        _check_header(header, sheet, place)
        return [_row(number, header, cells) for number, cells in islice(lines, MOST_ROWS + 1)]
    except csv.Error as error:
        raise UnreadableSheetError(f"The file is not CSV: {error}.") from error
    except _WORKBOOK_FAULTS as error:
        raise UnreadableSheetError("The file is not a readable XLSX workbook.") from error


def _csv_lines(data: bytes, sheet: Sheet) -> Iterator[Line]:
    """Cells are parted by whichever of commas, semicolons and tabs makes most of the header's columns."""
    text = _decode(data)
    first, _, rest = text.partition("\n")
    told = _SEPARATOR.fullmatch(first.strip())
    if told:
        text = rest
        first = rest.partition("\n")[0]
    columns = set(sheet.columns())
    best = max(
        _SEPARATORS, key=lambda mark: len({cell.strip(' "\r') for cell in first.split(mark)} & columns)
    )
    mark = told[1] if told else best
    rows = enumerate(csv.reader(StringIO(text, newline=""), delimiter=mark), 1)
    return ((number, cells) for number, cells in rows if any(map(str.strip, cells)))


def _decode(data: bytes) -> str:
    if data[:2] in _UTF_16:
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableSheetError("The file is not in UTF-8; save it as CSV UTF-8.") from error


def _first_sheet(data: bytes) -> Iterator[Line]:
    sheets = _open_workbook(data).worksheets
    if not sheets:
        raise UnreadableSheetError("The file is not a readable XLSX workbook.")
    return _lines_of(sheets[0])


def _open_workbook(data: bytes) -> Any:
    """With its formulas: what some program computed from them may be old."""
    try:
        if sum(entry.file_size for entry in zipfile.ZipFile(BytesIO(data)).infolist()) > _MOST_UNPACKED_BYTES:
            raise UnreadableSheetError("The workbook is too large when unpacked; split it.")
        return openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=False)
    except _WORKBOOK_FAULTS as error:
        raise UnreadableSheetError("The file is not a readable XLSX workbook.") from error


def _lines_of(sheet: Any) -> Iterator[Line]:
    """Raises UnreadableSheetError for merged cells: all but the first of them are empty."""
    if merged := _merged_cells(sheet):
        more = f" and {len(merged) - _MOST_NAMED} more" if len(merged) > _MOST_NAMED else ""
        named = f"{', '.join(merged[:_MOST_NAMED])}{more}"
        raise UnreadableSheetError(
            f"In the sheet {sheet.title!r} cells are merged: {named}. Unmerge them, and fill in each of them."
        )
    rows: Iterable[Sequence[Any]] = sheet.iter_rows()
    return (
        (number, list(map(_value, row)))
        for number, row in enumerate(rows, 1)
        if any(cell.value is not None for cell in row)
    )


def _merged_cells(sheet: Any) -> list[str]:
    """Their ranges, such as B2:B4. A sheet that is read row by row does not tell of them."""
    with sheet._get_source() as source:
        return [found.decode() for found in _MERGED.findall(source.read())]


def _value(cell: Any) -> Any:
    return Formula(getattr(cell.value, "text", cell.value)) if cell.data_type == "f" else cell.value


def _plain(name: str) -> str:
    return name.strip().lower()


def _check_header(header: list[str], sheet: Sheet, place: str) -> None:
    while header and not header[-1]:
        header.pop()
    columns = sheet.columns()
    faults = [
        *(f"The column {name!r} is missing." for name in sheet.demanded if name not in header),
        *(f"The column {name[:60]!r} does not exist." for name in header if name not in columns),
        *(f"The column {name!r} appears twice." for name in header if header.count(name) > 1),
    ]
    if faults:
        raise UnreadableSheetError(f"{place}{' '.join(faults)} Columns: {', '.join(columns)}.")


def _row(number: int, header: Sequence[str], line: Sequence[Any]) -> Row:
    cells = {name: unquote_formula(cell) for name, cell in zip(header, line, strict=False)}
    cells |= dict.fromkeys(header[len(line) :], "")
    unread = {name: why for name, cell in cells.items() if (why := _why_unread(cell))}
    return Row(number, cells, unread, sum(cell not in (None, "") for cell in line[len(header) :]))


def _why_unread(cell: Any) -> str:
    """Empty where it can be read."""
    if isinstance(cell, Formula):
        return "is a formula: put its value in its place."
    is_error = isinstance(cell, str) and cell.strip() in _ERRORS
    return "is what a spreadsheet shows where a formula fails: put a value in its place." if is_error else ""
