"""Money as whole numbers of 10^-10 USD: what sums are kept in, since nothing is lost when those are added. Pure."""

from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

_PLACES = 10
UNITS_A_USD = 10**_PLACES
"""As many as the ledger has places."""
_FACTOR_UNITS = 10**4


def units_of(amount_usd: Decimal) -> int:
    """Raises ArithmeticError or ValueError for what is no amount."""
    return int((amount_usd * UNITS_A_USD).to_integral_value(ROUND_HALF_UP))


@lru_cache(4096)
def units_in(text: str) -> int:
    """Of an amount as a plain decimal, of which many are the same. Raises as `units_of` does."""
    whole, _, places = text.partition(".")
    is_plain = whole.isdecimal() or (whole[:1] == "-" and whole[1:].isdecimal())
    if is_plain and len(places) <= _PLACES and (not places or places.isdecimal()):
        return int(whole + places.ljust(_PLACES, "0"))
    return units_of(Decimal(text))


def usd_of(units: int) -> Decimal:
    """Exact, with all ten places."""
    return Decimal(units).scaleb(-10)


def plain(amount: Decimal) -> str:
    """Exact, without exponent and without trailing zeros."""
    return format(amount.normalize(), "f")


def charge_of(cost_units: int, factor: str) -> int:
    """What a team is charged for that cost, by its factor (plain decimal, four places at most); halves away from 0."""
    if factor == "1":
        return cost_units
    product = cost_units * int(Decimal(factor) * _FACTOR_UNITS)
    half = _FACTOR_UNITS // 2
    return (product + half) // _FACTOR_UNITS if product >= 0 else -((half - product) // _FACTOR_UNITS)
