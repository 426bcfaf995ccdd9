"""One workbook with a sheet for each kind of row: a template to fill in, or the catalogue as it is."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

from import_export.fields import Field
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from catalogue.sheets.cells import (
    ChoiceCell,
    FlagCell,
    NamedCell,
    ProjectCell,
    SomeWordsCell,
    StartCell,
    WordsCell,
)
from catalogue.sheets.columns import SHEETS, Sheet
from catalogue.sheets.upload import HOW_TO
from catalogue.words import VOCABULARY

_EXPLAINED = {
    "id": "Its organisation's id, a slash and its own, such as anthropic/claude-haiku-4.5. It cannot be changed later.",
    "name": "As people say it.",
    "website": "An address, such as https://mistral.ai.",
    "tokenizer": "Its name, such as o200k_base. Empty: unknown.",
    "model": "The model, by its id.",
    "provider": "The provider, by its id.",
    "upstream_name": "What the provider calls this model.",
    "amount": "What unit_size units cost, such as 0.25.",
    "currency": "USD, or the code of another one, which is shown and not charged.",
    "source": "Where this comes from, with the date it was read. Clients do not see it.",
}
"""Of columns whose fields have no help of their own in forms."""
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def write_workbook(*, is_filled: bool) -> bytes:
    book = Workbook(write_only=True)
    for name, sheet_class in SHEETS.items():
        sheet, page = sheet_class(), book.create_sheet(name)
        page.append(_bold(page, sheet.columns()))
        if is_filled:
            for row in sheet.get_queryset().iterator(chunk_size=1000):
                page.append([_text(cell) for cell in sheet.export_resource(row)])
    page = book.create_sheet(HOW_TO)
    page.append(_bold(page, ["sheet", "column", "what it holds"]))
    for name, sheet_class in SHEETS.items():
        for line in _explain(sheet_class()):
            page.append([name, *line])
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def _explain(sheet: Sheet) -> Iterator[tuple[str, str]]:
    for field in sheet.get_export_fields():
        needed = " Needed." if field.column_name in sheet.demanded else ""
        yield field.column_name, f"{_what(sheet, field)}{needed}"


def _what(sheet: Sheet, field: Field) -> str:
    cell, name = field.widget, field.column_name
    if isinstance(cell, FlagCell):
        return "yes or no" + ("; empty is unknown." if sheet._meta.model._meta.get_field(name).null else ".")
    if isinstance(cell, SomeWordsCell):
        return f"Only for calls with one of these: {', '.join(cell.known)}. Empty: for all."
    if isinstance(cell, WordsCell) and name in VOCABULARY:
        return f"Words with blanks between, of {', '.join(VOCABULARY[name][1])}. Others with ! before them."
    if isinstance(cell, ChoiceCell):
        return f"One of {', '.join(cell.choices)}."
    if isinstance(cell, StartCell):
        return "Empty or now: it begins when imported, and the running price ends. ever: it has no beginning. Or a day."
    if isinstance(cell, ProjectCell):
        return "The project, as its team's id, a slash and its own."
    if isinstance(cell, NamedCell):
        return f"The {cell.kind}, by its id."
    return str(getattr(_django_field(sheet, field), "help_text", "")) or _EXPLAINED[name]


def _django_field(sheet: Sheet, field: Field) -> Any:
    names = {each.name: each for each in sheet._meta.model._meta.fields}
    return names.get(field.attribute)


def _bold(page: Any, names: list[str]) -> list[Any]:
    cells = [WriteOnlyCell(page, value=name) for name in names]
    for cell in cells:
        cell.font = Font(bold=True)
    return cells


def _text(cell: Any) -> Any:
    """A text stays one: no program shall compute it, or take it for a number."""
    return None if cell in (None, "") else str(cell)
