"""Money as whole numbers of 10^-10 USD: what sums are kept in, since nothing is lost when those are added. Pure."""

from decimal import ROUND_HALF_UP, Decimal

UNITS_A_USD = 10**10
"""As many as the ledger has places."""


def units_of(amount_usd: Decimal) -> int:
    """Raises ArithmeticError or ValueError for what is no amount."""
    return int((amount_usd * UNITS_A_USD).to_integral_value(ROUND_HALF_UP))


def usd_of(units: int) -> Decimal:
    """Exact, with all ten places."""
    return Decimal(units).scaleb(-10)


def plain(amount: Decimal) -> str:
    """Exact, without exponent and without trailing zeros."""
    return format(amount.normalize(), "f")
