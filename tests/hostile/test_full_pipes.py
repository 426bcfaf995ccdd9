"""Nobody reads what a process prints and logs: it goes on, ends when it is asked to, and tells what it dropped."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from celery import Celery

from gateway.boot.outlet import PIECES_MOST, Outlet
from tests.gateway.program import BARE, ROOT, running, supervised_by
from tests.hostile.slow_provider import SlowProvider
from tests.patience import HANG_S
from tests.services import RedisServer, free_port, wait_until

pytestmark = pytest.mark.drill

LOGGED_CALLS = 50


@dataclass
class Pipe:
    """A small pipe that is full from the start."""

    reader: int
    writer: int

    def fill(self) -> None:
        fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(self.writer, False)
        with suppress(BlockingIOError):
            while True:
                os.write(self.writer, b"." * 512)
        os.set_blocking(self.writer, True)

    def read_until(self, words: bytes) -> bytes:
        text = b""
        while words not in text and (more := os.read(self.reader, 65_536)):
            text += more
        return text


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe(*os.pipe())
    pipe.fill()
    yield pipe
    for end in (pipe.reader, pipe.writer):
        os.close(end)


@contextmanager
def unread(pipe: Pipe, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m` with these arguments, printing and logging into the full pipe."""
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=os.environ | BARE | environment,
        stdin=subprocess.DEVNULL,
        stdout=pipe.writer,
        stderr=pipe.writer,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    bare = {"DATABASE_URL": "", "REDIS_URL": "", "GATEWAY_DATA_DIR": str(tmp_path)}
    # All that there is to log is logged, and much more than a pipe holds.
    return bare | {"PORT": str(free_port()), "GATEWAY_LOG_LEVEL": "DEBUG"}


@pytest.mark.parametrize("command", ["run", "web"])
def test_web_process_answers_and_ends_though_nobody_reads_it(
    pipe: Pipe, environment: dict[str, str], command: str
) -> None:
    if command == "web":
        with running("gateway.cli", "prepare", **environment) as preparation:
            assert preparation.wait() == 0, preparation.text
    url = f"http://127.0.0.1:{environment['PORT']}"
    with (
        unread(pipe, "gateway.cli", command, **environment) as process,
        httpx.Client(timeout=HANG_S) as client,
    ):
        wait_until(lambda: answers(url), "starting", HANG_S)
        codes = {client.get(f"{url}/sign-in?next=/{number}").status_code for number in range(LOGGED_CALLS)}
        assert codes == {200}
        process.send_signal(signal.SIGTERM)
        assert process.wait(HANG_S) == 0


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=HANG_S).status_code == 200
    except httpx.TransportError:
        return False


def test_worker_and_beat_work_and_end_though_nobody_reads_them(
    pipe: Pipe, environment: dict[str, str], redis_server: RedisServer
) -> None:
    redis_server.start()
    redis_server.ask("FLUSHALL")
    environment |= {"REDIS_URL": redis_server.url}
    with running("manage", "migrate", "-v0", **environment) as migration:
        assert migration.wait() == 0, migration.text
    with ExitStack() as held:
        provider = held.enter_context(SlowProvider())
        celery = ("celery", "-A", "gateway")
        beat = held.enter_context(unread(pipe, *celery, "beat", **environment))
        wait_until(lambda: redis_server.ask("LLEN", "celery") > 0, "beat's first task", HANG_S)
        options = ("-c", "2", "-I", "tests.hostile.lingering")
        worker = held.enter_context(unread(pipe, *celery, "worker", *options, **environment))
        with Celery(broker=redis_server.url, set_as_current=False) as sender:
            for asked in range(1, 4):
                sender.send_task("tests.linger", args=[provider.base_url])
                wait_until(lambda asked=asked: provider.asked == asked, "a task", HANG_S)
        for process in (beat, worker):
            process.send_signal(signal.SIGTERM)
            assert process.wait(HANG_S) == 0


def test_supervisor_replaces_its_children_and_ends_though_nobody_reads_it(
    pipe: Pipe, environment: dict[str, str], tmp_path: Path
) -> None:
    # On SQLite its children refuse to start: they have that to tell, and it has their end.
    environment |= {
        "DATABASE_URL": f"sqlite:///{tmp_path}/some.sqlite3",
        "REDIS_URL": "redis://127.0.0.1:9/0",
    }
    seen: set[int] = set()
    with unread(pipe, "gateway.cli", "web", "--workers", "2", **environment) as process:

        def has_replaced_one() -> bool:
            seen.update(supervised_by(process.pid))
            return len(seen) > 2 or process.poll() is not None

        wait_until(has_replaced_one, "replacing a child", HANG_S)
        process.send_signal(signal.SIGTERM)
        # 1: it saw by itself that none can start, before the signal came.
        assert process.wait(HANG_S) in {0, 1}


def test_what_was_dropped_is_counted_and_told_to_whoever_reads_again(pipe: Pipe) -> None:
    outlet = Outlet(pipe.writer)
    # One is in the thread's hands once the queue is empty.
    outlet.put("first\n")
    wait_until(outlet._waiting.empty, "taking the first", HANG_S)
    for number in range(PIECES_MOST + 7):
        outlet.put(f"line {number}\n")
    assert not outlet.settle(0.01)
    told = pipe.read_until(f"line {PIECES_MOST - 1}\n".encode()).decode().lstrip(".").splitlines()
    assert told[:2] == ["first", "... and 7 lines that were dropped, because nobody read them."]
    assert told[2:] == [f"line {number}" for number in range(PIECES_MOST)]
    assert outlet.settle(HANG_S)


def test_full_disk_under_the_first_secrets_is_told_and_ends_the_start(environment: dict[str, str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gateway.cli", "run"],
            cwd=ROOT,
            env=os.environ | environment | {"GATEWAY_LOG_LEVEL": "WARNING"},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=HANG_S,
            check=False,
        )
    assert done.returncode == 1
    assert "Standard output cannot be written (No space left on device)" in done.stderr
    assert "changepassword" in done.stderr
    assert "Traceback" not in done.stderr
