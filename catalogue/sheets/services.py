"""What people do to an import of a sheet; what a worker does for them is in `work`.

READING ──▶ REFUSED (bad rows, or no file to read)
   │
   ▼         confirmed
 READY ───────────────▶ WRITING ──▶ DONE
   │ cancelled             │ ──▶ STOPPED (told to the last row)
   └──▶ CANCELLED ◀────────┘
"""

from datetime import datetime, timedelta

from django.db import transaction

from accounts import audit
from accounts.models import User
from accounts.revision import be_patient
from catalogue.models import Edition, SheetImport
from catalogue.sheets.upload import WORKBOOK, is_whole_workbook, is_workbook

State = SheetImport.State
KEPT = timedelta(days=30)


def submit(
    *, sheet: str, file_name: str, data: bytes, author: User | None, has_decimal_comma: bool = False
) -> SheetImport:
    """Keep the file; a worker reads it. A workbook with several of our sheets is read as a whole."""
    if is_whole_workbook(data):
        sheet = WORKBOOK
    name = file_name.replace("\x00", "")[-200:]
    return SheetImport.objects.create(
        sheet=sheet,
        file_name=name,
        is_workbook=is_workbook(data),
        upload=data,
        author=author,
        has_decimal_comma=has_decimal_comma,
    )


def confirm(sheet_import: SheetImport, *, author: User | None) -> bool:
    """Let it be written, on behalf of the author. False: it is not there to be confirmed."""
    return sheet_import.set_now(
        State.READY, state=State.WRITING, author=author, done_rows=0, message="", claimed_until=None, tries=0
    )


@transaction.atomic
def cancel(sheet_import: SheetImport) -> bool:
    """What is written already stays; a batch that is under way is not. False: it has ended already."""
    be_patient()
    row = SheetImport.objects.light().select_for_update(of=("self",)).get(pk=sheet_import.pk)
    return end(row, *SheetImport.OPEN, state=State.CANCELLED, reason="It was cancelled")


def due_imports(at: datetime) -> list[int]:
    return list(SheetImport.objects.due(at).values_list("pk", flat=True))


def forget_old(at: datetime) -> int:
    old = SheetImport.objects.filter(created_at__lt=at - KEPT).exclude(state__in=SheetImport.IN_WORK)
    ids = list(old.values_list("pk", flat=True))
    return SheetImport.objects.filter(pk__in=ids).delete()[0] if ids else 0


def end(row: SheetImport, *states: State, state: State, reason: str = "") -> bool:
    """End it if it is still in one of those states; `reason`: why before its last row. False: it is not.

    Where rows were written, that is one entry of the audit, told on their last edition.
    """
    if not row.set_now(
        *states,
        state=state,
        message=_tell_part(row, reason) if reason else "",
        upload=b"",
        claimed_until=None,
    ):
        return False
    if row.done_rows and row.state == State.WRITING:
        edition = Edition.objects.filter(number__in=row.editions[-1:]).first()
        told = {"imported from": row.file_name, "rows written": row.done_rows}
        audit.record_run(edition or row, told, event="catalogue.imported")
    return True


def _tell_part(row: SheetImport, reason: str) -> str:
    reason = reason.rstrip(".")
    if row.state != State.WRITING or not row.done_rows:
        return f"{reason}. Nothing was imported."
    return (
        f"{reason}. The first {row.done_rows:,} rows are imported and published; nothing after them is. "
        "Import the file again for the rest: rows that are there already are passed over."
    )
