"""Money and durations as people read them; money as whoever reads the page writes numbers."""

from decimal import ROUND_HALF_UP, Decimal

from gateway.core.locales import write_number, write_usd, write_usd_exactly
from gateway.core.reader import current

_DIGITS_BELOW_ONE = 4
_CENT = Decimal("0.01")


def digits(amount: Decimal) -> str:
    """With at least two decimals and, below one, at least four digits: what is little is never nothing."""
    places = 4 if amount >= 1 or amount == 0 else _DIGITS_BELOW_ONE - 1 - amount.adjusted()
    rounded = amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    whole, _, decimals = f"{rounded:,f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def write_cost(amount: Decimal) -> str:
    """Of one call, which is often far below a cent."""
    return write_usd_exactly(Decimal(digits(amount).replace(",", "")), current().locale)


def write_briefly(amount: Decimal) -> str:
    """The same where many stand below each other: two digits of what is below a cent."""
    if abs(amount) >= _CENT:
        return write_usd(amount, current().locale)
    rounded = Decimal(f"{amount:.1e}")
    return write_usd_exactly(rounded, current().locale)


def write_sum(amount: Decimal) -> str:
    """Of many calls."""
    return write_usd(amount, current().locale)


def write_exactly(amount: Decimal) -> str:
    """All digits, in plain notation."""
    return f"{amount.normalize():f}"


def duration(milliseconds: float) -> str:
    here = current().locale
    if milliseconds < 1:
        return f"< {write_number(1, here)} ms"
    if milliseconds < 1000:
        return f"{write_number(round(milliseconds), here)} ms"
    seconds = milliseconds / 1000
    return f"{write_number(Decimal(f'{seconds:.2f}' if seconds < 10 else f'{seconds:.0f}'), here)} s"
