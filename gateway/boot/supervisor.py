"""Several web processes behind one listening socket: started, restarted when they die, and ended together.

They are forked off a process that has imported everything by then (Python's own fork server): what each of four takes
for itself is a third of what it would take alone, and one that died is replaced without importing anything again.
"""

import logging
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from types import FrameType

from gateway.boot import outlet

logger = logging.getLogger(__name__)

# Tells each child how many there are, so that its checks can judge it.
PROCESSES_VARIABLE = "GATEWAY_WEB_PROCESSES"
POLL_S = 0.1
# A process that died younger than this waits for the rest of it, so that a broken one does not spin.
RESTART_PAUSE_S = 1.0
STARTED_AFTER_S = 5.0
# What Python tells of a child that nobody watches any more, since the process that forked it off was killed.
_UNWATCHED = 255

Serve = Callable[[socket.socket, Callable[[], bool]], None]


@dataclass(slots=True)
class Child:
    process: ForkServerProcess
    started_at: float

    def has_ended(self) -> bool:
        return self.process.exitcode is not None


class Supervisor:
    """Keeps `count` processes alive that each `serve` what connects to `listener`.

    `serve` is a module's function, and may raise SystemExit. It is called with the listener and with what says whether
    this supervisor is gone. The module `preloaded` is imported once, before any of them begins.
    """

    def __init__(
        self,
        serve: Serve,
        listener: socket.socket,
        count: int,
        *,
        preloaded: str,
    ) -> None:
        self._serve = serve
        self._listener = listener
        self._forks = multiprocessing.get_context("forkserver")
        self._forks.set_forkserver_preload([preloaded])
        self._children: list[Child] = []
        self._count = count
        self._signals = 0
        self._stillborn = 0
        """Children in a row that ended in an error before they had lived for long."""

    def run(self) -> int:
        """Returns the exit code: 0 after a signal, the children's own if they cannot start at all."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)
        self._children = [self._start() for _ in range(self._count)]
        code = 0
        while not self._signals and not code:
            time.sleep(POLL_S)
            code = self._replace_the_dead()
        if not code:
            outlet.show("\nStopping: calls that run are given time to end. Press Ctrl-C again to stop now.")
            return self._end()
        # Those that still try end with the others.
        self._signals += 1
        self._end()
        return code

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        # Only noted: passed on by the loop, no child can be missed that was being started just now.
        self._signals += 1

    def _start(self) -> Child:
        process = self._forks.Process(target=_run_child, args=[self._serve, self._listener])
        process.start()
        return Child(process, time.monotonic())

    def _replace_the_dead(self) -> int:
        """Returns the exit code of children that cannot start, where starting again is of no use."""
        for place, child in enumerate(self._children):
            if not child.has_ended():
                continue
            age_s = time.monotonic() - child.started_at
            code = child.process.exitcode or 0
            is_stillborn = 0 < code < _UNWATCHED and age_s < STARTED_AFTER_S
            self._stillborn = self._stillborn + 1 if is_stillborn else 0
            if self._stillborn >= self._count and not self._has_grown_child():
                return code
            logger.warning("Web process %d ended with %d; starting another.", child.process.pid, code)
            time.sleep(max(0.0, RESTART_PAUSE_S - age_s))
            self._children[place] = self._start()
        return 0

    def _has_grown_child(self) -> bool:
        """One that has started. Two that cannot need not be found dead at the same moment."""
        grown_before = time.monotonic() - STARTED_AFTER_S
        return any(child.started_at < grown_before and not child.has_ended() for child in self._children)

    def _end(self) -> int:
        """Pass on each signal until all children have ended; the first exit code that is not 0."""
        told = 0
        while not all(child.has_ended() for child in self._children):
            if told < self._signals:
                told += 1
                for child in self._children:
                    child.process.terminate()
            time.sleep(POLL_S)
        # A child that had not yet come to install its handler is ended by the signal itself.
        codes = [child.process.exitcode for child in self._children]
        return next((abs(code) for code in codes if code not in {0, -signal.SIGTERM, None}), 0)


def _run_child(serve: Serve, listener: socket.socket) -> None:
    # A group of its own: Ctrl-C reaches it once, through the supervisor, and not twice.
    os.setpgid(0, 0)
    forker, supervisor = os.getppid(), multiprocessing.parent_process()
    # Without the process that forked this one off, the supervisor cannot know how this one fares.
    serve(listener, lambda: os.getppid() != forker or not (supervisor and supervisor.is_alive()))
