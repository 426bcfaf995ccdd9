"""`manage.py send_test_mail ADDRESS`: whether mail leaves as it is set up, and what the server says if not."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.mail.message import Button, Facts, Message
from accounts.mail.sending import send


def letter() -> Message:
    place = str(settings.PUBLIC_URL or "")
    return Message(
        kind="test",
        subject="A test mail of Gatehouse",
        parts=(
            "Mail leaves this Gatehouse, and this address gets it. There is nothing to do.",
            Facts([("Sender", settings.DEFAULT_FROM_EMAIL), ("Address of Gatehouse", place or "not set")]),
        ),
        why="You get this because somebody who runs this Gatehouse sent it to this address.",
        stop="It is sent by hand, and never by itself.",
        button=Button("Open Gatehouse", f"{place}/") if place else None,
    )


class Command(BaseCommand):
    help = "Send a test mail, by which mail is checked as it is set up."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="To whom.")

    def handle(self, *_args: Any, address: str, **_options: Any) -> None:
        """Raises CommandError."""
        try:
            send(letter(), [address])
        except (OSError, ValueError) as error:
            said = f"{type(error).__name__}: {error}"
            message = f"It was not taken ({said}). See GATEWAY_SMTP_URL and GATEWAY_EMAIL_FROM."
            raise CommandError(message) from error
        self.stdout.write(f"The mail server took it from {settings.DEFAULT_FROM_EMAIL} for {address}.")
        if not settings.MAIL_IS_SET:
            self.stdout.write(
                "GATEWAY_SMTP_URL is not set: invitations are handed on in place of being mailed."
            )
