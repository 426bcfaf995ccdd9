"""`manage.py create_key --team SLUG --name N`: issues a key and prints it, once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import Key, Team
from accounts.services import issue_key
from gateway.core.refusals import InvalidField


class Command(BaseCommand):
    help = "Issue a key for a team and print it. It cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--team", required=True, help="The team's slug.")
        parser.add_argument("--name", required=True, help="What will use the key.")
        scopes = "; ".join(f"{value}: {label.partition(': ')[2]}" for value, label in Key.Scope.choices)
        parser.add_argument(
            "--scope",
            default=Key.Scope.INFERENCE,
            choices=Key.Scope.values,
            help=f"What it may do. {scopes}.",
        )

    def handle(self, *, team: str, name: str, scope: str, **_options: Any) -> None:
        row = Team.objects.filter(slug=team).first()
        if row is None:
            known = ", ".join(Team.objects.values_list("slug", flat=True)) or "none yet"
            raise CommandError(f"There is no team '{team}'. Teams: {known}.")
        try:
            _, text = issue_key(team=row, name=name, scope=scope)
        except InvalidField as error:
            raise CommandError(error.message) from None
        self.stdout.write(text)
