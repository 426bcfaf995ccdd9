"""Encrypts every stored credential anew with the newest key, so that older keys can be taken away."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gateway.core.sealing import KeyUnusable
from providers.services import rotate_secrets


class Command(BaseCommand):
    help = "Encrypt every stored credential anew with the first key in GATEWAY_CREDENTIAL_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002
        try:
            problems = rotate_secrets()
        except KeyUnusable as error:
            raise CommandError(str(error)) from None
        if problems:
            raise CommandError("Not all could be rotated; keep the older keys.\n" + "\n".join(problems))
        self.stdout.write("Every stored credential is encrypted with the newest key; older keys may go.")
