"""What the terms of a budget may be. Pure; services, forms and the API ask here. All checks raise InvalidField."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.money import UNITS_A_USD
from accounts.windows import KINDS, is_zone
from gateway.core.refusals import InvalidField

AMOUNT_MAX_USD = Decimal(100_000_000)
"""Of any amount: sums of such amounts are still whole numbers of SQL."""
MODES = ("balanced", "strict")
RAISE_MOST = timedelta(days=366)
_THRESHOLDS_MOST = 10


def check_usd(field: str, amount: Decimal) -> None:
    if not amount.is_finite() or not 0 < amount <= AMOUNT_MAX_USD:
        raise InvalidField(
            field, f"{field} is {amount}; it must be more than 0 and at most {AMOUNT_MAX_USD}."
        )
    if amount * UNITS_A_USD % 1:
        raise InvalidField(field, f"{field} is {amount}; it has ten decimal places at most.")


def check_window(window: str) -> None:
    if window not in KINDS:
        raise InvalidField("window", f"window is {window!r}; use one of {', '.join(KINDS)}.")


def check_zone(zone: str, field: str = "zone") -> None:
    if not is_zone(zone):
        raise InvalidField(field, f"{field} is {zone!r}; name a time zone, such as Europe/Berlin or UTC.")


def check_mode(mode: str) -> None:
    if mode not in MODES:
        raise InvalidField("mode", f"mode is {mode!r}; use one of {', '.join(MODES)}.")


def check_thresholds(thresholds: Sequence[int]) -> None:
    are_whole = all(isinstance(each, int) and not isinstance(each, bool) for each in thresholds)
    if not are_whole or not all(1 <= each <= 100 for each in thresholds):
        raise InvalidField("thresholds", "thresholds must be whole percents from 1 to 100.")
    if len(thresholds) > _THRESHOLDS_MOST or list(thresholds) != sorted(set(thresholds)):
        raise InvalidField(
            "thresholds", f"thresholds must be at most {_THRESHOLDS_MOST}, each once, the lowest first."
        )


def check_raise(by_usd: Decimal, until: datetime, at: datetime) -> None:
    check_usd("raise_usd", by_usd)
    if not at < until <= at + RAISE_MOST:
        raise InvalidField(
            "raise_until",
            f"raise_until is {until.isoformat()}; it must be in the future, and within {RAISE_MOST.days} days.",
        )
