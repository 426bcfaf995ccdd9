"""`manage.py close_month MONTH [--team SLUG]`: makes the statements of a month at once, or all that are due."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.centre_statements import close_centres
from accounts.measures import write_exactly
from accounts.models import Statement, Team
from accounts.statements import close_month, month_named
from gateway.core.refusals import InvalidField


class Command(BaseCommand):
    help = (
        "Close a month that is over: make the statement of each team that used anything in it. A month that is "
        "closed stays as it is; what is booked for it later stands in a later statement. Without --team, statements of "
        "cost centres are made, too, of months that are over everywhere."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("month", help="As 2026-10.")
        parser.add_argument("--team", help="Only of the team with this slug.")

    def handle(self, *, month: str, team: str | None, **_options: Any) -> None:
        teams = Team.objects.order_by("slug")
        if team is not None and not (teams := teams.filter(slug=team)):
            raise CommandError(f"There is no team '{team}'.")
        made = 0
        for each in teams:
            try:
                statement = close_month(each, month_named(each, month), at=timezone.now())
            except InvalidField as error:
                raise CommandError(error.message) from None
            if statement is not None:
                made += 1
                self.stdout.write(_told(statement))
        self.stdout.write(f"{made} statement{'' if made == 1 else 's'} made.")
        if team is None:
            for summed in close_centres(before=timezone.now(), at=timezone.now()):
                total = write_exactly(summed.charge_usd)
                self.stdout.write(
                    f"C{summed.number}: cost centre {summed.cost_centre}, {summed.month}, {total} USD"
                )


def _told(statement: Statement) -> str:
    return f"{statement.number}: {statement.team_slug}, {statement.month}, {write_exactly(statement.charge_usd)} USD"
