"""Standard output and error, written by threads of their own: who stops reading them stops nothing of ours.

A pipe that nobody reads is full after 64 KiB, and whoever writes a line more stands still: the event loop, a signal's
handler, a supervisor. So all that is printed or logged waits in a queue; what finds that full is dropped and counted.
"""

import atexit
import io
import os
import sys
import threading
import time
from queue import SimpleQueue
from typing import TextIO

PIECES_MOST = 5_000
SETTLE_S = 1.0
_AGAIN_S = 0.05


class Unwritable(Exception):
    """What had to be shown could not be; the message says why."""


class Outlet:
    """One descriptor with its queue and its thread. `put` never waits, and may be called in a signal's handler."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        # Its `put` is reentrant, unlike that of the queue that has a limit.
        self._waiting: SimpleQueue[str | threading.Event] = SimpleQueue()
        self._lock = threading.RLock()
        self._dropped = 0
        self.failure: OSError | None = None
        """Why the last piece could not be written; None if it could."""
        threading.Thread(target=self._run, name=f"outlet-{descriptor}", daemon=True).start()

    def put(self, text: str) -> None:
        if self._waiting.qsize() < PIECES_MOST:
            self._waiting.put(text)
        else:
            self._drop(text)

    def settle(self, timeout_s: float = SETTLE_S) -> bool:
        """Wait until all that was put before is written, or has failed; False: somebody does not read."""
        is_written = threading.Event()
        self._waiting.put(is_written)
        return is_written.wait(timeout_s)

    def _run(self) -> None:
        while True:
            piece = self._waiting.get()
            if isinstance(piece, threading.Event):
                piece.set()
            else:
                self._pass_on(piece)

    def _pass_on(self, text: str) -> None:
        try:
            # Past Python's own file: a thread that stands in its lock would make the end of the process an abort.
            self._write(text.encode(errors="backslashreplace"))
            if dropped := self._take_dropped():
                self._write(
                    f"... and {dropped} lines that were dropped, because nobody read them.\n".encode()
                )
            self.failure = None
        except OSError as error:
            self.failure = error
            self._drop(text)

    def _write(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                # Whoever shares the pipe has made it so.
                time.sleep(_AGAIN_S)

    def _drop(self, text: str) -> None:
        with self._lock:
            self._dropped += text.count("\n")

    def _take_dropped(self) -> int:
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        return dropped


class _Stream(io.TextIOBase):
    """What stands for `sys.stdout` or `sys.stderr`."""

    encoding = "utf-8"

    def __init__(self, original: TextIO) -> None:
        self.original = original
        self.outlet = Outlet(original.fileno())
        self._nowhere = os.open(os.devnull, os.O_WRONLY)

    def write(self, text: str, /) -> int:
        self.outlet.put(text)
        return len(text)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self.original.isatty()

    def fileno(self) -> int:
        """Nobody's: Celery says in its signals' handlers that it stops, past the stream and so perhaps for ever."""
        return self._nowhere


def install() -> None:
    """From now on nobody in this process waits for whoever reads its output. Safe to repeat."""
    if isinstance(sys.stdout, _Stream):
        return
    for name in ("stdout", "stderr"):
        original: TextIO | None = getattr(sys, name)
        if original is None:
            continue
        original.flush()
        stream = _Stream(original)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
        atexit.register(stream.outlet.settle)


def show(text: str) -> None:
    """Print what a person should see, if anybody looks."""
    if text:
        sys.stdout.write(f"{text}\n")


def hand_over(text: str) -> None:
    """Print what is shown this once only. Raises Unwritable; a reader who merely is late gets it later."""
    show(text)
    stream = sys.stdout
    if not isinstance(stream, _Stream):
        stream.flush()
    elif stream.outlet.settle() and stream.outlet.failure:
        reason = stream.outlet.failure.strerror
        raise Unwritable(
            f"Standard output cannot be written ({reason}); send it where there is room. Secrets that were made "
            "now are not shown again: manage.py changepassword NAME and manage.py create_key make others."
        )
