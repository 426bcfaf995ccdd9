"""One at a time prepares a database; whoever comes meanwhile waits and says so."""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.utils import CursorWrapper

from gateway.core.private_files import open_private

WAITING = "Another process prepares this database; waiting until it is done."
# Any number that nothing else locks. PostgreSQL keeps such locks by database.
_LOCK = 0x6761_7465
_LOOK_S = 0.2


@contextmanager
def alone(say: Callable[[str], object]) -> Iterator[None]:
    """Hold the database against others who prepare it. Ends with the process too. Raises django.db.OperationalError."""
    is_shared = connections[DEFAULT_DB_ALIAS].vendor == "postgresql"
    with _holding_advisory_lock(say) if is_shared else _holding_file(say):
        yield


@contextmanager
def _holding_advisory_lock(say: Callable[[str], object]) -> Iterator[None]:
    """By a connection of its own: migrations may close theirs."""
    own = connections.create_connection(DEFAULT_DB_ALIAS)
    try:
        with own.cursor() as cursor:
            if not _is_ours(cursor):
                say(WAITING)
                # Asked again and again: a statement that waits could not be told from a database that is mute.
                while not _is_ours(cursor):
                    time.sleep(_LOOK_S)
            try:
                yield
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    finally:
        own.close()


def _is_ours(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
    return bool(cursor.fetchone()[0])


@contextmanager
def _holding_file(say: Callable[[str], object]) -> Iterator[None]:
    database = Path(connections[DEFAULT_DB_ALIAS].settings_dict["NAME"])
    with open(database.with_suffix(".preparing"), "a", opener=open_private) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(WAITING)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
