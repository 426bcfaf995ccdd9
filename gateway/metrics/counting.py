"""The thread that folds what this process did into its files, once a second; one for each process."""

import logging
import os
import secrets
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.db import connection

from accounts.models import Team
from gateway.core import sql
from gateway.metrics.exporter import serving_metrics
from gateway.metrics.files import OwnFiles
from gateway.metrics.folding import Fold
from gateway.metrics.gauges import ProcessGauges
from gateway.metrics.labels import TeamNames
from gateway.metrics.observer import MetricsObserver
from gateway.metrics.tasks import TaskNotes
from gateway.metrics.totals import Totals

_log = logging.getLogger(__name__)
_PACE_S = 1.0
_NAMES_EVERY = 300
"""Rounds."""
_STOP_S = 5.0
_beside = ExitStack()


class Source(Protocol):
    def look(self, totals: Totals) -> None: ...


class Counting:
    """Of one process. `observer` is told of calls; `watch` adds what is looked at."""

    def __init__(self, kind: str, folder: Path, *, most_teams: int) -> None:
        self.observer = MetricsObserver()
        self._folder = folder
        self._totals = Totals()
        self._teams = TeamNames(read_teams, most_teams)
        self._fold = Fold(self._totals, self._teams)
        self._tasks = TaskNotes()
        self._sources: list[Source] = [ProcessGauges(kind), self._tasks, self._fold.remaining]
        self._failing: set[str] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def watch(self, source: Source) -> None:
        self._sources = [*self._sources, source]

    def start(self) -> None:
        self._tasks.listen()
        self._thread.start()

    def stop(self) -> None:
        self._tasks.leave()
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_S)

    def _run(self) -> None:
        try:
            files = OwnFiles(self._folder, f"{os.getpid()}-{secrets.token_hex(4)}")
        except OSError as error:
            _log.error("Metrics of this process cannot be written: %s", error)  # no fault of the code
            return
        rounds = 0
        while not self._stopping.wait(_PACE_S):
            rounds += 1
            if rounds % _NAMES_EVERY == 0:
                self._teams.forget()
            self._attempt(files)
        self._attempt(files)
        files.close()
        connection.close()

    def _attempt(self, files: OwnFiles) -> None:
        """A fault is told once: it is no reason to leave calls alone."""
        try:
            self._round(files)
        except Exception as error:  # noqa: BLE001  # whatever it is, the next round comes
            if repr(error) not in self._failing:
                self._failing.add(repr(error))
                _log.exception("A round of the metrics failed. This is logged once, and they go on.")

    def _round(self, files: OwnFiles) -> None:
        self._fold.take(*self.observer.take())
        for source in self._sources:
            source.look(self._totals)
        files.write(self._totals.end_round())


def read_teams() -> Mapping[int, str]:
    """Slugs by id, the oldest first."""
    try:
        with sql.answer_within(sql.QUICK_S):
            return dict(Team.objects.order_by("pk").values_list("pk", "slug"))
    finally:
        connection.close()


def count_beat() -> None:
    """For as long as this process lives; it counts what it sends."""
    if beat := counting("beat"):
        beat.start()
        _beside.enter_context(serving_metrics())


def counting(kind: str) -> Counting | None:
    """None where nobody asked for metrics: then nothing is counted."""
    if not (settings.METRICS_PORT or settings.METRICS_TOKEN):
        return None
    return Counting(kind, settings.METRICS_DIR, most_teams=settings.METRICS_TEAMS)
