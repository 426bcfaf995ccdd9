"""A deployment of separate processes: web, Celery worker, scripted provider, Redis and PostgreSQL."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.gateway.program import BARE, running
from tests.patience import HANG_S, LONG_HANG_S
from tests.services import RedisServer, free_port, wait_for_start

ROOT = Path(__file__).parents[2]
WEB = (sys.executable, "-m", "gateway.cli", "web")
RUN = (sys.executable, "-m", "gateway.cli", "run")
WORKER = (sys.executable, "-m", "celery", "-A", "gateway", "worker", "-c", "2")


@dataclass
class Deployment:
    """Everything is started by name; what is still alive at the end is killed."""

    folder: Path
    environment: dict[str, str]
    redis: RedisServer
    key: str = ""
    source: Path = ROOT
    """The tree whose code runs."""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}

    def start(self, name: str, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        settings = self.environment | environment
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(command, cwd=self.source, env=settings, stdout=log, stderr=log)
        self.processes[name] = process
        return process

    def start_web(self, *, processes: int = 1) -> subprocess.Popen[bytes]:
        process = self.start("web", *WEB, *(["--workers", str(processes)] if processes > 1 else []))
        self.wait_for_web("web")
        return process

    def start_all_in_one(self) -> subprocess.Popen[bytes]:
        """Web and worker in one process, as `gatehouse run` has them."""
        process = self.start("web", *RUN)
        self.wait_for_web("web")
        self.wait_for_start("web", self.has_worker)
        return process

    def start_worker(self) -> subprocess.Popen[bytes]:
        process = self.start("worker", *WORKER)
        self.wait_for_start("worker", self.has_worker)
        return process

    def wait_for_start(self, name: str, is_up: Callable[[], bool]) -> None:
        """At once an error with its log where that process ends first."""
        wait_for_start(self.processes[name], is_up, lambda: self.log_of(name))

    def wait_for_web(self, name: str, url: str = "") -> None:
        self.wait_for_start(name, lambda: answers(url or self.url))

    def has_worker(self) -> bool:
        return bool(self.ready()["workers"] == 1)

    def ready(self) -> dict[str, Any]:
        return httpx.get(f"{self.url}/readyz", timeout=HANG_S).json()

    def chat(self, *, lane: str = "auto", **body: Any) -> httpx.Response:
        given = {"model": "acme/one", "messages": [{"role": "user", "content": "hello"}], **body}
        headers = {**self.headers, "x-gateway-lane": lane}
        return httpx.post(f"{self.url}/v1/chat/completions", json=given, headers=headers, timeout=HANG_S)

    def run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            cwd=self.source,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LONG_HANG_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def seen_by_provider(self) -> list[dict[str, Any]]:
        """The provider's own log of chats."""
        lines = (self.folder / "seen.jsonl").read_text().splitlines()
        return [seen for line in lines if (seen := json.loads(line))["method"] == "POST"]

    def ledger(self) -> list[tuple[str, str, str]]:
        """(project, lane, outcome) of every row."""
        return self.query("SELECT project, lane, outcome FROM accounts_ledgerentry")

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Of the deployment's database, whichever it is."""
        url = self.environment["DATABASE_URL"]
        if url.startswith("sqlite:"):
            path = url.removeprefix("sqlite:///")
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=HANG_S)) as file:
                return file.execute(statement).fetchall()
        with psycopg.connect(url) as database:
            return database.execute(statement).fetchall()

    def point_provider_to(self, base_url: str) -> None:
        """While no process runs that knows it."""
        url, statement = (
            self.environment["DATABASE_URL"],
            f"UPDATE providers_provider SET base_url = '{base_url}'",
        )
        if url.startswith("sqlite:"):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=HANG_S)) as file, file:
                file.execute(statement)
        else:
            with psycopg.connect(url) as database:
                database.execute(statement)

    def log_of(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=HANG_S).status_code == 200
    except httpx.TransportError:
        return False


def make_tables(database_url: str, folder: Path) -> None:
    """In an empty database."""
    with running(
        "manage", "migrate", "-v0", DATABASE_URL=database_url, GATEWAY_DATA_DIR=str(folder)
    ) as migration:
        assert migration.wait(HANG_S) == 0, migration.text


@dataclass(frozen=True)
class Seeded:
    database: str
    """Its name, for `new_database(name, like=...)`."""
    key: str


def seed(database_url: str, folder: Path, base_url: str = "http://127.0.0.1:9/v1") -> str:
    """Provider, model, team and key in a database that has its tables; the key."""
    environment = {"DATABASE_URL": database_url, "GATEWAY_DATA_DIR": str(folder)}
    with running("tests.system.seed", base_url, **environment) as seeding:
        assert seeding.wait(HANG_S) == 0, seeding.text
    return re.search(r"sk-gw-\S+", seeding.text).group()


@contextmanager
def deployed(
    folder: Path, redis: RedisServer, database_url: str, *, key: str = "", **environment: str
) -> Iterator[Deployment]:
    """Provider and a key are there, in a database that has its tables; web and worker are the test's to start.

    Where the database is a copy of one that `seed` filled, with its `key`, that is not done again: it takes longer than
    many a test.
    """
    port = free_port()
    settings = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis.url,
        "GATEWAY_DATA_DIR": str(folder / "data"),
        "GATEWAY_DRAIN_S": "3",
        "PORT": str(port),
        **BARE,
        **environment,
    }
    deployment = Deployment(folder, {**os.environ, **settings}, redis)
    with ExitStack() as stack:
        stack.callback(_kill_all, deployment)
        provider_port = free_port()
        deployment.environment["GATEWAY_ALLOW_PRIVATE"] = f"127.0.0.1:{provider_port}"
        log = str(folder / "seen.jsonl")
        deployment.start(
            "provider", sys.executable, "-m", "tests.upstream", "--port", str(provider_port), "--log", log
        )
        deployment.wait_for_start("provider", lambda: "http" in deployment.log_of("provider"))
        base_url = f"http://127.0.0.1:{provider_port}/v1"
        if key:
            deployment.point_provider_to(base_url)
        deployment.key = key or seed(database_url, folder / "data", base_url)
        yield deployment


def _kill_all(deployment: Deployment) -> None:
    for process in deployment.processes.values():
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait(HANG_S)


def wait_for_ledger(
    deployment: Deployment, count: int, timeout_s: float = HANG_S
) -> list[tuple[str, str, str]]:
    """The rows once there are that many, or what there is when the time is over."""
    deadline = time.monotonic() + timeout_s
    while len(rows := deployment.ledger()) < count and time.monotonic() < deadline:
        time.sleep(0.1)
    return rows
