"""`manage.py load_bootstrap`: make what is missing of the bootstrap catalogue."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalogue.bootstrap.entries import BootstrapError
from catalogue.bootstrap.loader import LoadReport, load_bootstrap
from catalogue.models import Edition


class Command(BaseCommand):
    help = "Make what is missing of the bootstrap catalogue and publish it. What is there is left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo-port", type=int, required=True, help="Port of the bundled demo providers."
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        port = options["demo_port"]
        if not 0 < port < 65536:
            raise CommandError(f"--demo-port {port} is not a port: give a number from 1 to 65535.")
        try:
            report = load_bootstrap(demo_port=port)
        except BootstrapError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_describe(report))


def _describe(report: LoadReport) -> str:
    made = (
        f"{report.models} models, {report.providers} providers and {report.organisations} organisations made"
    )
    edition = (
        f"published as {Edition.objects.get(number=report.edition)}"
        if report.edition
        else "nothing published"
    )
    skipped = f"; aliases already taken: {', '.join(report.skipped)}" if report.skipped else ""
    return f"{made}; {edition}{skipped}."
