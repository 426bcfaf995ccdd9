"""Money and durations as people read them. Pure."""

from decimal import ROUND_HALF_UP, Decimal

_DIGITS_BELOW_ONE = 4


def digits(amount: Decimal) -> str:
    """With at least two decimals and, below one, at least four digits: what is little is never nothing."""
    places = 4 if amount >= 1 or amount == 0 else _DIGITS_BELOW_ONE - 1 - amount.adjusted()
    rounded = amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    whole, _, decimals = f"{rounded:,f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def write_cost(amount: Decimal) -> str:
    """Of one call, which is often far below a cent."""
    return f"${digits(amount)}"


def write_sum(amount: Decimal) -> str:
    """Of many calls."""
    if 0 < amount < Decimal("0.01"):
        return "< $0.01"
    return f"${amount:,.2f}"


def write_exactly(amount: Decimal) -> str:
    """All digits, in plain notation."""
    return f"{amount.normalize():f}"


def duration(milliseconds: float) -> str:
    if milliseconds < 1:
        return "< 1 ms"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    return f"{milliseconds / 1000:.2f} s" if milliseconds < 10_000 else f"{milliseconds / 1000:.0f} s"
