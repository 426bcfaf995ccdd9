"""A long ledger on PostgreSQL: what reading it takes, and how far recording lags: `python -m benchmarks.usage`.

What is read is measured in CPU of this process and of the database together, which other work on the machine changes
less than time. A database that has been filled may be named, so that it is filled once.
"""

import argparse
import gc
import itertools
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import django

from benchmarks.report import Goal
from tests.services import running_postgres

if TYPE_CHECKING:
    from benchmarks.ledger_pages import Page
    from benchmarks.timing import Meter

DAYS, READ_DAYS, MEASURED_S, CALLS_A_SECOND, BATCH = 120, 90, 20, 1_000, 250
_TEAMS = (1, 2, 26)
"""Half of all calls are the first one's; the second is in another zone; the third is small."""


def main() -> int:
    options = _parser().parse_args()
    with ExitStack() as stack:
        url = options.database or stack.enter_context(running_postgres()).new_database("usage")
        set_up(url, options.rows, DAYS)
        goals = []
        for goal in _measure(options.only):
            print(goal.line, flush=True)
            goals.append(goal)
    return 0 if all(goal.is_met for goal in goals) else 1


def set_up(url: str, rows: int, days: int) -> None:
    """Django over that database, which is filled where it has no calls."""
    os.environ["DATABASE_URL"] = url
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
    django.setup()
    fill(rows, days)
    # As a web process does it: what was loaded at the start is not looked through again and again.
    gc.collect()
    gc.freeze()


def fill(rows: int, days: int) -> None:
    from django.core.management import call_command

    from accounts.models import LedgerEntry
    from benchmarks.ledger_seed import Size, seed_deployment

    call_command("migrate", verbosity=0)
    if not LedgerEntry.objects.exists():
        seed_deployment(Size(rows, days, datetime.now(UTC).replace(microsecond=0)), _note)


def _measure(only: str) -> Iterator[Goal]:
    from benchmarks.timing import Meter

    meter = Meter()
    if only in ("", "usage"):
        yield from _readings(meter)
    if only in ("", "pages"):
        yield from slowest(meter, _pages())
    if only in ("", "lag"):
        yield _lag()


def _readings(meter: "Meter") -> Iterator[Goal]:
    from accounts.models import Team
    from accounts.usage.parameters import GROUPS
    from accounts.usage.question import Question
    from accounts.usage.reader import read_usage

    end = int(time.time()) // 86_400 * 86_400
    begin = end - READ_DAYS * 86_400
    pairs = list(itertools.combinations(GROUPS.values(), 2))
    teams = [*Team.objects.filter(pk__in=_TEAMS), None]
    zones = [(team, zone) for team in teams for zone in sorted({team.usage_zone if team else "UTC", "UTC"})]
    for (team, zone), bucket in itertools.product(zones, ("none", "1d")):
        took = {}
        for pair in pairs:
            asked = Question(begin, end, bucket, zone, pair, team_id=team.pk if team else None)
            took[" and ".join(pair)] = meter.cost(lambda asked=asked: read_usage(asked, limit=101), 3).cpu_ms
        worst = max(took, key=took.__getitem__)
        whose = f"team {team.pk}" if team else "all teams"
        told = (
            f"{READ_DAYS} days of {whose} in {zone}, bucket {bucket}, by {worst}, the slowest of {len(took)}"
        )
        yield Goal(told, took[worst], 300, "ms of CPU")


def _pages() -> Iterator["Page"]:
    from accounts.models import Team
    from benchmarks import ledger_pages as pages

    for team in (*Team.objects.filter(pk__in=_TEAMS), None):
        desk = pages.Desk(team)
        kinds = [pages.log_pages, pages.filtered_pages, pages.receipt_pages]
        kinds += [pages.overview_pages, pages.sheet_pages] if team else [pages.staff_pages]
        for kind in kinds:
            yield from kind(desk)


def slowest(meter: "Meter", pages: Iterable["Page"]) -> Iterator[Goal]:
    """Of each kind the page that takes longest."""
    for kind, its in itertools.groupby(pages, key=lambda page: page.kind):
        took = [(meter.cost(page.get, 3), page) for page in its]
        cost, page = max(took, key=lambda each: each[0].cpu_ms)
        text = f"{kind}: {page.name}, the slowest of {len(took)} ({cost.wall_ms:.0f} ms in time)"
        yield Goal(text, cost.cpu_ms, page.most_ms, "ms of CPU")


def _lag() -> Goal:
    """What a recorder is behind after some time of so many calls a second, of many keys at once."""
    from accounts.models import Key
    from accounts.recording import record_attempts
    from gateway.proxy.ids import mint_id
    from tests.gateway.spooling import attempt

    keys = list(Key.objects.filter(name__startswith="key ").values_list("pk", "team_id"))
    at = time.time()
    records = [
        attempt(
            mint_id(),
            call_id=mint_id(),
            request_id=f"req_{mint_id()}",
            started_at=at + number / CALLS_A_SECOND,
            team_id=team,
            key_id=key,
            lineage_id=key,
            model=f"acme/model-{(key * 3 + number % 3 * 11) % 60}",
            provider=f"provider-{key % 20}",
            end_user=f"{number * 7919 % 50_000:032x}" if key % 2 else "",
        )
        for number in range(CALLS_A_SECOND * MEASURED_S)
        for key, team in [keys[number * 7919 % len(keys)]]
    ]
    began, worst = time.monotonic(), 0.0
    for start in range(0, len(records), BATCH):
        ready_at = began + (start + BATCH) / CALLS_A_SECOND
        time.sleep(max(0.0, ready_at - time.monotonic()))
        record_attempts(records[start : start + BATCH])
        worst = max(worst, time.monotonic() - ready_at)
    return Goal(f"behind at {CALLS_A_SECOND:,} calls a second, at most", worst, 2, "s")


def _note(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.usage", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the ledger (10,000,000)")
    parser.add_argument(
        "--database", default="", help="URL of one on this machine; a server of its own if none"
    )
    parser.add_argument("--only", choices=["usage", "pages", "lag"], default="", help="one part (all)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
