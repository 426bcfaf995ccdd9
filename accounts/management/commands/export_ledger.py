"""`manage.py export_ledger`: writes the days of the ledger that are due to files, without waiting for beat."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.ledger_files import export_due

_LONGEST_S = 10**9


class Command(BaseCommand):
    help = "Write what is due of the ledger to GATEWAY_LEDGER_EXPORT. It goes on from where the last round ended."

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not settings.LEDGER_EXPORT:
            raise CommandError("GATEWAY_LEDGER_EXPORT names no place.")
        self.stdout.write(f"{export_due(at=timezone.now(), most_s=_LONGEST_S)} files written.")
