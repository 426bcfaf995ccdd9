"""Real Redis and PostgreSQL servers as child processes of the test session, on free ports."""

import contextlib
import itertools
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from tests.patience import HANG_S

LOOPBACK = "127.0.0.1"
# Below the ports that the kernel hands out by itself.
PORTS, PORTS_EACH = range(12_000, 32_000), 200


def require_service(name: str, is_present: bool) -> None:
    """Skip the test where a program is missing, or fail it under GATEHOUSE_REQUIRE_SERVICES=1."""
    if is_present:
        return
    if os.environ.get("GATEHOUSE_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{name} is not installed, and GATEHOUSE_REQUIRE_SERVICES=1 demands it")
    pytest.skip(f"{name} is not installed")


def free_port() -> int:
    """Free now, and still free when a slow program comes to listen on it."""
    _, ports = _share()
    return next(port for port in ports if _is_free(port))


@cache
def _share() -> tuple[socket.socket, Iterator[int]]:
    """This process's ports, round and round. The socket holds them: nobody else can bind the first."""
    for first in random.sample(PORTS[::PORTS_EACH], len(PORTS) // PORTS_EACH):
        holder = socket.socket()
        with contextlib.suppress(OSError):
            holder.bind((LOOPBACK, first))
            return holder, itertools.cycle(range(first + 1, first + PORTS_EACH))
        holder.close()
    raise RuntimeError(f"Other runs of tests hold all ports from {PORTS.start} to {PORTS.stop}.")


def _is_free(port: int) -> bool:
    with socket.socket() as listener, contextlib.suppress(OSError):
        listener.bind((LOOPBACK, port))
        return True
    return False


def wait_until(is_true: Callable[[], bool], what: str, timeout_s: float = HANG_S) -> None:
    deadline = time.monotonic() + timeout_s
    while not is_true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} took longer than {timeout_s:g} s")
        time.sleep(0.01)


def wait_for_start(
    process: subprocess.Popen[bytes], answers: Callable[[], bool], log: Callable[[], str] = str
) -> None:
    """At once an error with its `log` where the process ends in place of answering."""

    def is_up() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}:\n{log()}")
        return answers()

    wait_until(is_up, f"starting {process.args}")


class RedisServer:
    """A Redis of our own that can be killed, paused and started again, always empty, on the same port."""

    def __init__(self, folder: Path, options: Sequence[str] = ()) -> None:
        self.port = free_port()
        self.url = f"redis://{LOOPBACK}:{self.port}/0"
        self.socket_url = f"unix://{folder}/redis.sock"
        self._log = folder / "redis.log"
        self._options = ["--dir", str(folder), "--unixsocket", f"{folder}/redis.sock", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Safe to repeat: a server that runs is left alone, one that is paused goes on."""
        self.resume()
        if self.is_running:
            return
        volatile = ["--bind", LOOPBACK, "--save", "", "--appendonly", "no"]
        command = ["redis-server", "--port", str(self.port), *volatile, *self._options]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for_start(self._process, self._answers, self._log.read_text)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL: connections are cut, all data is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pause(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def ask(self, *command: str | int | bytes) -> Any:
        with redis.Redis(host=LOOPBACK, port=self.port, socket_timeout=HANG_S) as client:
            return client.execute_command(*command)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.is_running:
            self._process.send_signal(number)

    def _answers(self) -> bool:
        with contextlib.suppress(redis.RedisError):
            return bool(self.ask("PING"))
        return False


@contextlib.contextmanager
def running_redis(*options: str) -> Iterator[RedisServer]:
    """For a test that breaks its server or needs options; others share the fixture `redis_server`."""
    require_service("redis-server", shutil.which("redis-server") is not None)
    with tempfile.TemporaryDirectory(prefix="gatehouse-redis-") as folder:
        server = RedisServer(Path(folder), options)
        try:
            server.start()
            yield server
        finally:
            server.kill()


# Nothing has to outlive the machine, and nobody asks long enough for a plan to be compiled or a table to be swept.
_HASTY = dict.fromkeys(("fsync", "full_page_writes", "synchronous_commit", "autovacuum", "jit"), "off")


class PostgresServer:
    """A PostgreSQL cluster of our own with the user `gatehouse` and no password."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.port = free_port()
        self._programs = programs
        self._data = folder / "data"
        self._log = folder / "postgres.log"
        self._owner = _unprivileged_user()
        self._process: subprocess.Popen[bytes] | None = None
        if self._owner:
            shutil.chown(folder, self._owner)

    def create(self) -> None:
        options: list[str | Path] = [
            "-D",
            self._data,
            "-U",
            "gatehouse",
            "-A",
            "trust",
            "-N",
            "-E",
            "UTF8",
            "--locale=C",
        ]
        self._spawn("initdb", *options).communicate(timeout=HANG_S)

    def start(self) -> None:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": "",
            **_HASTY,
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        self._process = self._spawn("postgres", "-D", self._data, *options)
        wait_for_start(self._process, self._answers, self._log.read_text)

    def copy(self, cluster: Path) -> None:
        """In place of `create`: one that `leave` has left there."""
        self._copy(cluster, self._data)

    def leave(self, cluster: Path) -> None:
        """A copy of it there, whole; it is stopped for that, and not started again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait(HANG_S)
        self._copy(self._data, cluster)

    def stop(self) -> None:
        """An immediate stop, as after a crash; `start` recovers."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(HANG_S)

    def pause(self) -> None:
        """SIGSTOP of the postmaster: connections that are open go on, new ones hang."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def url(self, database: str = "postgres") -> str:
        return f"postgres://gatehouse@{LOOPBACK}:{self.port}/{database}"

    def new_database(self, name: str, *, like: str = "template1") -> str:
        """Create a database, in place of one of that name; empty, or a copy of another. Returns its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
        return self.url(name)

    @staticmethod
    def _copy(cluster: Path, copy: Path) -> None:
        """With its owner, who alone may read it."""
        subprocess.run(["cp", "-a", cluster, copy], check=True)

    def _spawn(self, program: str, *options: str | Path) -> subprocess.Popen[bytes]:
        group = pwd.getpwnam(self._owner).pw_gid if self._owner else None
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [self._programs / program, *options],
                user=self._owner,
                group=group,
                extra_groups=[] if self._owner else None,
                cwd="/",
                stdout=log,
                stderr=log,
            )

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url(), connect_timeout=int(HANG_S)).close()
            return True
        return False


@contextlib.contextmanager
def running_postgres(like: Callable[[], Path] | None = None) -> Iterator[PostgresServer]:
    """An empty one, or `like` a cluster that `leave` has left."""
    programs = postgres_programs()
    require_service("PostgreSQL", programs is not None)
    assert programs is not None
    with tempfile.TemporaryDirectory(prefix="gatehouse-postgres-") as folder:
        server = PostgresServer(programs, Path(folder))
        if like:
            server.copy(like())
        else:
            server.create()
        try:
            server.start()
            yield server
        finally:
            server.resume()
            server.stop()


def postgres_programs() -> Path | None:
    """Debian keeps the server's programs off the path, one folder a version; the newest is taken."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
