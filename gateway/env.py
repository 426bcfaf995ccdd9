"""Reading the environment: every value also from the file that `NAME_FILE` points to. What is empty is not set."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

Value = TypeVar("Value")
MAIL_TIMEOUT_S = 10
_PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


class BadEnvironment(ValueError):
    """A variable holds something that cannot be used; the message names it and what is allowed."""


def text(name: str, default: str = "") -> str:
    """The variable's value, or the stripped content of the file that NAME_FILE names, or the default."""
    path = os.environ.get(f"{name}_FILE", "").strip()
    value = _content(name, path) if path else os.environ.get(name, "")
    return value if value.strip() else default


def flag(name: str, *, default: bool = False) -> bool:
    value = text(name).lower()
    if value in {"", "0", "1", "true", "false", "yes", "no", "on", "off"}:
        return default if not value else value in {"1", "true", "yes", "on"}
    raise BadEnvironment(f"{name} is {value!r}; use 1 or 0.")


def number(name: str, default: float, *, least: float = 0) -> float:
    value = text(name)
    try:
        result = float(value) if value else default
    except ValueError:
        result = math.nan
    if not math.isfinite(result):
        raise BadEnvironment(f"{name} is {value!r}; use a number.")
    if result < least:
        raise BadEnvironment(f"{name} is {value!r}; the least is {least:g}.")
    return result


def whole(name: str, default: int, *, least: int = 0, most: float = math.inf) -> int:
    result = number(name, default, least=least)
    if result != int(result):
        raise BadEnvironment(f"{name} is {text(name)!r}; use a whole number.")
    if result > most:
        raise BadEnvironment(f"{name} is {text(name)!r}; the most is {most:g}.")
    return int(result)


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise BadEnvironment(f"{name} is {value!r}; use one of {', '.join(allowed)}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """Comma- or space-separated words."""
    return text(name, default).replace(",", " ").split()


def parsed(name: str, read: Callable[[list[str]], Value]) -> Value:
    """What `read` makes of the words; its ValueError says what is wrong with them."""
    try:
        return read(words(name))
    except ValueError as error:
        raise BadEnvironment(f"{name}: {error}.") from None


def _content(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadEnvironment(f"{name}_FILE is {path!r}, which cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise BadEnvironment(f"{name}_FILE is {path!r}, which is not UTF-8 text.") from None


class MailServer(NamedTuple):
    """The options of Django's SMTP backend, by its names: `use_tls` is STARTTLS."""

    host: str
    port: int
    username: str
    password: str
    use_tls: bool
    use_ssl: bool
    timeout: int = MAIL_TIMEOUT_S


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
