"""Several web processes behind one listening socket: started, restarted when they die, and ended together."""

import logging
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from types import FrameType

from gateway.boot import outlet

logger = logging.getLogger(__name__)

# Tells each child how many there are, so that its checks can judge it.
PROCESSES_VARIABLE = "GATEWAY_WEB_PROCESSES"
POLL_S = 0.1
# A process that died younger than this waits for the rest of it, so that a broken one does not spin.
RESTART_PAUSE_S = 1.0
STARTED_AFTER_S = 5.0


@dataclass(slots=True)
class Child:
    process: subprocess.Popen[bytes]
    started_at: float

    def has_ended(self) -> bool:
        return self.process.poll() is not None


class Supervisor:
    """Keeps `count` processes of `command` alive; each inherits the listening socket as `--descriptor`."""

    def __init__(self, command: list[str], listener: socket.socket, count: int) -> None:
        self._command = [*command, "--descriptor", str(listener.fileno()), "--parent", str(os.getpid())]
        self._listener = listener
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
        # A group of its own: Ctrl-C reaches it once, through us, and not twice.
        process = subprocess.Popen(  # noqa: S603
            self._command, pass_fds=[self._listener.fileno()], process_group=0, stdin=subprocess.DEVNULL
        )
        return Child(process, time.monotonic())

    def _replace_the_dead(self) -> int:
        """Returns the exit code of children that cannot start, where starting again is of no use."""
        for place, child in enumerate(self._children):
            if not child.has_ended():
                continue
            age_s = time.monotonic() - child.started_at
            code = child.process.returncode
            self._stillborn = self._stillborn + 1 if code > 0 and age_s < STARTED_AFTER_S else 0
            if self._stillborn >= self._count and not self._has_grown_child():
                return int(code)
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
                    child.process.send_signal(signal.SIGTERM)
            time.sleep(POLL_S)
        # A child that had not yet come to install its handler is ended by the signal itself.
        codes = [child.process.returncode for child in self._children]
        return next((abs(code) for code in codes if code not in {0, -signal.SIGTERM}), 0)
