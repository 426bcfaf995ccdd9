"""`manage.py rebuild_rollups --from DAY --to DAY`: adds usage up anew from the ledger, while calls go on."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.usage.proof import prove_quarters
from accounts.usage.repair import day_of, is_kept, rebuild_day
from accounts.windows import DAY_S


class Command(BaseCommand):
    help = (
        "Add usage up anew from the ledger, day by day of UTC. Recorders wait for a day's transaction; calls do not. "
        "Days of which the ledger has not all entries any more are left as they are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--from", dest="first", required=True, type=_day, help="The first day, as 2026-11-02."
        )
        parser.add_argument("--to", dest="last", required=True, type=_day, help="The last day; included.")
        parser.add_argument("--dry-run", action="store_true", help="Only tell what differs.")

    def handle(self, *, first: datetime, last: datetime, dry_run: bool, **_options: Any) -> None:
        if last < first:
            raise CommandError("--to is before --from.")
        for day in range(day_of(first), day_of(last) + 1, DAY_S):
            self.stdout.write(f"{datetime.fromtimestamp(day, UTC).date()}: {_rebuild(day, dry_run=dry_run)}")


def _rebuild(day: int, *, dry_run: bool) -> str:
    if not is_kept(day, at=timezone.now()):
        return "left as it is, for the ledger has not all of it"
    found = prove_quarters(day, day + DAY_S)
    if dry_run:
        return f"{len(found)} sums differ"
    rebuild_day(day)
    return f"{len(found)} sums put right"


def _day(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day; write it as 2026-11-02.") from None
