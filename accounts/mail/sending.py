"""The one way by which mail leaves."""

import re
from collections.abc import Sequence
from email.utils import make_msgid, parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from accounts.mail.message import Message
from accounts.mail.writing import write_html, write_text

_NO_LABEL = re.compile(r"[^a-z0-9]+")


def send(message: Message, to: Sequence[str]) -> None:
    """Raises OSError where it was not taken, ValueError for addresses that no mail can have."""
    made = EmailMultiAlternatives(
        message.first_line, write_text(message), None, list(to), headers=_headers(message)
    )
    made.attach_alternative(write_html(message), "text/html")
    made.send()


def _headers(message: Message) -> dict[str, str]:
    """Sources: RFC 3834 (no robot answers), RFC 2919 (the list), RFC 2369 and 8058 (one click stops it)."""
    domain = _domain()
    label = _NO_LABEL.sub("-", message.kind).strip("-")
    headers = {
        "Message-ID": f"<{message.id}@{domain}>" if message.id else make_msgid(domain=domain),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "List-Id": f"<{label}.gatehouse.{domain}>",
    }
    if message.stop_address:
        headers["List-Unsubscribe"] = f"<{message.stop_address}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _domain() -> str:
    """Where we are known, else that of our sender."""
    known: str = settings.PUBLIC_URL.host if settings.PUBLIC_URL else ""
    return known or parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
