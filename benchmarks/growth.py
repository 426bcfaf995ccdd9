"""How much dearer things get as a deployment grows, as ratios: `python -m benchmarks.growth`.

A call is counted in instructions of the interpreter, which are the same under any load: with more keys in memory and in
SQL, and its decision with more models. Pages are measured in CPU of this process and of PostgreSQL together, over
ledgers of three lengths, which may be named (`--database`, in their order) where they have been filled before.
"""

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import routing
from tests.gateway.instructions import counted_instructions
from tests.services import running_postgres, running_redis
from tests.upstream import ScriptedProvider

KEYS, MODELS, ROWS = (1, 1_000, 100_000), (10, 1_000, 10_000), (10_000, 1_000_000, 10_000_000)
_DAYS, _TEAM, _TIMES = 120, 2, 3
_CHAT = routing.CASES[0].body
_CASES = (
    routing.Case("one model that is named", ("bench/model-3",), _CHAT),
    routing.Case("auto", ("auto",), _CHAT),
    routing.Case("auto, the order found anew", ("auto",), _CHAT, is_new_second=True),
)
Row = Sequence[float]


def main() -> int:
    options = _parser().parse_args()
    if options.count:
        print(json.dumps(count_chat(int(options.count))))
    elif options.pages:
        print(json.dumps(measure_pages(options.pages, options.rows)))
    else:
        _tell(options.database)
    return 0


def _tell(databases: Sequence[str]) -> None:
    print(f"{'instructions of a chat, by keys':44}", *(f"{number:>12,}" for number in KEYS))
    _print("chat", [_child("--count", str(number)) for number in KEYS])
    print(f"\n{'instructions of a decision, by models':44}", *(f"{number:>12,}" for number in MODELS))
    for case in _CASES:
        _print(case.title, [count_decision(case, number) for number in MODELS])
    print(f"\n{'ms of CPU of a page, by rows of the ledger':44}", *(f"{number:>12,}" for number in ROWS))
    with ExitStack() as stack:
        urls = databases or _urls(stack)
        found = [_child("--pages", url, "--rows", str(rows)) for url, rows in zip(urls, ROWS, strict=False)]
    for name in found[0]:
        _print(name, [pages[name] for pages in found])


def _urls(stack: ExitStack) -> Sequence[str]:
    server = stack.enter_context(running_postgres())
    return [server.new_database(f"ledger-{rows}") for rows in ROWS]


def _child(*arguments: str) -> Any:
    """In a process of its own: one has one database."""
    command = [sys.executable, "-m", "benchmarks.growth", *arguments]
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(told.splitlines()[-1])


def _print(name: str, row: Row) -> None:
    told = [f"{value:,.0f} (\N{MULTIPLICATION SIGN}{value / row[0]:.2f})" for value in row]
    print(f"{name:44}", *(f"{text:>12}" for text in told), flush=True)


def count_chat(keys: int) -> int:
    """Instructions of a warm chat where so many keys are in SQL and in memory."""
    from benchmarks.counting import set_up

    with (
        tempfile.TemporaryDirectory(prefix="gatehouse-growth-") as folder,
        running_redis() as store,
        ScriptedProvider() as provider,
    ):
        set_up(Path(folder), store)
        return _count_chat(provider.base_url, keys)


def _count_chat(provider_url: str, keys: int) -> int:
    from accounts.models import Key
    from gateway.plane import runtime
    from tests.gateway import warm

    counts: list[int] = []
    text = warm.make_warm_key(provider_url)
    first = Key.objects.get()
    others = [
        Key(team=first.team, name="other", public_id=f"other{number:07d}", digest="0" * 64)
        for number in range(keys - 1)
    ]
    Key.objects.bulk_create(others, batch_size=1_000)

    async def scenario(client: Any) -> None:
        await warm.warm_up(warm.chat, client)
        here = runtime.current()
        assert here
        memory = here.keys
        facts = memory._entries[first.public_id]
        memory._entries |= {key.public_id: facts for key in others}
        for _ in range(_TIMES):
            with counted_instructions() as count:
                await warm.call_whole(warm.chat, client)
            await warm.rest()
            counts.append(count.instructions)

    warm.play(text, scenario)
    return min(counts)


def count_decision(case: routing.Case, models: int) -> int:
    """Instructions of choosing an offering; of a warm snapshot."""
    snapshot = routing.catalogue(models)
    decide = routing.planning(case, snapshot, routing.worn(snapshot))
    decide(0)
    counts = []
    for number in range(1, _TIMES + 1):
        with counted_instructions() as count:
            decide(number)
        counts.append(count.instructions)
    return min(counts)


def measure_pages(url: str, rows: int) -> Mapping[str, float]:
    """By name the CPU of each page, in ms."""
    from benchmarks.usage import set_up

    set_up(url, rows, _DAYS)
    from benchmarks.timing import Meter

    meter = Meter()
    return {name: meter.cost(page.get, _TIMES).cpu_ms for name, page in _pages()}


def _pages() -> Iterator[tuple[str, Any]]:
    from accounts.models import Team
    from benchmarks import ledger_pages as pages

    team, staff = pages.Desk(Team.objects.get(pk=_TEAM)), pages.Desk(None)
    for desk in (team, staff):
        log = list(pages.log_pages(desk, depths=(0.5,)))
        words = pages.filters_of(desk)
        log += [desk.page("", f"{name}={words[name]}", **{name: words[name]}) for name in ("model", "status")]
        log += [desk.page("", "never", end_user="0" * 32), *pages.receipt_pages(desk)]
        for page in log:
            yield f"{desk.name}, log or receipt: {page.name}"[:44], page
    for page in itertools.chain(pages.console_pages(team), pages.overview_pages(team, splits=("model",))):
        yield f"{team.name}: {page.name}"[:44], page
    for page in itertools.chain(pages.staff_pages(staff, measures=("spend",), splits=("team",))):
        yield f"{page.kind}: {page.name}"[:44], page


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--database", action="append", default=[], help="URL; once for each length")
    parser.add_argument("--count", help=argparse.SUPPRESS)
    parser.add_argument("--pages", help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, default=ROWS[0], help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
    sys.exit(main())
