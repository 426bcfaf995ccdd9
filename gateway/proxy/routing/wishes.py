"""What is said where the request's own wishes, or what its key keeps to, left nobody: which, and the way out. Pure."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from catalogue.facts import OfferingFacts
from catalogue.pricing.cost import plain
from gateway.proxy.errors import Forbidden, GatewayError, InvalidRequest
from gateway.proxy.routing.preferences import FIELD, FORBIDDEN, ProviderPreferences
from gateway.proxy.routing.prices import prices_of
from providers.operations.base import Requirements

_EXCLUDED, _FLOOR = "excluded:", "floor:"
_MOST_TOLD = 8
_UNITS = {
    "prompt": "for a million prompt tokens",
    "completion": "for a million completion tokens",
    "request": "for a request",
    "image": "for an image",
}


@dataclass(frozen=True, slots=True)
class Unmet:
    """Those that were dropped, by their reasons, and what was asked of them."""

    dropped: Sequence[tuple[str, OfferingFacts]]
    required: Requirements
    preferences: ProviderPreferences
    at: datetime

    def by(self, reason: str) -> Sequence[OfferingFacts]:
        return [offering for each, offering in self.dropped if each == reason]


def is_of_wishes(reason: str) -> bool:
    """Whether it is of the request's preferences, or of what its key may use and keeps to."""
    return reason.startswith((_EXCLUDED, _FLOOR)) or reason == FORBIDDEN


def refusal_of_wishes(name: str, reasons: Set[str], unmet: Unmet | None = None) -> GatewayError:
    """`reasons` are of wishes alone. `unmet` has what the way out is told from.

    Where some were out of bounds and the client excluded the others, it is told both, and what it might say else.
    """
    if FORBIDDEN in reasons:
        message = f"{name} is among those that this key may use."
        return Forbidden(message, code="provider_not_permitted", param=FIELD)
    wishes = _all_after(_EXCLUDED, reasons)
    floors = _all_after(_FLOOR, reasons)
    bounds = f" keeps to what calls of this key keep to{_listed_floor(unmet)}" if floors else ""
    begins = _EXCLUDED if wishes else _FLOOR
    left = sorted(reason for reason in reasons if reason.startswith(begins))
    told = [text for reason in left if unmet and (text := _way_out(reason, unmet))]
    ways = "".join(f" {text}" for text in dict.fromkeys(told))
    if not wishes:
        return Forbidden(f"{name}{bounds}.{ways}", code="floor_not_met", param="model")
    params = [f"{FIELD}.{wish}" for wish in wishes]
    named = " and ".join(f"'{param}'" for param in params)
    both = f"{bounds} and" if bounds else ""
    message = f"{name}{both} is left by {named} of the request.{ways}"
    return InvalidRequest(message, code="no_wished_provider", param=params[0])


def _listed_floor(unmet: Unmet | None) -> str:
    floor = unmet.preferences.floor if unmet else None
    return f" ({'; '.join(floor.in_words())})" if floor else ""


def _way_out(reason: str, unmet: Unmet) -> str:
    """What there is among those that were dropped for it."""
    offerings, wish = unmet.by(reason), reason.partition(":")[2]
    slugs = _listed({offering.provider_slug for offering in offerings})
    if wish == "regions":
        return _there_is("It runs in", "region", [offering.regions for offering in offerings])
    if wish == "quantizations":
        words = [(offering.quantization,) if offering.quantization else () for offering in offerings]
        return _there_is("It is offered in", "quantization", words)
    if wish == "max_price":
        return _lowest_prices(offerings, unmet)
    if wish in {"zdr", "zero_retention"}:
        return f"Not known to keep nothing: {slugs}."
    if wish in {"data_collection", "no_data_collection"}:
        return f"Not known to collect nothing: {slugs}."
    return f"It is served by {slugs}."


def _there_is(begins: str, what: str, words: Sequence[Sequence[str]]) -> str:
    known = {word for each in words for word in each}
    unknown = sum(not each for each in words)
    told = f"{begins} {_listed(known)}." if known else ""
    count = "1 offering" if unknown == 1 else f"{unknown} offerings"
    return f"{told} The {what} of {count} is unknown.".strip() if unknown else told


def _lowest_prices(offerings: Sequence[OfferingFacts], unmet: Unmet) -> str:
    most = unmet.preferences.max_price
    if most is None:
        return ""
    prices = [prices_of(offering, unmet.required, unmet.at, most.tier) for offering in offerings]
    lowest = {name: min((each[name] for each in prices if name in each), default=None) for name in most.most}
    told = [f"{plain(amount)} {_UNITS[name]}" for name, amount in lowest.items() if amount is not None]
    return f"In USD it costs at least {', '.join(told)}." if told else "What it costs in USD is unknown."


def _listed(words: Iterable[str]) -> str:
    found = sorted(words)
    more = len(found) - _MOST_TOLD
    return ", ".join(found[:_MOST_TOLD]) + (f" and {more} more" if more > 0 else "")


def _all_after(start: str, reasons: Set[str]) -> list[str]:
    return sorted(reason.removeprefix(start) for reason in reasons if reason.startswith(start))
