"""Where mail leaves by: one address instead of Django's seven settings."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from gateway.env import BadEnvironment

TIMEOUT_S = 10
_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


class MailServer(NamedTuple):
    """The options of Django's SMTP backend, by its names: `use_tls` is STARTTLS."""

    host: str
    port: int
    username: str
    password: str
    use_tls: bool
    use_ssl: bool
    timeout: int = TIMEOUT_S


def read_mail_server(url: str) -> MailServer:
    """Of `smtp://`, `smtp+tls://` (STARTTLS) or `smtps://`, with user and password where needed.

    Raises BadEnvironment, which never repeats the address: it may hold the password.
    """
    try:
        address = urlsplit(url)
        host, port = address.hostname, address.port or _PORTS[address.scheme]
    except (ValueError, KeyError):
        host = None
    if not host:
        raise BadEnvironment(
            "GATEWAY_SMTP_URL cannot be used; write it as smtp+tls://user:password@host:587."
        )
    user, password = unquote(address.username or ""), unquote(address.password or "")
    return MailServer(host, port, user, password, address.scheme == "smtp+tls", address.scheme == "smtps")
