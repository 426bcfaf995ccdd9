"""Reading the environment: every value also from the file that `NAME_FILE` points to."""

import os
from pathlib import Path


class BadEnvironment(ValueError):
    """A variable holds something that cannot be used; the message names it and what is allowed."""


def text(name: str, default: str = "") -> str:
    """The variable's value, or the stripped content of the file that NAME_FILE names, or the default."""
    path = os.environ.get(f"{name}_FILE")
    if path:
        return Path(path).read_text(encoding="utf-8").strip()
    return os.environ.get(name, default)


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
        raise BadEnvironment(f"{name} is {value!r}; use a number.") from None
    if result < least:
        raise BadEnvironment(f"{name} is {value!r}; the least is {least:g}.")
    return result


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default)
    if value not in allowed:
        raise BadEnvironment(f"{name} is {value!r}; use one of {', '.join(allowed)}.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """Comma- or space-separated words."""
    return text(name, default).replace(",", " ").split()
