"""The catalogue's list at scale, beside nginx with a file of the same size: `python -m benchmarks.catalogue`."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx

from benchmarks.processes import Cores, NotReady, cpu_s, running_on, take_cores
from benchmarks.report import Goal
from benchmarks.systems import end, process_of, wait_for
from tests.services import free_port, running_redis
from tests.system.deployment import Deployment

PAGE = "/v1/gateway/models?limit=250"
COLD_QUERIES = 60
ROUNDS, SECONDS, CONNECTIONS = 5, 2, 4


@dataclass(frozen=True, slots=True)
class Served:
    """One way to a page. `roots` are the processes whose trees serve it."""

    url: str
    headers: Mapping[str, str]
    roots: frozenset[int]


def main() -> int:
    try:
        cores = take_cores()
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gatehouse-bench-")))
            goals = list(_measure(folder, cores, stack))
    except NotReady as missing:
        print(f"benchmarks: {missing}", file=sys.stderr)
        return 2
    print(*(goal.line for goal in goals), sep="\n")
    return 0 if all(goal.is_met for goal in goals) else 1


def _measure(folder: Path, cores: Cores, stack: ExitStack) -> Iterator[Goal]:
    deployment = stack.enter_context(_deployment(folder))
    with running_on(cores.system):
        began = time.monotonic()
        web = deployment.start_web()
        ready_s = time.monotonic() - began
    yield Goal("start with 1,300 models until the first answer", ready_s, 4, "s")
    served = Served(deployment.url + PAGE, deployment.headers, frozenset({web.pid}))
    yield Goal("first page of 250 after the start, CPU", _first_ms(served), 80, "ms")
    yield Goal("cold filtered page of 250, CPU", _cold_ms(served), 40, "ms")
    page = httpx.get(served.url, headers=served.headers)
    with running_on(cores.system):
        nginx = stack.enter_context(_nginx(folder, page.content))
    warm, known = _ratios(served, nginx, page.headers["etag"])
    yield Goal(f"warm page of {len(page.content) // 1024} KB, CPU", warm, 4, "times nginx with a file")
    yield Goal("304, CPU", known, 4, "times nginx with the whole file")
    yield Goal("publishing one model", median(_seed(deployment, "publish")), 200, "ms")
    with running_on(cores.system):
        listed_ms, found_ms = _seed(deployment, "look")
    yield Goal("staff's list of models, CPU", listed_ms, 150, "ms")
    yield Goal("a search in it, CPU", found_ms, 200, "ms")


def _seed(deployment: Deployment, act: str) -> list[float]:
    """The figures that `benchmarks.catalogue_seed` prints."""
    said = deployment.run(sys.executable, "-m", "benchmarks.catalogue_seed", act)
    return [float(ms) for ms in said.split()]


@contextmanager
def _deployment(folder: Path) -> Iterator[Deployment]:
    with running_redis() as redis:
        settings = {
            "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            "REDIS_URL": redis.url,
            "GATEWAY_DATA_DIR": str(folder / "data"),
            "PORT": str(free_port()),
        }
        deployment = Deployment(folder, {**os.environ, **settings}, redis)
        deployment.run(sys.executable, "manage.py", "migrate", "-v0")
        deployment.key = deployment.run(sys.executable, "-m", "benchmarks.catalogue_seed").split()[-1]
        try:
            yield deployment
        finally:
            for process in deployment.processes.values():
                end(process)


@contextmanager
def _nginx(folder: Path, page: bytes) -> Iterator[Served]:
    port, home = free_port(), folder / "static"
    (home / "files").mkdir(parents=True)
    # Its workers are nobody, where it is started by root.
    folder.chmod(0o755)
    (home / "files" / "page.json").write_bytes(page)
    template = Path(__file__).with_name("static.conf").read_text()
    (home / "nginx.conf").write_text(template.replace("PORT", str(port)))
    with process_of(
        folder, "static", "nginx", "-p", str(home), "-c", "nginx.conf", "-e", "stderr"
    ) as process:
        wait_for(port)
        yield Served(f"http://127.0.0.1:{port}/page.json", {}, frozenset({process.pid}))


def _first_ms(served: Served) -> float:
    before = cpu_s(served.roots)
    _get(served, "")
    return (cpu_s(served.roots) - before) * 1000


def _cold_ms(served: Served) -> float:
    """Of queries that nobody asked before, each answered with a whole page."""
    before = cpu_s(served.roots)
    for number in range(COLD_QUERIES):
        _get(served, f"&min_context={8000 + number}&input_types=text&params=tools,seed")
    return (cpu_s(served.roots) - before) / COLD_QUERIES * 1000


def _get(served: Served, query: str) -> None:
    answer = httpx.get(served.url + query, headers={**served.headers, "accept-encoding": "identity"})
    answer.raise_for_status()
    if len(answer.json()["models"]) != 250:
        raise NotReady("The made-up catalogue does not fill a page.")


def _ratios(served: Served, nginx: Served, tag: str) -> tuple[float, float]:
    """CPU of a warm page and of a 304, each over nginx' of the whole file; medians of rounds in turn."""
    known = Served(served.url, {**served.headers, "if-none-match": tag}, served.roots)
    warm_ratios, known_ratios = [], []
    for _ in range(ROUNDS):
        base = _cpu_us(nginx)
        warm_ratios.append(_cpu_us(served) / base)
        known_ratios.append(_cpu_us(known) / base)
    return median(warm_ratios), median(known_ratios)


def _cpu_us(served: Served) -> float:
    """CPU of one answer, in µs."""
    before = cpu_s(served.roots)
    headers = [part for name, value in served.headers.items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", *headers, served.url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    counted = re.search(r"(\d+) requests in", said)
    if counted is None or "Non-2xx" in said or "Socket errors" in said:
        raise NotReady(f"wrk did not get its answers:\n{said}")
    return (cpu_s(served.roots) - before) / int(counted.group(1)) * 1e6


if __name__ == "__main__":
    sys.exit(main())
