"""The thread that carries the spool into the ledger, within a second and off the path of calls."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

from django.db import DataError, IntegrityError, connection, connections

from accounts.attempts import AttemptClosed, AttemptOpened, AttemptRecord
from accounts.directory import touches
from accounts.models import LedgerEntry
from accounts.recording import OVER, Mark, move_mark, record_attempts
from catalogue.pricing.cost import cost_usd
from catalogue.pricing.rate_card import prices_of
from gateway.core import sql
from gateway.core.codec import Newer
from gateway.plane.bases import BudgetBases
from gateway.plane.health_writer import HealthWriter
from gateway.plane.notes import NoteWriter
from gateway.plane.spool import Orphan, Spool
from gateway.proxy.notes import PlanNotes
from gateway.proxy.settle import FINISHED, PROCESS_LOST, find_payer, settle, usage_fields
from providers.alarms import AlarmUpdates, Refusal, write_updates
from providers.wire.usage import Usage, counted

_log = logging.getLogger(__name__)
_PACE_S = 0.25
_ORPHANS_EVERY_S = 1.0
_NEWS_EVERY_S = 1.0
_SPOOL_EVERY_S = 1.0
_TOUCHES_EVERY_S = 5.0
_BASES_EVERY_S = 0.75
_BATCH = 1000
_FEW = 20
"""Attempts that do not wait for others."""
_LONGEST_WAIT_S = 0.6
_REFUSED_FOR_CONTENT = (DataError, IntegrityError, ArithmeticError, LookupError, ValueError, TypeError)


class Recorder:
    """One for each spool. While SQL is away it keeps trying, and the spool's lag grows."""

    def __init__(
        self,
        spool: Spool,
        *,
        flush_touched: Callable[[], object] = touches.flush,
        bases: BudgetBases | None = None,
        notes: NoteWriter | None = None,
        health: HealthWriter | None = None,
    ) -> None:
        """`flush_touched` is called every few seconds, in the thread, to write when keys were last used.

        `bases` is told what was carried over, and tells the store.
        """
        self._spool = spool
        self._flush_touched = flush_touched
        self._bases = bases
        self._notes = notes or NoteWriter(PlanNotes())
        self._health = health
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._failing: set[str] = set()
        self._has_left = False
        self._patience = sql.Patience()
        self._news = AlarmUpdates()

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Drain what is finished, then end and close the spool. False: not all of it; the files keep the rest."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        is_done = not self._thread.is_alive() and self._spool.lag_s == 0
        self._spool.close()
        return is_done

    def drain(self) -> int:
        """Carry every finished attempt of this process over; the number of them."""
        total = 0
        while carried := self._drain_batch():
            total += carried
        return total

    def drain_due(self) -> None:
        """Carry over few attempts, full batches, and what has waited for long.

        A batch of one takes as much as 75 more rows. So what comes meanwhile waits: to go on until nothing is left
        would make ever smaller batches.
        """
        spool = self._spool
        if spool.waiting < _FEW:
            self._drain_batch()
        while spool.waiting >= _BATCH or spool.lag_s >= _LONGEST_WAIT_S:
            self._drain_batch()

    def _drain_batch(self) -> int:
        batch = self._spool.finished(_BATCH)
        if batch:
            self._write(batch, self._spool.name)
            self._spool.forget(len(batch))
        return len(batch)

    def drain_orphans(self) -> int:
        """Carry over what dead processes left: an attempt without an end becomes unknown.

        A file that cannot be read or removed holds up no other. Raises OSError for it in the end.
        """
        total, trouble, held = 0, None, set()
        for orphan in self._spool.orphans():
            if orphan.process in held:
                orphan.release()
                continue
            try:
                total += self._drain_orphan(orphan)
            except OSError as error:
                # What is behind it would pass for carried over, too.
                held.add(orphan.process)
                trouble = error
        if trouble:
            raise trouble
        return total

    def _drain_orphan(self, orphan: Orphan) -> int:
        try:
            attempts, unreadable = orphan.read()
            for start in range(0, len(attempts), _BATCH):
                self._write(attempts[start : start + _BATCH], orphan.process)
            for line in unreadable:
                self._spool.reject(line, "unreadable")
        except Newer as error:
            orphan.release()
            self._leave(error)
            return 0
        except BaseException:
            orphan.release()
            raise
        orphan.discard()
        if not self._spool.has_files_of(orphan.process):
            move_mark(Mark(orphan.process, OVER))
        return len(attempts)

    def _leave(self, error: Newer) -> None:
        if not self._has_left:
            _log.warning("A spool that was left behind is for a later version to drain: %s", error)
        self._has_left = True

    def _write(self, attempts: Sequence[AttemptRecord], process: str) -> None:
        """Insert them; one that SQL refuses for its content is put aside, so as not to hold up the others."""
        mark = Mark(process, max(attempt.seq for attempt in attempts))
        try:
            record_attempts(list(map(_ended, attempts)), mark, at=time.time())
            _note(self._news, attempts)
            self._notes.hear(attempts)
            if self._bases:
                self._bases.recorded(attempts, mark.process, mark.seq)
        except _REFUSED_FOR_CONTENT as error:
            if len(attempts) == 1:
                self._spool.reject(attempts[0], f"{type(error).__name__}: {error}")
                return move_mark(mark)
            middle = len(attempts) // 2
            self._write(attempts[:middle], process)
            self._write(attempts[middle:], process)
        return None

    def tell_alarms(self) -> None:
        """Raise and clear the alarms that the attempts carried over since the last time tell of."""
        if self._news:
            write_updates(self._news, at=datetime.now(UTC))
            self._news.clear()

    def _run(self) -> None:
        spool_at = orphans_at = touches_at = news_at = bases_at = time.monotonic()
        while not self._stopping.wait(_PACE_S):
            now = time.monotonic()
            self._attempt("ledger", self.drain_due)
            if now >= spool_at:
                self._attempt("the spool", self._spool.examine)
                spool_at = now + _SPOOL_EVERY_S
            if now >= orphans_at:
                self._attempt("left spools", self.drain_orphans)
                orphans_at = now + _ORPHANS_EVERY_S
            if now >= news_at:
                self._attempt("alarms", self.tell_alarms)
                self._attempt("how calls were routed", self._notes.write)
                self._tell_health()
                news_at = now + _NEWS_EVERY_S
            if self._bases and now >= bases_at:
                self._attempt("what the store knows of budgets", self._bases.renew)
                self._attempt("budgets that refuse calls", self._bases.tell_refused)
                bases_at = now + _BASES_EVERY_S
            if now >= touches_at:
                self._attempt("last use of keys", self._flush_touched)
                touches_at = now + _TOUCHES_EVERY_S
        self._finish()

    def _finish(self) -> None:
        self._attempt("ledger", self.drain)
        self._attempt("alarms", self.tell_alarms)
        self._attempt("how calls were routed", self._notes.write)
        self._tell_health()
        self._attempt("last use of keys", self._flush_touched)
        connections.close_all()

    def _tell_health(self) -> None:
        if self._health:
            self._attempt("what breakers did", self._health.write)

    def _attempt(self, name: str, duty: Callable[[], object]) -> None:
        """Whatever happens, the next round tries again; the log tells of the first failure and of its end."""
        try:
            with self._patience.limit():
                duty()
        except Exception as error:  # noqa: BLE001  # a task loop
            # A broken connection stays broken until it is closed; the next query opens another one.
            connection.close()
            if name not in self._failing:
                _log.error(
                    "The recorder cannot write: %s (%s). It keeps trying.",
                    name,
                    sql.brief(error),
                    exc_info=None if sql.is_away(error) else error,
                )
            self._failing.add(name)
            return
        if name in self._failing:
            self._failing.discard(name)
            _log.warning("The recorder writes again: %s.", name)


def _ended(attempt: AttemptRecord) -> AttemptRecord:
    return attempt if attempt.closed else AttemptRecord(attempt.opened, _unknown(attempt.opened))


def _note(news: AlarmUpdates, attempts: Sequence[AttemptRecord]) -> None:
    began: dict[tuple[str, str], float] = {}
    for attempt in attempts:
        opened, closed = attempt.opened, attempt.closed
        if closed is None:
            continue
        further = opened.own_credential_id or opened.operator_credential_id
        if closed.about_us:
            at = _instant(closed.ended_at or opened.started_at)
            refusal = Refusal(closed.error_code, closed.status, closed.about_us, at, at)
            if further:
                news.refuse_further(further, refusal)
            else:
                news.refuse(opened.provider, opened.upstream_name, refusal)
        elif closed.outcome == FINISHED and not further:
            place = opened.provider, opened.upstream_name
            began[place] = max(began.get(place, 0.0), opened.started_at)
    for (provider, upstream_name), last_at in began.items():
        news.accept(provider, upstream_name, _instant(last_at))


def _unknown(opened: AttemptOpened) -> AttemptClosed:
    """Its process died. That is not the team's to pay; what we lose is at least the prompt."""
    counts = counted(input_tokens=opened.input_tokens)
    prompt = Usage(counts, is_estimated=True) if counts else None
    bill = settle(
        find_payer(LedgerEntry.Outcome.UNKNOWN, PROCESS_LOST), None, prompt, partial(_cost_usd, opened)
    )
    if opened.own_credential_id:
        bill = bill.on_own()
    return AttemptClosed(
        attempt_id=opened.attempt_id,
        ended_at=None,
        outcome=LedgerEntry.Outcome.UNKNOWN,
        error_code=PROCESS_LOST,
        usage=usage_fields(bill.usage),
        is_estimated=prompt is not None,
        cost_usd=f"{bill.cost_usd:f}",
        loss_usd=f"{bill.loss_usd:f}",
        own_cost_usd=f"{bill.own_cost_usd:f}",
    )


def _cost_usd(opened: AttemptOpened, usage: Usage) -> Decimal:
    return cost_usd(usage, prices_of(opened.prices))


def _instant(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
