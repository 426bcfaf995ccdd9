"""Runs the tests in several processes, forked off once all tests are collected: `pytest -p tests.at_once`.

Where each process starts for itself, as with pytest-xdist, each collects them all again. On two processors the tests
of the providers take 71 to 76 s of processor time with this, and with pytest-xdist 3.8 (`--dist loadfile`) 82 to 95
s in three processes and 96 to 114 s in five; of all tests each further process would collect for 15 s.
Files are handed out whole, in their order, to whoever is free; tests that are marked `apart` each by itself, since all
of their file together would take longer than everything else. Files that are marked `together` by one name, and follow
one another, go to one process: what they share costs more to start, and to keep, than the others gain.
"""

import faulthandler
import gc
import itertools
import os
import random
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any, NoReturn

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key

# More would only take the processor from tests that wait for something.
MOST_PROCESSES = 6
PLACE_BYTES = 4
# Their places fit into a pipe that nobody reads yet.
MOST_FILES = 16_384

Files = Sequence[Sequence[pytest.Item]]


def count_processes() -> int:
    """Twice as many as processors and one more: many tests wait for other programs."""
    return min(2 * (os.cpu_count() or 1) + 1, MOST_PROCESSES)


def pytest_configure() -> None:
    """Nothing of what is collected is given up: to look through it again and again takes a fifth of the time."""
    gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    gc.enable()
    if session.testsfailed or session.config.option.collectonly:
        return None
    files = [list(items) for _, items in itertools.groupby(session.items, _lot)]
    assert len(files) <= MOST_FILES
    places, hand_out = os.pipe()
    os.write(hand_out, b"".join(place.to_bytes(PLACE_BYTES, "big") for place in range(len(files))))
    os.close(hand_out)
    # What is there by now stays: to look through it in each process would also copy it into each.
    gc.collect()
    gc.freeze()
    processes: list[Process] = []
    try:
        processes += (
            fork(number, session, files, places) for number in range(min(count_processes(), len(files)))
        )
        Listener(session).hear_out(processes)
    finally:
        for process in processes:
            process.end()
        os.close(places)
        gc.unfreeze()
    return True


def _lot(item: pytest.Item) -> tuple[object, str]:
    """What is handed out together."""
    if item.get_closest_marker("apart"):
        return item.path, item.nodeid
    together = item.get_closest_marker("together")
    return together.args[0] if together else item.path, ""


@dataclass
class Process:
    pid: int
    reports: Connection
    running: str = ""
    status: int | None = None

    def end(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGINT)
            self.wait()
        self.reports.close()

    def wait(self) -> None:
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Listener:
    """Passes on what the processes report, as if their tests had run here."""

    def __init__(self, session: pytest.Session) -> None:
        self._session = session
        self._hook = session.config.hook
        self._waiting = {item.nodeid: item.location for item in session.items}

    def hear_out(self, processes: Sequence[Process]) -> None:
        talking = {process.reports: process for process in processes}
        while talking:
            for reports in wait(list(talking)):
                try:
                    self._hear(talking[reports], reports.recv())
                except EOFError:
                    self._note_end(talking.pop(reports))
                if self._session.shouldfail:
                    raise self._session.Failed(self._session.shouldfail)
                if self._session.shouldstop:
                    raise self._session.Interrupted(self._session.shouldstop)
        if self._waiting:
            self._session.shouldfail = f"{len(self._waiting)} tests did not run"
            raise self._session.Failed(self._session.shouldfail)

    def _hear(self, process: Process, told: str | dict[str, Any]) -> None:
        """A test that begins, or a report."""
        if isinstance(told, str):
            process.running = told
            self._hook.pytest_runtest_logstart(nodeid=told, location=self._waiting[told])
            return
        report = self._hook.pytest_report_from_serializable(config=self._session.config, data=told)
        self._hook.pytest_runtest_logreport(report=report)
        if report.when == "teardown":
            self._finish(process)

    def _note_end(self, process: Process) -> None:
        process.wait()
        if process.running:
            place = self._waiting[process.running]
            text = f"The process that ran this test ended with {process.status}."
            report = pytest.TestReport(process.running, place, {}, "failed", text, "call")
            self._hook.pytest_runtest_logreport(report=report)
            self._finish(process)

    def _finish(self, process: Process) -> None:
        place = self._waiting.pop(process.running)
        self._hook.pytest_runtest_logfinish(nodeid=process.running, location=place)
        process.running = ""


class Reporter:
    """What a process tells of its tests."""

    def __init__(self, config: pytest.Config, reports: Connection) -> None:
        self._config = config
        self._reports = reports

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._reports.send(nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        hook = self._config.hook
        self._reports.send(hook.pytest_report_to_serializable(config=self._config, report=report))


class Watch:
    """Ends a process whose test hangs, and shows where, as pytest's own plugin does.

    That sets its clock anew for each test, and waits for the thread of the one before to end: on busy processors longer
    than many a test takes, of which there are thousands. This one does so where a tenth of the time is over.
    """

    def __init__(self, timeout_s: float, **options: Any) -> None:
        self._timeout_s = timeout_s
        self._options = options
        self._seldom_s = self._timeout_s / 10
        self._next_at = 0.0

    def pytest_runtest_logstart(self) -> None:
        self.begin(time.monotonic())

    def begin(self, now: float) -> None:
        """With a test, which has all of the time, and at most a tenth more."""
        if self._timeout_s and now >= self._next_at:
            self._next_at = now + self._seldom_s
            faulthandler.dump_traceback_later(self._timeout_s + self._seldom_s, **self._options)


def watch(config: pytest.Config) -> Watch:
    """By the options of pytest's own plugin, whose file it writes to."""
    return Watch(
        float(config.getini("faulthandler_timeout") or 0),
        file=config.stash[fault_handler_stderr_fd_key],
        exit=config.getini("faulthandler_exit_on_timeout"),
    )


def fork(number: int, session: pytest.Session, files: Files, places: int) -> Process:
    heard, told = Pipe(duplex=False)
    folder = session.config._tmp_path_factory.getbasetemp() / f"process-{number}"  # type: ignore[attr-defined]
    pid = os.fork()
    if not pid:
        heard.close()
        folder.mkdir()
        session.config._tmp_path_factory._basetemp = folder  # type: ignore[attr-defined]
        run(session, in_turn(files, places), told)
    told.close()
    return Process(pid, heard)


def in_turn(files: Files, places: int) -> Iterator[Sequence[pytest.Item]]:
    while place := os.read(places, PLACE_BYTES):
        yield files[int.from_bytes(place, "big")]


def run(session: pytest.Session, lots: Iterator[Sequence[pytest.Item]], told: Connection) -> NoReturn:
    code = 1
    random.seed()
    try:
        plugins = session.config.pluginmanager
        plugins.unregister(name="terminalreporter")
        plugins.register(Reporter(session.config, told))
        if plugins.unregister(name="faulthandler"):
            plugins.register(watch(session.config))
        # Its files are the same as those of the other processes until it opens others.
        capturing = plugins.getplugin("capturemanager")
        capturing.stop_global_capturing()
        capturing.start_global_capturing()
        try:
            run_all(session, lots)
        finally:
            session._setupstate.teardown_exact(None)
            capturing.stop_global_capturing()
        code = 0
    except KeyboardInterrupt:
        pass
    except BaseException:  # noqa: BLE001 - whatever it is, nobody else would tell
        traceback.print_exc()
    finally:
        os._exit(code)


def run_all(session: pytest.Session, lots: Iterator[Sequence[pytest.Item]]) -> None:
    """Each test has to know which comes next: what that one does not share is taken down.

    Behind the last of a lot that is the session, which all share: to take the next lot so early would keep it from
    whoever is free before.
    """
    for lot in lots:
        for item, following in itertools.pairwise([*lot, session]):
            if session.shouldfail or session.shouldstop:
                return
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
