"""Two web processes and two workers, one of each odd, under steady calls: who was answered how, and what was booked."""

import asyncio
import itertools
import json
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

import httpx
import psycopg

from gateway.proxy.lane.frames import BEAT_S, DEAD_AFTER_S
from tests.patience import HANG_S
from tests.services import free_port, wait_until
from tests.system.deployment import WEB, WORKER, Deployment

PER_SECOND = 20
ODD = (sys.executable, "-m", "tests.hostile.odd_process")
BEHAVIOURS = ("slow?chunks=20&delay=0.05", "ok?first=0.3", "slow?chunks=60&delay=0.05", "ok")


@dataclass
class Ending:
    """`kind`: whole, error (explicit, with its code), broken (the connection ended) or silent (told as an end)."""

    web: str
    kind: str
    code: str = ""


@dataclass
class Row:
    outcome: str
    code: str
    cost_usd: Decimal
    loss_usd: Decimal


@dataclass
class Fleet:
    deployment: Deployment
    ports: dict[str, int] = field(default_factory=lambda: {"web-a": free_port(), "web-b": free_port()})
    endings: dict[str, Ending] = field(default_factory=dict)

    def start_all(self) -> None:
        for name in ("web-a", "web-b", "worker-a", "worker-b"):
            self.start(name)
        self.wait_until_well()

    def start(self, name: str) -> None:
        """The ones called b are of another version; the web's clock is late, the worker's early."""
        kind, _, letter = name.partition("-")
        command = WEB if kind == "web" else (*WORKER, "-n", f"{letter}@%h")
        if letter == "b":
            command = (*ODD, "-30" if kind == "web" else "30", *command[2:])
        environment = {"PORT": str(self.ports[name])} if kind == "web" else {}
        self.deployment.start(name, *command, **environment)

    def kill(self, name: str) -> None:
        """And start it again, as a service manager would; nothing else is ever started a second time."""
        process = self.deployment.processes[name]
        process.kill()
        process.wait()
        self.start(name)
        # So long the others may still take the one that was killed for well.
        time.sleep(DEAD_AFTER_S + BEAT_S)
        self.wait_until_well()

    def wait_until_well(self) -> None:
        wait_until(
            lambda: all(self._is_well(name) for name in self.ports), "every process being well", HANG_S
        )

    def wait_for_answers(self, count: int) -> None:
        """As many more calls as that have come to their end, whatever it was."""
        enough = len(self.endings) + count
        wait_until(lambda: len(self.endings) >= enough, f"{count} more calls having ended", HANG_S)

    def ended(self) -> dict[str, int | None]:
        """Processes that do not run, by their exit code."""
        codes = {name: process.poll() for name, process in self.deployment.processes.items()}
        return {name: code for name, code in codes.items() if code is not None}

    def rows(self) -> dict[str, list[Row]]:
        """The ledger's, by call."""
        found: dict[str, list[Row]] = {}
        with psycopg.connect(self.deployment.environment["DATABASE_URL"]) as database:
            query = "SELECT project, outcome, error_code, cost_usd, loss_usd FROM accounts_ledgerentry"
            for project, *values in database.execute(query):
                found.setdefault(project, []).append(Row(*values))
        return found

    def seen_by_provider(self) -> Counter[str]:
        return Counter(seen["body"]["messages"][0]["content"] for seen in self.deployment.seen_by_provider())

    def url(self, web: str) -> str:
        return f"http://127.0.0.1:{self.ports[web]}"

    def chat(self, web: str, *, lane: str) -> httpx.Response:
        body = {"model": "acme/one", "messages": [{"role": "user", "content": f"{web} {lane}"}]}
        headers = {**self.deployment.headers, "x-gateway-lane": lane, "x-gateway-project-id": f"{web}.{lane}"}
        return httpx.post(f"{self.url(web)}/v1/chat/completions", json=body, headers=headers, timeout=HANG_S)

    def call_while(self, happening: "threading.Thread") -> None:
        """Steady calls for as long as it lasts, each answered before this returns."""
        asyncio.run(self._call_while(happening))

    async def _call_while(self, happening: "threading.Thread") -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with (
            httpx.AsyncClient(timeout=HANG_S, limits=limits) as client,
            asyncio.TaskGroup() as calls,
        ):
            happening.start()
            for number, web in zip(itertools.count(), itertools.cycle(self.ports)):
                if not happening.is_alive():
                    return
                calls.create_task(self._call(client, f"call-{number}", web, BEHAVIOURS[number // 2 % 4]))
                await asyncio.sleep(1 / PER_SECOND)

    async def _call(self, client: httpx.AsyncClient, project: str, web: str, behaviour: str) -> None:
        is_streamed = behaviour.startswith("slow")
        body = {
            "model": "acme/one",
            "stream": is_streamed,
            "scripted": behaviour,
            "messages": [{"role": "user", "content": project}],
        }
        headers = {**self.deployment.headers, "x-gateway-project-id": project}
        try:
            answer = await client.post(f"{self.url(web)}/v1/chat/completions", json=body, headers=headers)
        except httpx.ReadTimeout:
            self.endings[project] = Ending(web, "hung")
        except httpx.TransportError as error:
            self.endings[project] = Ending(web, "broken", type(error).__name__)
        else:
            self.endings[project] = Ending(web, *_judge(answer, is_streamed=is_streamed))

    def _is_well(self, web: str) -> bool:
        try:
            ready = httpx.get(f"{self.url(web)}/readyz", timeout=5)
        except httpx.TransportError:
            return False
        return ready.status_code == 200 and ready.json()["workers"] == 2


def _judge(answer: httpx.Response, *, is_streamed: bool) -> tuple[str, str]:
    text = answer.text
    if answer.status_code != 200:
        return "error", answer.json()["error"]["code"]
    if not is_streamed:
        return "whole" if answer.json()["choices"][0]["finish_reason"] == "stop" else "silent", ""
    if text.endswith("data: [DONE]\n\n"):
        return "whole", ""
    last = text.strip().rpartition("data: ")[2]
    try:
        return "error", json.loads(last)["error"]["code"]
    except (ValueError, KeyError):
        return "silent", last[-100:]


def wait_for_rows(fleet: Fleet, within_s: float = HANG_S) -> None:
    """Until every call that the provider saw is in the ledger, or only a hang can be the reason why not."""
    deadline = time.monotonic() + within_s
    while Counter({name: len(rows) for name, rows in fleet.rows().items()}) != fleet.seen_by_provider():
        if time.monotonic() > deadline:
            return
        time.sleep(0.2)
