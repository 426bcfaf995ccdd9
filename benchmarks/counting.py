"""What a warm call takes, counted and not timed: `python -m benchmarks.counting`.

The same on every machine with the same Python: instructions and calls of our own code by stop, what it builds, turns of
the loop, what the store is told, and what is spooled. `--files` and `--functions` name the most expensive ones of each
kind of call.
"""

import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
import redis
from django.core.management import call_command

from tests.gateway.instructions import counted_instructions
from tests.services import RedisServer, running_redis
from tests.upstream import ScriptedProvider

TIMES, SHOWN = 25, 12
STOPS: Sequence[tuple[str, Sequence[str]]] = (
    ("1 edge", ("gateway/asgi", "gateway/proxy/edge", "gateway/proxy/gate", "gateway/proxy/ids")),
    ("2 surface", ("gateway/proxy/surfaces/", "gateway/proxy/request_headers", "providers/wire/json_text")),
    ("3 key", ("gateway/proxy/authenticate", "accounts/keys", "accounts/directory")),
    (
        "4 route",
        (
            "gateway/proxy/planning",
            "gateway/proxy/routing/",
            "providers/operations/",
            "providers/wire/estimate",
        ),
    ),
    (
        "5 limits and budgets",
        ("gateway/proxy/admission/", "accounts/rules", "accounts/budgets", "accounts/subjects"),
    ),
    ("5 the store", ("gateway/core/store/",)),
    (
        "7 attempt",
        ("gateway/proxy/walk", "gateway/proxy/targets", "gateway/proxy/attempt", "gateway/proxy/patience"),
    ),
    (
        "7 connection to the provider",
        ("providers/http1", "providers/transport", "gateway/core/batched_writes"),
    ),
    ("8 what both sides say", ("providers/", "gateway/proxy/relay", "gateway/proxy/client")),
    ("9 money and records", ("catalogue/pricing/", "gateway/plane/spool", "accounts/", "gateway/core/codec")),
    ("the recipe, and the rest", ("",)),
)
"""By how paths of their files begin: the first that fits."""


@dataclass
class Figures:
    """Of one kind of call, for one call. `functions`: instructions by file and name."""

    files: Counter[str]
    functions: Counter[tuple[str, str]]
    rows: dict[str, int] = field(default_factory=dict)


def main(arguments: Sequence[str]) -> int:
    with (
        tempfile.TemporaryDirectory(prefix="gatehouse-count-") as folder,
        running_redis() as store,
        ScriptedProvider() as provider,
    ):
        set_up(Path(folder), store)
        found = _count_all(store, provider, Path(folder))
    _print(found)
    if "--files" in arguments:
        for name, figures in found.items():
            print(f"\n{name}: the most expensive files")
            print(*(f"{count:6} {file}" for file, count in figures.files.most_common(SHOWN)), sep="\n")
    if "--functions" in arguments:
        for name, figures in found.items():
            print(f"\n{name}: the most expensive functions")
            for (file, function), count in figures.functions.most_common(4 * SHOWN):
                print(f"{count:6} {file} {function}")
    return 0


def set_up(folder: Path, store: RedisServer) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "gateway.settings",
        "DATABASE_URL": f"sqlite:///{folder}/count.sqlite3",
        "REDIS_URL": store.url,
        "GATEWAY_DATA_DIR": str(folder),
        "GATEWAY_ALLOW_PRIVATE": "127.0.0.1",
        "GATEWAY_CHAT_LANE": "direct",
    }
    django.setup()
    call_command("migrate", verbosity=0)


def _count_all(store: RedisServer, provider: ScriptedProvider, folder: Path) -> dict[str, Figures]:
    """By the names of the calls; those of a key with budgets come last, since they hold from then on."""
    # Its models need the apps that are set up by now.
    from tests.gateway import warm

    key = warm.make_warm_key(provider.base_url)
    found = {}
    for call in sorted(warm.WARM_CALLS, key=lambda call: call is warm.budgeted_chat):
        if call is warm.budgeted_chat:
            warm.hold_to_budgets()
        found[call.__name__] = _count(key, call, store, folder)
    return found


def _count(key: str, call: Any, store: RedisServer, folder: Path) -> Figures:
    """Of the cheapest of several: what other threads and other calls' leavings cost only ever adds to it."""
    from tests.gateway import warm

    counts: list[Figures] = []

    async def scenario(client: Any) -> None:
        await warm.warm_up(call, client)
        for _ in range(TIMES):
            asked = _told(client_of_store, folder)
            before = _told(client_of_store, folder)
            with counted_turns() as turns:
                await warm.call_whole(call, client)
            after = _told(client_of_store, folder)
            await warm.rest()
            with counted_instructions() as count:
                await warm.call_whole(call, client)
            await warm.rest()
            # Less what it takes to ask.
            told = {name: after[name] - 2 * before[name] + asked[name] for name in after}
            own = {"Python calls": count.calls, "collections and texts built": count.built}
            counts.append(Figures(count.by_file, count.by_function, {**own, **turns, **told}))

    with redis.Redis(port=store.port) as client_of_store:
        warm.play(key, scenario)
    cheapest = min(counts, key=lambda figures: figures.files.total())
    cheapest.rows = {name: min(figures.rows[name] for figures in counts) for name in cheapest.rows}
    return cheapest


@contextmanager
def counted_turns() -> Iterator[Counter[str]]:
    """Of the running loop, with those of the client that plays in it: what wakes up, and what is called then."""
    loop: Any = asyncio.get_running_loop()
    counts: Counter[str] = Counter({"turns of the loop": 0, "callbacks and tasks' steps": 0})
    turn, call_soon = loop._run_once, loop.call_soon

    def run_once() -> None:
        counts["turns of the loop"] += 1
        turn()

    def soon(*arguments: Any, **named: Any) -> Any:
        counts["callbacks and tasks' steps"] += 1
        return call_soon(*arguments, **named)

    loop._run_once, loop.call_soon = run_once, soon
    try:
        yield counts
    finally:
        del loop._run_once, loop.call_soon


def _told(client: redis.Redis, folder: Path) -> dict[str, int]:
    """Since they began: what the store was told and did, and what is in the spool."""
    stats: Any = client.info("stats")
    commands: Any = client.info("commandstats")
    return {
        "scripts of the store": commands.get("cmdstat_evalsha", {}).get("calls", 0),
        "commands in it, those of scripts too": sum(each["calls"] for each in commands.values()),
        "bytes to the store": stats["total_net_input_bytes"],
        "bytes spooled": sum(path.stat().st_size for path in folder.glob("**/*.spool")),
    }


def _print(found: dict[str, Figures]) -> None:
    print(f"Python {sys.version.split()[0]}: for one warm call\n")
    print(f"{'':38}", *(f"{name:>14}" for name in found))
    by_stop = {name: _by_stop(figures.files) for name, figures in found.items()}
    for stop, _ in STOPS:
        print(f"{stop:38}", *(f"{stops[stop]:14,}" for stops in by_stop.values()))
    print(f"{'instructions in all':38}", *(f"{figures.files.total():14,}" for figures in found.values()))
    for row in next(iter(found.values())).rows:
        print(f"{row:38}", *(f"{figures.rows[row]:14,}" for figures in found.values()))


def _by_stop(files: Counter[str]) -> Counter[str]:
    stops: Counter[str] = Counter()
    for file, count in files.items():
        stops[next(stop for stop, begins in STOPS if file.startswith(tuple(begins)))] += count
    return stops


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
