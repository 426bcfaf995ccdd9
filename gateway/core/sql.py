"""How a process uses SQL: how long its threads wait, whose connections they take, what is told where it is away."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import psycopg
from django.db import InterfaceError, InternalError, OperationalError

logger = logging.getLogger(__name__)

STATEMENT_S = 10.0
"""For pages and tasks. Longer than a lock is waited for, so that a lock has its own error."""
QUICK_S = 3.0
"""For what calls wait for, and for the threads that keep a process fresh: all of it answers in milliseconds."""
LONGEST_S = 30.0
IDLE_IN_TRANSACTION_S = 15
"""After which the server gives up a transaction, and its locks, of somebody who may be unable to say so."""
RETRY_AFTER_S = 5
AWAY = "The database does not answer, or has too much to do; try again shortly."
BUSY = "Another change is being written and did not end in time, so this one was not made. Try again in a moment."
READ_ONLY = "The database can only be read at the moment, and this change needs more; try again shortly."
_TELL_EVERY_S = 60.0
# Source: PostgreSQL's list of error codes: lock_not_available, deadlock_detected.
_POSTGRESQL_BUSY = frozenset({"55P03", "40P01"})
_POSTGRESQL_READ_ONLY = "25006"
_SQLITE_BUSY = frozenset({5, 6})
# Busy or locked, read-only, cannot be read or written, full, cannot be opened; anything else is a wrong statement.
# Source: https://www.sqlite.org/rescode.html
_SQLITE_AWAY = frozenset({5, 6, 8, 10, 13, 14})

_limit_s: ContextVar[float | None] = ContextVar("sql_limit_s", default=None)
_is_pooled: ContextVar[bool] = ContextVar("sql_is_pooled", default=False)
_limit_everywhere_s: float | None = None


class Unanswered(psycopg.OperationalError):
    """Nothing came from the database for so long that its connection was closed."""


def limit_s() -> float | None:
    """How long this thread waits for the next byte. None: for ever, as migrations must."""
    return _limit_everywhere_s if _limit_s.get() is None else _limit_s.get()


def limit_everywhere(seconds: float) -> None:
    """For each thread of this process that does not say otherwise: it serves, and must not hang."""
    global _limit_everywhere_s  # noqa: PLW0603  (of the process, as its threads)
    _limit_everywhere_s = seconds


@contextmanager
def answer_within(seconds: float) -> Iterator[None]:
    """Raises OperationalError where nothing comes for so long; the connection is closed then.

    Each byte gives as long again: a long answer on its way is no silence.
    """
    token = _limit_s.set(seconds)
    try:
        yield
    finally:
        _limit_s.reset(token)


def is_pooled() -> bool:
    return _is_pooled.get()


@contextmanager
def pooled() -> Iterator[None]:
    """Take connections from the pool of this process, which has only so many; other threads have their own."""
    token = _is_pooled.set(True)
    try:
        yield
    finally:
        _is_pooled.reset(token)


class Patience:
    """Of a thread that tries again and again: longer after each time in vain, as SQL may be slow and not silent."""

    def __init__(self) -> None:
        self._now_s = QUICK_S

    @contextmanager
    def limit(self) -> Iterator[None]:
        try:
            with answer_within(self._now_s):
                yield
        except OperationalError as error:
            if isinstance(error.__cause__, Unanswered):
                self._now_s = min(2 * self._now_s, LONGEST_S)
            raise
        self._now_s = QUICK_S


def is_away(error: BaseException | None) -> bool:
    """Whether the database was lacking, and not the statement wrong: to try again may help."""
    if _is_read_only(error):
        return True
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    # An extended code has the plain one in its last byte.
    return code is None or code & 0xFF in _SQLITE_AWAY


def is_busy(error: BaseException | None) -> bool:
    """The database answers, and somebody else held for too long what this change needed."""
    if not isinstance(error, OperationalError):
        return False
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_BUSY
    return getattr(error.__cause__, "sqlstate", None) in _POSTGRESQL_BUSY


def _is_read_only(error: BaseException | None) -> bool:
    """As a standby is, or a PostgreSQL that was told to be: psycopg does not count that among what is operational."""
    if not isinstance(error, InternalError):
        return False
    return getattr(error.__cause__, "sqlstate", None) == _POSTGRESQL_READ_ONLY


def explain(error: BaseException) -> tuple[str, str]:
    """Of an error that `is_away`: what people are told, and its code."""
    if is_busy(error):
        return BUSY, "busy"
    return READ_ONLY if _is_read_only(error) else AWAY, "database_unavailable"


def brief(error: BaseException) -> str:
    """The first line of what a database says."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


class Refusals:
    """Requests and tasks that SQL could not serve: the first is told at once, later ones by number once a minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._told_at = -_TELL_EVERY_S

    def note(self, error: BaseException) -> None:
        with self._lock:
            self._count += 1
            if time.monotonic() - self._told_at < _TELL_EVERY_S:
                return
            count, self._count, self._told_at = self._count, 0, time.monotonic()
        logger.error(
            "Requests and tasks that failed with the database since last told: %d; it says: %s",
            count,
            brief(error),
        )


refusals = Refusals()
"""Of this process."""
