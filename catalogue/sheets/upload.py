"""From an uploaded file to its rows, within bounds of size."""

import csv
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from itertools import islice
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from catalogue.sheets.columns import Sheet
from gateway.core.formulas import unquote_formula

MOST_BYTES = 8 * 1024 * 1024
MOST_ROWS = 50_000
_MOST_UNPACKED_BYTES = 128 * 1024 * 1024
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


class UnreadableSheetError(Exception):
    """There are no rows to be had from this file; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """Cells by column, as the file has them. `number` counts the rows below the header from 1."""

    number: int
    cells: Mapping[str, Any]
    excess: int = 0
    """How many cells stand beyond the header."""


def read_upload(data: bytes, sheet: Sheet, *, is_workbook: bool) -> list[Row]:
    """Raises UnreadableSheetError."""
    lines = _workbook_lines(data) if is_workbook else _csv_lines(data)
    try:
        header = [str(cell or "").strip() for cell in next(iter(lines), ())]
        _check_header(header, sheet)
        rows = [_row(number, header, line) for number, line in enumerate(islice(lines, MOST_ROWS + 1), 1)]
    except csv.Error as error:
        raise UnreadableSheetError(f"The file is no CSV: {error}.") from error
    except _WORKBOOK_FAULTS as error:
        raise UnreadableSheetError("The file is no XLSX workbook that can be read.") from error
    if not rows:
        raise UnreadableSheetError("The file has no rows below its header.")
    if len(rows) > MOST_ROWS:
        raise UnreadableSheetError(f"The file has more than {MOST_ROWS:,} rows; split it.")
    return rows


def _csv_lines(data: bytes) -> Iterator[Sequence[Any]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableSheetError("The file is not in UTF-8; save it as CSV UTF-8.") from error
    return (line for line in csv.reader(StringIO(text, newline="")) if line)


def _workbook_lines(data: bytes) -> Iterator[Sequence[Any]]:
    """A formula is the text that it is, never what some program computed from it."""
    try:
        if sum(entry.file_size for entry in zipfile.ZipFile(BytesIO(data)).infolist()) > _MOST_UNPACKED_BYTES:
            raise UnreadableSheetError("The workbook is too large when unpacked; split it.")
        book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=False)
        rows: Iterable[Sequence[Any]] = book.worksheets[0].iter_rows(values_only=True)
    except (*_WORKBOOK_FAULTS, IndexError) as error:
        raise UnreadableSheetError("The file is no XLSX workbook that can be read.") from error
    return (row for row in rows if any(cell is not None for cell in row))


def _check_header(header: list[str], sheet: Sheet) -> None:
    while header and not header[-1]:
        header.pop()
    columns = sheet.columns()
    faults = [
        *(f"The column {name!r} is missing." for name in sheet.demanded if name not in header),
        *(f"The column {name[:60]!r} does not exist." for name in header if name not in columns),
        *(f"The column {name!r} is there twice." for name in header if header.count(name) > 1),
    ]
    if faults:
        raise UnreadableSheetError(f"{faults[0]} Columns: {', '.join(columns)}.")


def _row(number: int, header: Sequence[str], line: Sequence[Any]) -> Row:
    cells = {name: unquote_formula(cell) for name, cell in zip(header, line, strict=False)}
    cells |= dict.fromkeys(header[len(line) :], "")
    return Row(number, cells, sum(cell not in (None, "") for cell in line[len(header) :]))
