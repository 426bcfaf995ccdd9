"""Reading price cards."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from catalogue.importing.entries import PriceEntry
from catalogue.importing.findings import Kind
from catalogue.importing.source import Row
from catalogue.importing.translation import DEFAULT_PRIORITY, ENDPOINTS, METERS, UNITS
from catalogue.pricing.meters import METERS as KNOWN_METERS
from catalogue.pricing.meters import unit_of

_PLACES = 10


@dataclass(frozen=True, slots=True)
class Card:
    """The prices of one capability of a model at a provider. `offer_id` is empty where no offer row is named."""

    provider: str
    api_model_id: str
    offer_id: str
    endpoint: str
    prices: tuple[PriceEntry, ...]
    row: Row


def read_card(row: Row) -> Card:
    capability = row.required("capability_id")
    if capability not in ENDPOINTS:
        row.error("capability_id", f"{capability!r} is not a known capability: {', '.join(ENDPOINTS)}.")
    offer_id = row.text("provider_model_id")
    if not offer_id:
        row.note(
            Kind.CARD_WITHOUT_OFFER, "provider_model_id", "The offers of that model at that provider get it."
        )
    ends, rules = row.moment("effective_to"), [(rule, rule.text("region")) for rule in row.rows("rules")]
    # A region tells prices apart only where a card has several.
    has_regions = len({region for _, region in rules}) > 1
    card = Card(
        provider=row.required("provider_id"),
        api_model_id=row.required("api_model_id"),
        offer_id=offer_id,
        endpoint=ENDPOINTS.get(capability, ""),
        prices=tuple(
            price for rule, region in rules for price in _read_rule(rule, ends, region if has_regions else "")
        ),
        row=row,
    )
    row.skip("key", "service_tiers")
    row.close()
    return card


def _read_rule(rule: Row, card_ends: datetime | None, region: str) -> Iterator[PriceEntry]:
    """The rule's price, and one more for each of its windows of the day. `region` is empty where it tells nothing."""
    amount, meter = rule.amount("price"), _meter(rule)
    begins, ends = rule.moment("effective_from"), rule.moment("effective_to") or card_ends
    unit_size, plan, currency = rule.count("unit_size") or 1, rule.required("plan"), rule.required("currency")
    conditions, priority = _conditions(rule, region), rule.number("priority", DEFAULT_PRIORITY)
    windows = list(_windows(rule))
    rule.skip("conditions")
    rule.close()
    if amount is None or not meter:
        return
    if begins and ends and ends <= begins:
        rule.note(Kind.RULE_NEVER_IN_FORCE, "effective_to", f"{ends}, not after {begins}.")
        return
    for cost, further in [(amount, ()), *windows]:
        exact, size = _in_places(cost, unit_size)
        yield PriceEntry(
            rule.place,
            meter=meter,
            plan=plan,
            unit_size=size,
            amount=exact,
            currency=currency,
            conditions=(*conditions, *further),
            valid_from=begins,
            valid_to=ends,
            priority=priority,
        )


def _meter(rule: Row) -> str:
    """Ours. Empty, and an error, where there is none, or it counts something else there."""
    word, unit = rule.required("meter"), rule.text("unit")
    meter = METERS.get(word, word)
    if word and meter not in KNOWN_METERS:
        rule.error("meter", f"{word!r} is not a known meter: {', '.join(KNOWN_METERS)}.")
        return ""
    if unit and unit not in {unit_of(meter), UNITS.get(meter)}:
        rule.error("unit", f"{meter} is counted in {unit_of(meter)}, not in {unit}.")
        return ""
    return meter


def _conditions(rule: Row, region: str) -> list[Mapping[str, Any]]:
    """What has to hold: the rule's own matches, its region, how long a cache entry lives, and beyond how many units."""
    found: list[Mapping[str, Any]] = [match.everything() for match in rule.rows("match")]
    if included := rule.count("included_quantity"):
        found.append({"path": "quantity", "op": "gt", "value": included})
    if region:
        found.append({"path": "region", "op": "eq", "value": region})
    if lives_s := rule.count("cache_duration_seconds"):
        found.append({"path": "cache_duration_seconds", "op": "eq", "value": lives_s})
    return found


def _windows(rule: Row) -> Iterator[tuple[Decimal, tuple[Mapping[str, Any], ...]]]:
    for window in rule.rows("time_windows"):
        amount = window.amount("price_per_unit")
        told = dict(window.everything())
        if amount is not None:
            yield amount, ({"path": "time", "op": "within", "value": told},)


def _in_places(amount: Decimal, unit_size: int) -> tuple[Decimal, int]:
    """The same price in as many units as it takes to write it exactly in the column's places."""
    exponent = amount.normalize().as_tuple().exponent
    beyond = max(0, -int(exponent) - _PLACES) if isinstance(exponent, int) else 0
    return amount.scaleb(beyond), unit_size * 10**beyond
