"""A program of ours as a child process: started, watched line by line, signalled, and ended whatever happens."""

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from tests.patience import HANG_S

ROOT = Path(__file__).resolve().parents[2]
HIDDEN = ("jinja2", "opentelemetry", "pygments", "rich", "trio")
"""What only tools of the tests need. Libraries of ours load it where it is there: a quarter of a start."""
BARE = {
    "PYTHONPATH": os.pathsep.join([str(ROOT / "tests" / "bare"), str(ROOT)]),
    "GATEHOUSE_TESTS_HIDE": " ".join(HIDDEN),
}
"""For the environment of a program of ours, which finds what production has."""


def supervised_by(pid: int) -> list[int]:
    """The web processes of a supervisor: what the processes that it started have forked off."""
    return [each for started in _children_of(pid) for each in _children_of(started)]


def _children_of(pid: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


class Program:
    def __init__(self, arguments: Sequence[str], environment: dict[str, str]) -> None:
        self.text = ""
        self.environment = environment
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=ROOT,
            env=os.environ | BARE | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, words: str, timeout_s: float = HANG_S) -> None:
        deadline = time.monotonic() + timeout_s
        while words not in self.text:
            ended = self.process.poll() is not None and not self._reader.is_alive()
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"{words!r} was not printed; printed was:\n{self.text}")
            time.sleep(0.02)

    def end(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = HANG_S) -> int:
        """Send the signal and wait; the exit code."""
        self.process.send_signal(number)
        return self.wait(timeout_s)

    def wait(self, timeout_s: float = HANG_S) -> int:
        code = self.process.wait(timeout_s)
        # A child of its own may live on and hold the pipe.
        self._reader.join(5)
        if self.process.stdout and not self._reader.is_alive():
            self.process.stdout.close()
        return code

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.text += line


@contextlib.contextmanager
def running(*arguments: str, **environment: str) -> Iterator[Program]:
    """`python -m` with these arguments; its whole process group is killed at the end."""
    program = Program(arguments, environment)
    try:
        yield program
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.process.pid, signal.SIGKILL)
        program.wait()


def call_from(curl_line: str) -> httpx.Request:
    """The request that a pasted curl line makes."""
    words = shlex.split(curl_line)
    assert words[0] == "curl"
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    return httpx.Request("POST", words[1], headers=headers, content=words[words.index("-d") + 1])


def curl_line_of(text: str) -> str:
    return next(line.strip() for line in text.splitlines() if line.strip().startswith("curl "))


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
