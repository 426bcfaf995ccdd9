"""`manage.py export_focus --from DAY --to DAY`: cost and usage as FOCUS 1.2, to standard output."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Team
from accounts.usage.rollups import UTC_ZONE
from gateway.core.refusals import InvalidField
from gateway.focus.export import spans_of, texts_of
from gateway.focus.views import read_range


class Command(BaseCommand):
    help = "Write cost and usage of all teams, or of one, as FOCUS 1.2: whole days that the range touches."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--from", dest="first", help="A day, as 2026-11-01. Left out: 30 days before --to."
        )
        parser.add_argument("--to", dest="until", help="The day after the last one. Left out: now.")
        parser.add_argument("--format", choices=["csv", "jsonl"], default="csv")
        parser.add_argument("--team", help="Only of the team with this slug.")

    def handle(
        self,
        *,
        first: str | None,
        until: str | None,
        format: str,  # noqa: A002  # the option
        team: str | None,
        **_options: Any,
    ) -> None:
        one = Team.objects.filter(slug=team).first() if team is not None else None
        if team is not None and one is None:
            raise CommandError(f"There is no team '{team}'.")
        try:
            low, high = read_range({"from": first, "to": until}, one.time_zone if one else UTC_ZONE)
        except InvalidField as error:
            raise CommandError(error.message) from None
        for text in texts_of(spans_of(one, low, high), "csv" if format == "csv" else "jsonl"):
            self.stdout.write(text, ending="")
