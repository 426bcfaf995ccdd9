"""`manage.py reprice --since … --until …`: what attempts would cost by today's prices; `--apply` books it."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.ledger_names import read_names
from accounts.measures import write_exactly
from accounts.money import usd_of
from gateway.ops.repricing import Range, Repricing, reprice

_NOTE_LENGTH = 200


class Command(BaseCommand):
    help = (
        "Price attempts of the ledger anew, by what the catalogue says now for the instants at which they began. "
        "Prints the difference by team and changes nothing; with --apply, entries of their own are booked. "
        "Run again, it finds nothing more to do."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", required=True, help="From this instant on, such as 2026-11-01T00:00Z.")
        parser.add_argument("--until", required=True, help="Before this instant.")
        parser.add_argument("--model", default="", help="Of this model only, by its id.")
        parser.add_argument("--provider", default="", help="At this provider only, by its slug.")
        parser.add_argument("--upstream-name", default="", help="Of the offering that has this name there.")
        parser.add_argument("--note", default="", help="Why: it stands in every entry that is booked.")
        parser.add_argument("--apply", action="store_true", help="Book the differences.")

    def handle(self, *, apply: bool, note: str, since: str, until: str, **options: Any) -> None:
        asked = Range(
            _instant("since", since),
            _instant("until", until),
            options["model"],
            options["provider"],
            options["upstream_name"],
        )
        if asked.since >= asked.until:
            raise CommandError("--until is not after --since.")
        if apply and not note.strip():
            raise CommandError("--apply needs a --note that says why: it stands in every entry.")
        if len(note) > _NOTE_LENGTH:
            raise CommandError(f"--note has {len(note)} characters; use {_NOTE_LENGTH} at most.")
        self._print(reprice(asked, applies=apply, note=note.strip()), apply)

    def _print(self, found: Repricing, is_applied: bool) -> None:
        names = read_names((team, 0) for team in found.teams)
        for team, difference in sorted(found.teams.items(), key=lambda pair: names.team(pair[0])):
            before, after = difference.before, difference.after
            self.stdout.write(
                f"{names.team(team)}: {difference.attempts:,} attempts, charged {_usd(before.charge)} and now"
                f" {_usd(after.charge)} USD ({_signed(after.charge - before.charge)}),"
                f" borne by us {_signed(after.loss - before.loss)}"
            )
        for reason, count in found.left.items():
            self.stdout.write(f"{count:,} attempts are left as they are: {reason}.")
        done = "Booked." if is_applied else "Nothing was changed; --apply books it."
        what = f"{found.seen:,} attempts looked at, {sum(each.attempts for each in found.teams.values()):,} differ."
        self.stdout.write(f"{what} {done}" if found.teams else what)


def _instant(name: str, text: str) -> datetime:
    """What names no zone is in UTC."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--{name} is {text!r}; write an instant such as 2026-11-01T00:00Z.") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _usd(units: int) -> str:
    return write_exactly(usd_of(units))


def _signed(units: int) -> str:
    return f"{'+' if units >= 0 else ''}{_usd(units)}"
