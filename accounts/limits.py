"""What terms of a key, and limits, may be. Pure; services, forms and both APIs ask. All checks raise InvalidField."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from gateway.core.refusals import InvalidField

LIMIT_MAX = 1_000_000
TIMEOUT_MAX_MS = 24 * 3_600_000
"""No call is waited for longer than a day."""
AMOUNT_MAX = 1_000_000_000_000
"""Of a limit in a window: what Redis' doubles count exactly, and more than anybody calls for."""
WINDOWS_S: Mapping[str, int] = {"minute": 60, "day": 86_400, "none": 0}
UNITS = ("requests", "tokens", "input_tokens", "output_tokens", "concurrency")
PUBLISHED: Mapping[str, tuple[str, str]] = {
    "requests_per_minute": ("requests", "minute"),
    "concurrency": ("concurrency", "none"),
}
"""Limits of a key that are told, and may be given, as fields of the key itself: field → unit and window."""
PROJECT = re.compile(r"[a-zA-Z0-9._:-]{1,64}")
"""How a project is named by calls."""
_NAME_LENGTH_MAX = 100


def check_name(name: str) -> None:
    if not name.strip() or len(name) > _NAME_LENGTH_MAX or not name.isprintable():
        raise InvalidField("name", f"name must be 1 to {_NAME_LENGTH_MAX} printable characters.")


def check_line(field: str, text: str) -> None:
    if len(text) > _NAME_LENGTH_MAX or not text.isprintable():
        raise InvalidField(field, f"{field} must be at most {_NAME_LENGTH_MAX} printable characters.")


def check_timeout(value: int | None) -> None:
    """Raises InvalidField."""
    if value is not None and not 1 <= value <= TIMEOUT_MAX_MS:
        message = f"timeout_ms is {value}; it must be 1 to {TIMEOUT_MAX_MS}, or null for no deadline."
        raise InvalidField("timeout_ms", message)


def check_limit(field: str, value: int | None) -> None:
    if value is not None and not 1 <= value <= LIMIT_MAX:
        raise InvalidField(field, f"{field} is {value}; it must be 1 to {LIMIT_MAX}, or null for no limit.")


def check_measure(unit: str, window: str) -> None:
    """Calls at once are counted at any time, everything else in a window."""
    check_choice("unit", unit, UNITS)
    if unit == "concurrency":
        if window != "none":
            message = (
                f"window is '{window}', but calls at once are counted at any time: concurrency has no window."
            )
            raise InvalidField("window", message)
    elif window == "none":
        raise InvalidField("window", f"window is needed for {unit}; use one of minute, day.")
    else:
        check_choice("window", window, ["minute", "day"])


def check_amount(unit: str, window: str, amount: int) -> None:
    most = LIMIT_MAX if (unit, window) in PUBLISHED.values() else AMOUNT_MAX
    if not 1 <= amount <= most:
        raise InvalidField("amount", f"amount is {amount}; it must be 1 to {most}.")


def check_expiry(expires_at: datetime | None, at: datetime) -> None:
    if expires_at is not None and expires_at <= at:
        raise InvalidField(
            "expires_at",
            f"expires_at is {expires_at.isoformat()}; it must be in the future, or null for never.",
        )


def check_choice(field: str, value: str, allowed: Iterable[str]) -> None:
    words = list(allowed)
    if value not in words:
        # As it is sent: the name of an enumeration's member is nobody's word.
        raise InvalidField(field, f"{field} is {str(value)!r}; use one of {', '.join(words)}.")


def check_project(slug: str) -> None:
    if not PROJECT.fullmatch(slug):
        message = f"slug is {slug[:64]!r}; use 1 to 64 letters, digits, dots, colons, dashes and underscores."
        raise InvalidField("slug", message)
