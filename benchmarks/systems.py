"""What is measured, started as separate processes: the bare upstream, nginx, and Gatehouse in both lanes, twice if
it is held against an earlier revision of itself."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from benchmarks.load import Target
from benchmarks.processes import Cores, NotReady, children, running_on
from tests.services import HANG_S, RedisServer, free_port, running_postgres, running_redis, wait_until
from tests.system.deployment import ROOT, Deployment

BARE, NGINX, DIRECT, WORKER = "bare", "nginx", "direct", "worker"
LANES = (DIRECT, WORKER)
BEFORE = {DIRECT: "direct before", WORKER: "worker before"}
"""What an earlier revision's lanes are called."""
CHAT_PATH = "/v1/chat/completions"
_END_S = 10.0


@dataclass(frozen=True, slots=True)
class System:
    """One way to the upstream. `roots` are the processes whose trees do its work; none for the bare upstream."""

    name: str
    target: Target
    roots: Set[int] = frozenset()
    warm_up_s: int = 1
    streams: bool = True
    """False: it answers no streams here, and is asked for whole answers only."""


Peer = Callable[[Path, int], AbstractContextManager[System]]
"""Starts another gateway in front of the upstream at a port, with a folder for its files."""


@contextmanager
def started_systems(
    cores: Cores, *, use_sqlite: bool, against: str | None, peers: Sequence[Peer] = ()
) -> Iterator[list[System]]:
    """All of them at once, each idle unless it is asked; `against` names a revision in git. Raises NotReady."""
    _require_programs(use_sqlite)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gatehouse-bench-")))
        port = stack.enter_context(_upstream(folder))
        systems = [System(BARE, Target(f"http://127.0.0.1:{port}{CHAT_PATH}"))]
        with running_on(cores.system):
            systems.append(stack.enter_context(_nginx(folder, port)))
            systems += [stack.enter_context(start(folder, port)) for start in peers]
            lanes = stack.enter_context(_gatehouse(folder / "now", ROOT, port, use_sqlite=use_sqlite))
            if against is not None:
                source = _tree_of(against, folder)
                before = stack.enter_context(
                    _gatehouse(folder / "before", source, port, use_sqlite=use_sqlite)
                )
                earlier = [replace(system, name=BEFORE[system.name]) for system in before]
                # Each beside its like, so that both meet the same noise.
                lanes = [system for pair in zip(earlier, lanes, strict=True) for system in pair]
        yield [*systems, *lanes]


def _tree_of(revision: str, folder: Path) -> Path:
    """Its files. Raises NotReady."""
    source = folder / "source"
    source.mkdir()
    packed = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        raise NotReady(f"There is no revision {revision!r}: {packed.stderr.decode().strip()}")
    subprocess.run(["tar", "-x"], cwd=source, input=packed.stdout, check=True)
    return source


def _require_programs(use_sqlite: bool) -> None:
    missing = [name for name in ("wrk", "nginx", "redis-server") if shutil.which(name) is None]
    has_postgres = shutil.which("initdb") or any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not use_sqlite and not has_postgres:
        missing.append("postgresql")
    if missing:
        advice = " (or use --sqlite)" if "postgresql" in missing else ""
        raise NotReady(
            f"Not installed: {', '.join(missing)}{advice}. Debian: apt install {' '.join(missing)}"
        )


@contextmanager
def _upstream(folder: Path) -> Iterator[int]:
    port = free_port()
    with process_of(folder, "upstream", sys.executable, "-m", "benchmarks.upstream", str(port)):
        wait_for(port)
        yield port


@contextmanager
def _nginx(folder: Path, upstream_port: int) -> Iterator[System]:
    port, home = free_port(), folder / "nginx"
    home.mkdir()
    template = Path(__file__).with_name("nginx.conf").read_text()
    ports = template.replace("UPSTREAM_PORT", str(upstream_port)).replace("PORT", str(port))
    (home / "nginx.conf").write_text(ports)
    with process_of(folder, "nginx", "nginx", "-p", str(home), "-c", "nginx.conf", "-e", "stderr") as process:
        wait_for(port)
        yield System(NGINX, Target(f"http://127.0.0.1:{port}{CHAT_PATH}"), frozenset({process.pid}))


@contextmanager
def _gatehouse(folder: Path, source: Path, upstream_port: int, *, use_sqlite: bool) -> Iterator[list[System]]:
    """One deployment for both lanes: the worker's process counts for its own lane only."""
    others = children()
    folder.mkdir()
    with ExitStack() as stack:
        redis = stack.enter_context(running_redis())
        database_url = f"sqlite:///{folder}/bench.sqlite3"
        if not use_sqlite:
            database_url = stack.enter_context(running_postgres()).new_database("bench")
        deployment = _deployment(folder, source, redis, database_url, upstream_port)
        stack.callback(_end_all, deployment)
        _fill(deployment, f"http://127.0.0.1:{upstream_port}/v1")
        deployment.start_web()
        shared = children() - others
        worker = deployment.start_worker().pid
        yield [
            System(DIRECT, _target(deployment, DIRECT), frozenset(shared)),
            System(WORKER, _target(deployment, WORKER), frozenset({*shared, worker})),
        ]


def _fill(deployment: Deployment, upstream_url: str) -> None:
    deployment.run(sys.executable, "manage.py", "migrate", "-v0")
    deployment.key = deployment.run(sys.executable, "-m", "benchmarks.seed", upstream_url).split()[-1]


def _target(deployment: Deployment, lane: str) -> Target:
    return Target(deployment.url + CHAT_PATH, {**deployment.headers, "x-gateway-lane": lane})


def _deployment(
    folder: Path, source: Path, redis: RedisServer, database_url: str, upstream_port: int
) -> Deployment:
    settings = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis.url,
        "GATEWAY_DATA_DIR": str(folder / "data"),
        "GATEWAY_ALLOW_PRIVATE": f"127.0.0.1:{upstream_port}",
        "PORT": str(free_port()),
    }
    return Deployment(folder, {**os.environ, **settings}, redis, source=source)


def _end_all(deployment: Deployment) -> None:
    for process in reversed(deployment.processes.values()):
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def process_of(folder: Path, name: str, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield process
    finally:
        end(process)


def wait_for(port: int, *, within_s: float = HANG_S) -> None:
    wait_until(lambda: _answers(port), f"starting what listens on port {port}", within_s)


def _answers(port: int) -> bool:
    with suppress(httpx.TransportError):
        httpx.post(f"http://127.0.0.1:{port}{CHAT_PATH}", json={}, timeout=5)
        return True
    return False
