"""Runs the agents, two at a time, each in a home and a folder of its own, and keeps what became of each run."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from providers.formats.registry import FORMATS
from tests.agents.programs import CACHED, DOCUMENTED_MODEL, DOCUMENTED_URL, PROGRAMS, SURFACES
from tests.agents.worker import ASKED, decide
from tests.patience import LONG_HANG_S
from tests.services import wait_until
from tests.system.embedded import Product, started
from tests.upstream.speaking import Speaker, speaking

AT_ONCE = 2
_KEPT = ("PATH", "LANG", "TMPDIR", "SSL_CERT_FILE")


@dataclass(frozen=True)
class Pair:
    """A program on one of its surfaces, in front of a provider of a wire format."""

    program: str
    surface: str
    wire_format: str

    @property
    def model(self) -> str:
        return f"acme/{self.wire_format}"

    def __str__(self) -> str:
        return f"{self.program}-{self.surface}-{self.wire_format}"


PAIRS = tuple(
    Pair(key, surface, wire_format)
    for key, program in PROGRAMS.items()
    for surface in SURFACES
    if surface in program.surfaces
    for wire_format in FORMATS
)


@dataclass(frozen=True)
class Ended:
    """`written` is the file; `requests` are what the provider was asked for it."""

    failed: str
    said: str
    written: str
    requests: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class House:
    """A gateway in front of a provider of each wire format."""

    url: str
    key: str
    speakers: Mapping[str, Speaker]


@contextmanager
def running_house(folder: Path) -> Iterator[House]:
    with ExitStack() as stack:
        speakers = {name: stack.enter_context(speaking(name, decide=decide)) for name in FORMATS}
        addresses = ",".join(urlsplit(speaker.base_url).netloc for speaker in speakers.values())
        product = stack.enter_context(started(folder, GATEWAY_ALLOW_PRIVATE=addresses))
        yield House(product.url, _seed(product, speakers), speakers)


def _seed(product: Product, speakers: Mapping[str, Speaker]) -> str:
    """A key for models that are answered by them, once the gateway has noticed these."""
    key = subprocess.check_output(
        [sys.executable, "-m", "tests.agents.seed"]
        + [f"{name}={speaker.base_url}" for name, speaker in speakers.items()],
        env={**os.environ, **product.program.environment},
        text=True,
        timeout=LONG_HANG_S,
    )

    def knows_all() -> bool:
        with product.client(key) as client:
            answer = client.get("/v1/models")
        return answer.status_code == 200 and len(speakers) <= answer.text.count('"acme/')

    wait_until(knows_all, "noticing the providers")
    return key


class Runs:
    """All runs of some pairs: begun at once, and waited for one by one."""

    def __init__(self, house: House, folder: Path, pairs: Iterable[Pair]) -> None:
        self._house = house
        self._folder = folder
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._futures: dict[Pair, Future[dict[Pair, Ended]]] = {}
        for together in _together(pairs):
            future = self._pool.submit(self._run, together)
            self._futures |= dict.fromkeys(together, future)

    def ended(self, pair: Pair) -> Ended:
        return self._futures[pair].result()[pair]

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _run(self, pairs: list[Pair]) -> dict[Pair, Ended]:
        program = PROGRAMS[pairs[0].program]
        home = self._folder / str(pairs[0])
        for pair in pairs:
            self._work(pair).mkdir(parents=True)
        for path, text in {**program.files, **CACHED.get(pairs[0].program, {})}.items():
            target = home / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self._told(text, pairs[0]))
        done = subprocess.run(
            self._command(pairs),
            cwd=self._work(pairs[0]),
            env=self._environment(pairs[0], home),
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONG_HANG_S,
        )
        return {pair: self._judge(pair, done) for pair in pairs}

    def _command(self, pairs: list[Pair]) -> list[str]:
        program = PROGRAMS[pairs[0].program]
        if program.is_framework:
            given = ((pair.surface, pair.model, self._prompt(pair)) for pair in pairs)
            return [*program.command, *(word for words in given for word in words)]
        (pair,) = pairs
        filled = {"{model}": pair.model, "{prompt}": self._prompt(pair)}
        return [filled.get(word, word) for word in program.command]

    def _environment(self, pair: Pair, home: Path) -> dict[str, str]:
        program = PROGRAMS[pair.program]
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        told = {name: self._told(value, pair) for name, value in program.environment.items()}
        gateway = {"GATEWAY_URL": self._house.url, "GATEWAY_KEY": self._house.key}
        return {**kept, "HOME": str(home), **gateway, **told, **program.quiet}

    def _told(self, text: str, pair: Pair) -> str:
        text = text.replace(DOCUMENTED_URL, self._house.url).replace(DOCUMENTED_MODEL, pair.model)
        return text.replace("$GATEWAY_KEY", self._house.key)

    def _work(self, pair: Pair) -> Path:
        return self._folder / str(pair) / "work"

    def _prompt(self, pair: Pair) -> str:
        return ASKED.format(path=self._work(pair) / "hello.txt")

    def _judge(self, pair: Pair, done: "subprocess.CompletedProcess[str]") -> Ended:
        path = self._work(pair) / "hello.txt"
        written = path.read_text() if path.exists() else ""
        seen = list(self._house.speakers[pair.wire_format].seen)
        requests = tuple(body for _, _, body in seen if str(path) in json.dumps(body))
        failed = done.stdout + done.stderr if done.returncode else ""
        said = done.stdout
        if PROGRAMS[pair.program].is_framework and not failed:
            lines = (json.loads(line) for line in done.stdout.splitlines())
            told = next(
                line for line in lines if (line["surface"], line["model"]) == (pair.surface, pair.model)
            )
            failed, said = told.get("failed", ""), told.get("said", "")
        return Ended(failed, said, written, requests)


def _together(pairs: Iterable[Pair]) -> list[list[Pair]]:
    """A framework's pairs in one process, since loading it takes longer than they do; the longest ones first."""
    grouped: dict[object, list[Pair]] = defaultdict(list)
    for pair in pairs:
        grouped[pair.program if PROGRAMS[pair.program].is_framework else pair].append(pair)
    return sorted(grouped.values(), key=len, reverse=True)
