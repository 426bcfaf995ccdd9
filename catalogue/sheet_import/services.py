"""From upload to end: what people do to an import, and what a worker does for them.

    READING ──▶ REFUSED (bad rows, or no file to read)
       │
       ▼         confirmed
     READY ───────────────▶ WRITING ──▶ DONE
       │ cancelled             │ ──▶ STOPPED (told to the last row)
       └──▶ CANCELLED ◀────────┘

Reading writes nothing and takes no lock but for a moment, to tell how far it is. Writing is a line of short
transactions, each of which moves `done_rows` on: whoever goes on with it after a crash begins there.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from accounts import acting, audit
from accounts.models import User
from accounts.revision import be_patient, give_way, hold
from accounts.sql import is_busy
from catalogue.models import Edition, SheetImport
from catalogue.sheet_import.judge import BATCH, Judge, refuse_unpublishable
from catalogue.sheet_import.known import KNOWN
from catalogue.sheet_import.report import Report
from catalogue.sheet_import.upload import Row, UnreadableSheetError, read_upload
from catalogue.sheet_import.write import SpoiltError, write_rows

State = SheetImport.State
LEASE = timedelta(seconds=60)
KEPT = timedelta(days=30)
_MOST_TRIES = 5

log = logging.getLogger(__name__)


class _GaveUp(Exception):
    """It is no longer ours to go on with: cancelled, or another worker has it."""


def submit(*, sheet: str, file_name: str, is_workbook: bool, data: bytes, author: User | None) -> SheetImport:
    """Keep the file; a worker reads it."""
    name = file_name.replace("\x00", "")[-200:]
    return SheetImport.objects.create(
        sheet=sheet, file_name=name, is_workbook=is_workbook, upload=data, author=author
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
    told = _told_part(row, "It was cancelled")
    return row.set_now(*SheetImport.OPEN, state=State.CANCELLED, message=told, upload=b"", claimed_until=None)


def due_imports(at: datetime) -> list[int]:
    return list(SheetImport.objects.due(at).values_list("pk", flat=True))


def forget_old(at: datetime) -> int:
    return (
        SheetImport.objects.filter(created_at__lt=at - KEPT)
        .exclude(state__in=SheetImport.IN_WORK)
        .delete()[0]
    )


def go_on(pk: int) -> None:
    """Do what is due with it, to the end. Nothing if it is another's, or nothing is due."""
    at = timezone.now()
    claimed = SheetImport.objects.due(at).filter(pk=pk).update(claimed_until=at + LEASE)
    if not claimed:
        return
    row = SheetImport.objects.select_related("author").get(pk=pk)
    try:
        with acting.on_behalf_of(row.author):
            _go_on(row)
    except _GaveUp:
        return
    except OperationalError as error:
        # Not its fault: whoever looks for what is due finds it again.
        log.warning("The database failed during the %s, which is gone on with later: %s", row, error)
    except Exception:
        log.exception("The %s broke off.", row)
        _stop(row, "It broke off by an error of the gateway, which is in its log")


def _go_on(row: SheetImport) -> None:
    if row.tries >= _MOST_TRIES:
        _stop(row, "The workers that had it in hand ended, five times in a row")
        return
    SheetImport.objects.filter(pk=row.pk).update(tries=row.tries + 1)
    try:
        rows = read_upload(bytes(row.upload), KNOWN[row.sheet].sheet_class(), is_workbook=row.is_workbook)
    except UnreadableSheetError as error:
        row.set_now(State.READING, state=State.REFUSED, message=str(error), upload=b"")
        return
    if row.state == State.READING:
        _read(row, rows)
    elif row.done_rows or _is_still_good(row, rows):
        _write(row, rows)


def _read(row: SheetImport, rows: Sequence[Row]) -> None:
    report = _judge_all(row, rows)
    if report.bad_count:
        _keep(row, report, state=State.REFUSED, message="", upload=b"")
    elif not report.changes_anything:
        _keep(row, report, state=State.DONE, message="The catalogue says all of this already.", upload=b"")
    else:
        _keep(row, report, state=State.READY)


def _is_still_good(row: SheetImport, rows: Sequence[Row]) -> bool:
    """Before the first row is written: all of it is judged again, and is what was looked at."""
    report = _judge_all(row, rows)
    if report.bad_count:
        _keep(row, report, state=State.REFUSED, message="It was good when it was read. Nothing was imported.")
    elif report.seal != row.seal:
        told = "The catalogue changed after this was looked at, so nothing was imported yet. Look at it as it is now."
        _keep(row, report, state=State.READY, message=told)
    else:
        return True
    return False


def _judge_all(row: SheetImport, rows: Sequence[Row]) -> Report:
    known, report = KNOWN[row.sheet](), Report()
    judge = Judge(known)
    for begins, batch in _batches(rows, 0):
        judged = judge.judge(batch)
        refuse_unpublishable(known, judged)
        report.add(judged)
        # While it waits to be written nothing of it is done.
        done = begins + len(batch) if row.state == State.READING else 0
        _tell_progress(row, done_rows=done, row_count=len(rows))
    return report


def _keep(row: SheetImport, report: Report, **values: object) -> None:
    found = {
        "counts": report.counts,
        "shown": report.shown,
        "seal": report.seal,
        "report": report.close(),
        "claimed_until": None,
        "tries": 0,
    }
    if not row.set_now(State(row.state), **found, **values):
        raise _GaveUp


def _tell_progress(row: SheetImport, **values: object) -> None:
    if not row.set_now(State(row.state), claimed_until=timezone.now() + LEASE, **values):
        raise _GaveUp


def _write(row: SheetImport, rows: Sequence[Row]) -> None:
    for begins, batch in _batches(rows, row.done_rows):
        try:
            _write_patiently(row, begins, batch, len(rows))
        except SpoiltError as error:
            _stop(row, str(error))
            return
        except IntegrityError:
            log.warning("The %s met a row that somebody else made.", row, exc_info=True)
            _stop(row, f"Somebody changed one of the rows after {begins} at the same time")
            return
        give_way()
    row.set_now(State.WRITING, state=State.DONE, upload=b"", claimed_until=None)
    _tell_audit(row)


def _write_patiently(row: SheetImport, begins: int, batch: Sequence[Row], row_count: int) -> None:
    """Others who hold what it needs for long only delay it."""
    while True:
        try:
            _write_batch(row, begins, batch, row_count)
        except OperationalError as error:
            if not is_busy(error):
                raise
            _tell_progress(row)
        else:
            return


def _write_batch(row: SheetImport, begins: int, batch: Sequence[Row], row_count: int) -> None:
    """Raises SpoiltError, IntegrityError, _GaveUp."""
    known, ends = KNOWN[row.sheet](), begins + len(batch)
    note = f"Imported {row.file_name}, rows {begins + 1} to {ends} of {row_count}"
    with transaction.atomic():
        hold()
        edition = write_rows(known, batch, author=row.author, note=note)
        editions = [*row.editions, edition.number] if edition else row.editions
        mine = SheetImport.objects.filter(pk=row.pk, state=State.WRITING, done_rows=begins)
        lease = timezone.now() + LEASE
        if not mine.update(done_rows=ends, editions=editions, claimed_until=lease, tries=0):
            raise _GaveUp
    row.done_rows, row.editions = ends, editions


def _stop(row: SheetImport, reason: str) -> None:
    told = _told_part(row, reason)
    if row.set_now(*SheetImport.IN_WORK, state=State.STOPPED, message=told, upload=b"", claimed_until=None):
        _tell_audit(row)


def _told_part(row: SheetImport, reason: str) -> str:
    reason = reason.rstrip(".")
    if not row.done_rows:
        return f"{reason}. Nothing was imported."
    return (
        f"{reason}. Rows 1 to {row.done_rows} are imported and published; nothing after them is. "
        "Correct what is wrong and import the file again: rows that are there already are passed over."
    )


def _tell_audit(row: SheetImport) -> None:
    """One entry for all of it, told on its last edition."""
    edition = Edition.objects.filter(number__in=row.editions[-1:]).first()
    audit.note_run(edition or row, {"imported from": row.file_name, "rows written": row.done_rows})


def _batches(rows: Sequence[Row], begin: int) -> Iterator[tuple[int, Sequence[Row]]]:
    for begins in range(begin, len(rows), BATCH):
        yield begins, rows[begins : begins + BATCH]
