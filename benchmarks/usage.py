"""Usage at scale on PostgreSQL: how long reading takes, how far recording lags: `python -m benchmarks.usage`."""

import argparse
import itertools
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from statistics import median

import django

from benchmarks.report import Goal
from tests.services import running_postgres

DAYS, MEASURED_S, CALLS_A_SECOND, BATCH = 90, 20, 1_000, 200


def main() -> int:
    options = _parser().parse_args()
    with running_postgres() as server:
        os.environ["DATABASE_URL"] = server.new_database("usage")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway.settings")
        django.setup()
        goals = list(_measure(options.rows))
    print(*(goal.line for goal in goals), sep="\n")
    return 0 if all(goal.is_met for goal in goals) else 1


def _measure(rows: int) -> Iterator[Goal]:
    from django.core.management import call_command
    from django.db import connection

    from accounts.usage.repair import day_of, rebuild_day
    from tests.usage_rows import fill_ledger

    call_command("migrate", verbosity=0)
    end = datetime.fromtimestamp(day_of(datetime.now(UTC)), UTC)
    began = time.monotonic()
    fill_ledger(rows, days=DAYS, end=end)
    _note(f"{rows:,} rows of the ledger in {time.monotonic() - began:.0f} s")
    began = time.monotonic()
    for day in range(DAYS):
        rebuild_day(day_of(end - timedelta(days=day + 1)))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    _note(f"their usage in {time.monotonic() - began:.0f} s; {_counted()}")
    yield from _readings(int(end.timestamp()))
    yield _lag(end)


def _readings(end: int) -> Iterator[Goal]:
    from accounts.usage.parameters import GROUPS
    from accounts.usage.reader import Question, read_usage

    begin = end - DAYS * 86_400
    for whose, team in (("a team", 1), ("a team in Berlin", 3), ("all teams", None)):
        for bucket, zone in (("none", "UTC"), ("1d", "UTC")):
            took: dict[str, float] = {}
            for pair in itertools.combinations(GROUPS.values(), 2):
                question = Question(begin, end, bucket, zone, pair, team_id=team)
                took[" and ".join(pair)] = median(
                    _timed(lambda asked=question: read_usage(asked, limit=101)) for _ in range(3)
                )
            slowest = max(took, key=took.__getitem__)
            yield Goal(
                f"{whose}, bucket {bucket}, by {slowest}: the slowest of any two groups",
                took[slowest],
                300,
                "ms",
            )


def _lag(end: datetime) -> Goal:
    """What a recorder is behind after some time of so many calls a second, of many keys at once."""
    from accounts.recording import record_attempts
    from tests.gateway.spooling import attempt

    due = CALLS_A_SECOND * MEASURED_S
    records = [
        attempt(
            started_at=end.timestamp() + number / CALLS_A_SECOND,
            team_id=number % 20 + 1,
            lineage_id=number % 500 + 1,
            model=f"acme/model-{number * 3 % 40}",
        )
        for number in range(due)
    ]
    began, worst = time.monotonic(), 0.0
    for start in range(0, due, BATCH):
        ready_at = began + (start + BATCH) / CALLS_A_SECOND
        time.sleep(max(0.0, ready_at - time.monotonic()))
        record_attempts(records[start : start + BATCH])
        worst = max(worst, time.monotonic() - ready_at)
    return Goal(f"behind at {CALLS_A_SECOND:,} calls a second, at most", worst, 2, "s")


def _timed(read: object) -> float:
    began = time.perf_counter()
    read()  # type: ignore[operator]
    return (time.perf_counter() - began) * 1000


def _counted() -> str:
    from accounts.models import UsageDay, UsageQuarter, UsageSeries

    kinds = (UsageSeries, UsageQuarter, UsageDay)
    return ", ".join(f"{kind.objects.count():,} {kind._meta.verbose_name_plural}" for kind in kinds)


def _note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.usage", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the ledger (10,000,000)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
