"""Bringing a sheet in as a person and a worker do it, in one go."""

import csv
from io import StringIO
from typing import Any

from accounts.models import User
from catalogue.models import SheetImport
from catalogue.sheets import services, work
from catalogue.sheets.columns import SHEETS, Sheet
from catalogue.sheets.report import unpack

NAMES = {sheet: name for name, sheet in SHEETS.items()}


def to_csv(*rows: dict[str, Any]) -> bytes:
    text = StringIO()
    lines = csv.DictWriter(text, list(rows[0]))
    lines.writeheader()
    lines.writerows(rows)
    return text.getvalue().encode()


def models(count: int, **fields: Any) -> bytes:
    """A sheet of that many models of acme."""
    return to_csv(
        *({"id": f"acme/m-{number}", "name": f"Model {number}", **fields} for number in range(count))
    )


def submit(
    sheet: type[Sheet], data: bytes, *, author: User | None = None, comma: bool = False
) -> SheetImport:
    """`comma`: its numbers are declared to be written with one."""
    return services.submit(
        sheet=NAMES[sheet], file_name="sheet.csv", data=data, author=author, has_decimal_comma=comma
    )


def read(sheet: type[Sheet], data: bytes, *, author: User | None = None, comma: bool = False) -> SheetImport:
    """Read and judged, as a worker does it."""
    return go_on(submit(sheet, data, author=author, comma=comma))


def go_on(made: SheetImport) -> SheetImport:
    work.go_on(made.pk)
    return SheetImport.objects.get(pk=made.pk)


def bring_in(sheet: type[Sheet], *rows: dict[str, Any]) -> SheetImport:
    return bring_in_file(sheet, to_csv(*rows))


def bring_in_file(
    sheet: type[Sheet], data: bytes, *, author: User | None = None, comma: bool = False
) -> SheetImport:
    """Confirmed where it is good, and written."""
    made = read(sheet, data, author=author, comma=comma)
    return go_on(made) if services.confirm(made, author=author) else made


def lines_of(made: SheetImport) -> list[dict[str, str]]:
    """The full list that can be downloaded."""
    return list(csv.DictReader(StringIO(unpack(bytes(made.report)).decode()))) if made.report else []


def faults(made: SheetImport) -> str:
    """Of its rows, and why it was not brought in as a whole; nothing where it was."""
    bad = [
        f"row {line['row']}: {line['column']}: {line['after or reason']}"
        for line in lines_of(made)
        if line["what"] == "bad"
    ]
    return "\n".join([*bad, made.message] if made.state in {"refused", "stopped"} else bad)
