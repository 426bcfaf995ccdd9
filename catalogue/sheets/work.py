"""What a worker does with an import of a sheet.

Reading writes nothing and takes no lock but for a moment, to tell how far it is. Writing is a line of short
transactions, each of which moves `done_rows` on: whoever goes on with it after a crash begins there.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from accounts.revision import give_way, lock_revision
from catalogue.models import SheetImport
from catalogue.sheets import services
from catalogue.sheets.judge import BATCH, Judge, refuse_unpublishable
from catalogue.sheets.known import KNOWN
from catalogue.sheets.known_base import Known, Made
from catalogue.sheets.report import Report
from catalogue.sheets.upload import Row, UnreadableSheetError, read_upload
from catalogue.sheets.write import SpoiltError, write_batch
from gateway.core import audit_context
from gateway.core.sql import is_busy

State = SheetImport.State
LEASE = timedelta(seconds=60)
MOST_AT_ONCE = 2
"""So that imports leave threads to other background work."""
_MOST_TRIES = 5

log = logging.getLogger(__name__)


class _GaveUp(Exception):
    """It is no longer ours to go on with: cancelled, in another worker's hand, or we are told to stop."""


def go_on(pk: int, is_stopping: Callable[[], bool] = lambda: False) -> None:
    """Do what is due with it, to the end. Nothing if it is another's, nothing is due, or others are in hand."""
    if not _claim(pk):
        return
    row = SheetImport.objects.select_related("author").get(pk=pk)
    try:
        with audit_context.on_behalf_of(row.author):
            _Work(row, is_stopping).do()
    except _GaveUp:
        return
    except OperationalError as error:
        # Not its fault: whoever looks for what is due finds it again.
        log.warning("The database failed during the %s, which is gone on with later: %s", row, error)
    except Exception:
        log.exception("The %s broke off.", row)
        reason = "It stopped because of an error in the gateway, which is in its log"
        services.end(row, *SheetImport.IN_WORK, state=State.STOPPED, reason=reason)


def _claim(pk: int) -> bool:
    at = timezone.now()
    if (
        SheetImport.objects.filter(state__in=SheetImport.IN_WORK, claimed_until__gt=at).count()
        >= MOST_AT_ONCE
    ):
        return False
    return SheetImport.objects.due(at).filter(pk=pk).update(claimed_until=at + LEASE) == 1


class _Work:
    """One import in the hand of this worker."""

    def __init__(self, row: SheetImport, is_stopping: Callable[[], bool]) -> None:
        self._row = row
        self._is_stopping = is_stopping
        self._rows: Sequence[Row] = ()

    def do(self) -> None:
        """Raises _GaveUp."""
        row = self._row
        if row.tries >= _MOST_TRIES:
            self._stop("The workers that had it in hand ended, five times in a row")
            return
        self._set(tries=row.tries + 1)
        try:
            self._rows = read_upload(bytes(row.upload), row.sheet)
        except UnreadableSheetError as error:
            self._set(state=State.REFUSED, message=str(error), upload=b"")
            return
        if row.state == State.READING:
            self._read()
        elif row.done_rows or self._is_still_good():
            self._write()

    def _read(self) -> None:
        report = self._judge_all()
        if report.bad_count:
            self._keep(report, state=State.REFUSED, upload=b"")
        elif not report.changes_anything:
            self._keep(
                report, state=State.DONE, message="The catalogue already says all of this.", upload=b""
            )
        else:
            self._keep(report, state=State.READY)

    def _is_still_good(self) -> bool:
        """Before the first row is written: all of it is judged again, and is what was looked at."""
        report = self._judge_all()
        if report.bad_count:
            told = "It was good when it was read. Nothing was imported."
            self._keep(report, state=State.REFUSED, message=told, upload=b"")
        elif report.seal != self._row.seal:
            told = (
                "The catalogue changed after this was looked at, so nothing was imported yet. Look at it now."
            )
            self._keep(report, state=State.READY, message=told)
        else:
            return True
        return False

    def _judge_all(self) -> Report:
        made, judges, report = Made(), dict[str, Judge](), Report()
        for begins, batch in self._batches(0):
            name = batch[0].sheet or self._row.sheet
            if name not in judges:
                judges[name] = Judge(self._known(name, made))
            judged = judges[name].judge(batch)
            refuse_unpublishable(judges[name].known, judged)
            report.add(judged)
            # While it waits to be written nothing of it is done.
            done = begins + len(batch) if self._row.state == State.READING else 0
            self._tell_progress(done_rows=done, row_count=len(self._rows))
        return report

    def _keep(self, report: Report, **values: object) -> None:
        found = {
            "counts": report.counts,
            "shown": report.shown,
            "seal": report.seal,
            "report": report.close(),
            "claimed_until": None,
            "tries": 0,
        }
        self._set(**found, **values)

    def _write(self) -> None:
        for begins, batch in self._batches(self._row.done_rows):
            try:
                self._write_patiently(begins, batch)
            except SpoiltError as error:
                self._stop(str(error))
                return
            except IntegrityError:
                log.warning("The %s met a row that somebody else made.", self._row, exc_info=True)
                self._stop(f"Somebody changed one of the rows after {begins} at the same time")
                return
            give_way()
        services.end(self._row, State.WRITING, state=State.DONE)

    def _write_patiently(self, begins: int, batch: Sequence[Row]) -> None:
        """Others who hold what it needs for long only delay it."""
        while True:
            try:
                self._write_batch(begins, batch)
            except OperationalError as error:
                if not is_busy(error):
                    raise
                self._tell_progress()
            else:
                return

    def _write_batch(self, begins: int, batch: Sequence[Row]) -> None:
        """Raises SpoiltError, IntegrityError, _GaveUp."""
        row, ends = self._row, begins + len(batch)
        known = self._known(batch[0].sheet or row.sheet)
        note = f"Imported {row.file_name}, rows {begins + 1} to {ends} of {len(self._rows)}"
        with transaction.atomic():
            lock_revision()
            edition = write_batch(known, batch, author=row.author, note=note)
            editions = [*row.editions, edition.number] if edition else row.editions
            mine = SheetImport.objects.filter(pk=row.pk, state=State.WRITING, done_rows=begins)
            lease = timezone.now() + LEASE
            if not mine.update(done_rows=ends, editions=editions, claimed_until=lease, tries=0):
                raise _GaveUp
        row.done_rows, row.editions = ends, editions

    def _batches(self, begin: int) -> Iterator[tuple[int, Sequence[Row]]]:
        """Each of rows of one sheet. Raises _GaveUp before one that a process which is told to stop would begin."""
        begins = begin
        while begins < len(self._rows):
            if self._is_stopping():
                self._set(claimed_until=None, tries=0)
                raise _GaveUp
            sheet = self._rows[begins].sheet
            batch = [row for row in self._rows[begins : begins + BATCH] if row.sheet == sheet]
            yield begins, batch
            begins += len(batch)

    def _known(self, name: str, made: Made | None = None) -> Known:
        return KNOWN[name](made, has_decimal_comma=self._row.has_decimal_comma)

    def _tell_progress(self, **values: object) -> None:
        self._set(claimed_until=timezone.now() + LEASE, **values)

    def _set(self, **values: object) -> None:
        if not self._row.set_now(State(self._row.state), **values):
            raise _GaveUp

    def _stop(self, reason: str) -> None:
        services.end(self._row, *SheetImport.IN_WORK, state=State.STOPPED, reason=reason)
