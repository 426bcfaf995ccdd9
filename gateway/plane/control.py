"""The control thread: notices by the revision what has changed, and swaps what the data plane holds in memory."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from django.db import Error as DatabaseError
from django.db import connection

from accounts import revision
from accounts.revision import Revisions
from accounts.rule_loading import rules_in_force
from accounts.rules import Rules
from catalogue.published.loading import snapshots
from catalogue.published.snapshot import Snapshot
from gateway.core import sql

logger = logging.getLogger(__name__)

POLL_S = 0.3
_STOP_S = 5.0


class Directory(Protocol):
    """The keys in memory, as far as this thread keeps them fresh."""

    def refresh(self, revisions: Revisions) -> None: ...

    def confirm(self, at: float) -> None: ...


class Control:
    """Keeps the snapshot of this process fresh. If SQL is away, the last one stays."""

    def __init__(self, keys: Directory | None = None, *, on_providers: Callable[[], None]) -> None:
        """`on_providers` is called at the start, and before the snapshot shows providers that changed."""
        self._keys = keys
        self._on_providers = on_providers
        self._seen: Revisions | None = None
        self._confirmed_at = self._heard_at = time.monotonic()
        self._patience = sql.Patience()
        self._failures = 0
        self._should_stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    @property
    def current(self) -> Snapshot:
        return snapshots.current

    @property
    def rules(self) -> Rules:
        return rules_in_force.current

    @property
    def age_s(self) -> float:
        """Since SQL last said that nothing newer is there."""
        return time.monotonic() - self._confirmed_at

    @property
    def silence_s(self) -> float:
        """Since SQL last said anything."""
        return time.monotonic() - self._heard_at

    def start(self) -> None:
        """Load everything once, then go on in a thread. Raises django.db.Error if the first load fails."""
        try:
            self._poll()
        finally:
            # This thread, whichever it is, has no further use for its connection.
            connection.close()
        self._thread.start()

    def stop(self) -> None:
        self._should_stop.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_S)

    def _run(self) -> None:
        while not self._should_stop.wait(POLL_S):
            try:
                self._poll()
            except DatabaseError as error:
                self._note_failure(error)
                connection.close()
            except Exception:
                # Whatever it is, the poll must go on: revocations depend on it.
                logger.exception("Loading what changed failed; what is in memory stays in use.")
            else:
                self._note_success()
        connection.close()

    def _note_failure(self, error: DatabaseError) -> None:
        self._failures += 1
        if self._failures == 1:
            logger.warning(
                "The revision cannot be read; what is in memory stays in use: %s", sql.brief(error)
            )

    def _note_success(self) -> None:
        if self._failures:
            logger.warning("The revision is read again, after %d failures.", self._failures)
        self._failures = 0

    def _poll(self) -> None:
        with self._patience.limit():
            self._catch_up()

    def _catch_up(self) -> None:
        asked_at = time.monotonic()
        now = revision.read()
        self._heard_at = time.monotonic()
        if now != self._seen:
            if self._keys:
                self._keys.refresh(now)
            if self._seen is None or now.providers != self._seen.providers:
                self._on_providers()
            if self._seen is None or now.rules != self._seen.rules:
                rules_in_force.refresh()
            snapshots.refresh()
            self._seen = now
        self._confirmed_at = asked_at
        if self._keys:
            self._keys.confirm(asked_at)
        if now.owes_keys:
            revision.tell_keys()
