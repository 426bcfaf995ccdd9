"""`manage.py doctor`: says what is missing or unhealthy, and exits with 1 if anything is."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gateway.ops.doctor import examine


class Command(BaseCommand):
    help = "Say what is missing or unhealthy. Exits with 1 if anything is."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        ill = 0
        for finding in examine():
            ill += not finding.is_well
            self.stdout.write(f"{'well' if finding.is_well else 'ILL '}  {finding.part:<12} {finding.says}")
        if ill:
            raise CommandError(f"{ill} of these need attention.")
