"""Every mail leaves by one function, with the headers that mailboxes expect of a machine."""

import ast
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

import accounts
from accounts.mail.message import Message
from accounts.mail.sending import send
from gateway.server.front import read_public_url

ROOT = Path(accounts.__file__).parent.parent
SENDERS = {
    "EmailMessage",
    "EmailMultiAlternatives",
    "send_mail",
    "send_mass_mail",
    "mail_admins",
    "mail_managers",
}
SENDERS |= {"get_connection", "email_user", "SMTP", "SMTP_SSL"}
ALLOWED = {"accounts/mail/sending.py"}


@pytest.fixture(autouse=True)
def known(settings: Any) -> None:
    settings.PUBLIC_URL = read_public_url("https://gw.example.com")


def message(**given: object) -> Message:
    said = {"kind": "key.created", "subject": "A key was made", "parts": [], "why": "Why.", "stop": "How."}
    return Message(**(said | given))  # type: ignore[arg-type]


def sent(mailoutbox: list[Any]) -> Any:
    return message_from_bytes(mailoutbox[-1].message().as_bytes(), policy=policy.default)


def test_mail_is_text_first_and_html_beside_it(mailoutbox: list[Any]) -> None:
    send(message(), ["ann@example.com"])
    got = sent(mailoutbox)
    assert got.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in got.iter_parts()] == ["text/plain", "text/html"]
    assert got["To"] == "ann@example.com"


def test_headers_say_that_a_machine_wrote_it(mailoutbox: list[Any]) -> None:
    send(message(), ["ann@example.com"])
    got = sent(mailoutbox)
    assert (got["Auto-Submitted"], got["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert got["List-Id"] == "<key-created.gatehouse.gw.example.com>"
    assert got["Message-ID"].endswith("@gw.example.com>")
    assert got["List-Unsubscribe"] is None


def test_same_message_has_the_same_id_however_often_it_is_sent(mailoutbox: list[Any]) -> None:
    for _ in range(2):
        send(message(id="evt_1.2"), ["ann@example.com"])
    assert {mail.message()["Message-ID"] for mail in mailoutbox} == {"<evt_1.2@gw.example.com>"}


def test_one_click_stops_what_may_be_stopped(mailoutbox: list[Any]) -> None:
    """RFC 8058, section 3.1."""
    send(message(stop_address="https://gw.example.com/mail/stop/x"), ["ann@example.com"])
    got = sent(mailoutbox)
    assert got["List-Unsubscribe"] == "<https://gw.example.com/mail/stop/x>"
    assert got["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_name_begins_no_header(mailoutbox: list[Any]) -> None:
    send(message(subject="A key was made: x\r\nBcc: eve@example.com"), ["ann@example.com"])
    got = sent(mailoutbox)
    assert got["Bcc"] is None
    assert got["Subject"] == r"A key was made: x\r\nBcc: eve@example.com"
    assert mailoutbox[-1].recipients() == ["ann@example.com"]


def test_sender_names_the_domain_where_nothing_else_does(settings: Any, mailoutbox: list[Any]) -> None:
    settings.PUBLIC_URL, settings.DEFAULT_FROM_EMAIL = read_public_url(""), "Gatehouse <gate@corp.example>"
    send(message(), ["ann@example.com"])
    assert sent(mailoutbox)["List-Id"] == "<key-created.gatehouse.corp.example>"


def names_used() -> Iterator[tuple[str, str]]:
    for package in ("gateway", "catalogue", "providers", "accounts"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                name = getattr(node, "attr", None) or getattr(node, "id", None) or getattr(node, "name", None)
                if name in SENDERS and "core/postgresql" not in str(path):
                    yield path.relative_to(ROOT).as_posix(), str(name)


def test_every_mail_of_the_product_leaves_by_one_function() -> None:
    found = {(path, name) for path, name in names_used() if name not in {"get_connection", "send_mail"}}
    assert {path for path, _ in found} == ALLOWED
    # Transactions have connections, too, and what allauth would mail itself is taken from it.
    others = {path for path, name in names_used() if name in {"get_connection", "send_mail"}}
    assert others <= {
        "catalogue/admin/base.py",
        "gateway/identity/adapters.py",
        "gateway/identity/telling.py",
    }
