"""What an allowance may be. Pure; services, forms and the API ask here. Raises InvalidField."""

from decimal import Decimal

from accounts import budget_terms, limits
from accounts.money import plain
from gateway.core.refusals import InvalidField

USD = "usd"


def check(whose: str, unit: str, window: str, amount: Decimal | None, most: Decimal | None) -> None:
    limits.check_choice("whose", whose, ("key", "member"))
    if unit == USD:
        budget_terms.check_window(window)
    else:
        limits.check_measure(unit, window)
        if whose == "key" and (unit, window) in limits.PUBLISHED.values():
            message = "The team has this of its keys as key_requests_per_minute and key_concurrency."
            raise InvalidField("unit", message)
    if amount is None and most is None:
        raise InvalidField("amount", "amount is needed.")
    for field, value in (("amount", amount), ("most", most)):
        if value is not None:
            _check_value(field, unit, window, value)
    if amount is not None and most is not None and amount > most:
        raise InvalidField("amount", f"amount is {plain(amount)}; staff allow {plain(most)} at most.")


def _check_value(field: str, unit: str, window: str, value: Decimal) -> None:
    if unit == USD:
        budget_terms.check_usd(field, value)
        return
    if not value.is_finite() or value % 1:
        raise InvalidField(field, f"{field} is {value}; it must be a whole number.")
    try:
        limits.check_amount(unit, window, int(value))
    except InvalidField as fault:
        raise InvalidField(field, fault.message.replace("amount", field, 1)) from None
