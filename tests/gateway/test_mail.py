"""The address of the mail server."""

import pytest

from gateway.env import BadEnvironment, MailServer, read_mail_server


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://localhost", MailServer("localhost", 25, "", "", False, False)),
        ("smtp+tls://me:p%40ss@mail.example", MailServer("mail.example", 587, "me", "p@ss", True, False)),
        ("smtps://mail.example:4650", MailServer("mail.example", 4650, "", "", False, True)),
    ],
)
def test_address_says_how_mail_leaves(url: str, server: MailServer) -> None:
    assert read_mail_server(url) == server


@pytest.mark.parametrize(
    "url", ["", "mail.example", "http://me:hunter2@x", "smtp://me:hunter2@", "smtp://h:port"]
)
def test_address_that_cannot_be_used_is_named_without_its_password(url: str) -> None:
    with pytest.raises(BadEnvironment, match="GATEWAY_SMTP_URL") as caught:
        read_mail_server(url)
    assert "hunter2" not in str(caught.value)
