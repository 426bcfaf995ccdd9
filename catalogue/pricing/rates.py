"""How a call's tokens are counted by meter, and which rate each meter has for it. Pure."""

from collections.abc import Container, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from catalogue.facts import PriceFacts
from catalogue.pricing import meters
from catalogue.pricing.conditions import closeness, holds, is_tier
from providers.wire.usage import Usage

Rates = Mapping[str, Decimal]
"""USD for one unit, by meter."""

_Part = tuple[Sequence[str], int]
"""Meters of which the first that has a price counts it, and how many tokens there are."""
_LIFETIMES: Mapping[tuple[str, Any], str] = {
    ("cache_ttl", "5m"): meters.CACHED_WRITE_TEXT_5M,
    ("cache_ttl", "1h"): meters.CACHED_WRITE_TEXT_1H,
    ("cache_duration_seconds", 300): meters.CACHED_WRITE_TEXT_5M,
    ("cache_duration_seconds", 3600): meters.CACHED_WRITE_TEXT_1H,
}
"""How long a cache entry lives is a condition at some providers and a meter at others."""


def is_judgeable(price: PriceFacts) -> bool:
    """Whether usage tells if it applies: it has no conditions but on the prompt's tokens and the cache's lifetime."""
    return all(is_tier(condition) or _lifetime_meter(price, condition) for condition in price.conditions)


def slot(price: PriceFacts) -> tuple[Any, ...]:
    """Of judgeable prices with the same slot only one can apply."""
    tiers = ((condition["op"], float(condition["value"])) for condition in _tiers(price))
    return meter_of(price), *sorted(tiers)


def meter_of(price: PriceFacts) -> str:
    """What it is for, with the cache's lifetime that its conditions name."""
    named = (_lifetime_meter(price, condition) for condition in price.conditions)
    return next(filter(None, named), price.meter)


def rates_for(usage: Usage, prices: Iterable[PriceFacts]) -> Rates:
    """The rate of each meter for a prompt of that length: of several that apply, the one for the closest range."""
    chosen: dict[str, PriceFacts] = {}
    for price in prices:
        if not is_judgeable(price) or not all(holds(tier, usage.input_tokens) for tier in _tiers(price)):
            continue
        rival = chosen.get(meter_of(price))
        if rival is None or closeness(_tiers(price)) >= closeness(_tiers(rival)):
            chosen[meter_of(price)] = price
    return {meter: price.amount / price.unit_size for meter, price in chosen.items()}


def count_meters(usage: Usage, priced: Container[str]) -> list[tuple[str, int]]:
    """Each token once: by the meter of its kind where that is priced, else by the general one of its side.

    A cached token of a kind that the provider does not tell counts as cached text. What no priced meter counts is
    left out.
    """
    sent = _share_out(usage.input_tokens, [*_cached(usage), *_sent_kinds(usage)], meters.INPUTS, priced)
    made = _share_out(usage.output_tokens, _made_kinds(usage), meters.OUTPUTS, priced)
    calls = [("requests", 1)] if "requests" in priced else []
    return [*sent, *made, *calls]


def _cached(usage: Usage) -> list[_Part]:
    if not (usage.cached_read_tokens or usage.cached_write_tokens):
        return []
    hour = min(usage.cached_write_1h_tokens, usage.cached_write_tokens)
    kinds = usage.cached_read_audio_tokens, usage.cached_read_image_tokens, usage.cached_read_video_tokens
    return [
        *((names, count) for names, count in zip(meters.CACHED_READS_BY_KIND, kinds, strict=True)),
        (meters.CACHED_READS, max(0, usage.cached_read_tokens - sum(kinds))),
        (meters.CACHED_WRITES_1H, hour),
        (meters.CACHED_WRITES_5M, usage.cached_write_tokens - hour),
    ]


def _sent_kinds(usage: Usage) -> list[_Part]:
    """What of each was not cached."""
    if not (usage.input_audio_tokens or usage.input_image_tokens or usage.input_video_tokens):
        return []
    return [
        (("input_audio_tokens",), max(0, usage.input_audio_tokens - usage.cached_read_audio_tokens)),
        (("input_image_tokens",), max(0, usage.input_image_tokens - usage.cached_read_image_tokens)),
        (("input_video_tokens",), max(0, usage.input_video_tokens - usage.cached_read_video_tokens)),
    ]


def _made_kinds(usage: Usage) -> list[_Part]:
    return [
        (("reasoning_tokens",), usage.reasoning_tokens),
        (("output_audio_tokens",), usage.output_audio_tokens),
        (("output_image_tokens",), usage.output_image_tokens),
    ]


def _share_out(
    total: int,
    parts: Sequence[_Part],
    general: Sequence[str],
    priced: Container[str],
) -> list[tuple[str, int]]:
    """Parts with a meter of their own are taken out of the total, as far as it reaches."""
    counts = []
    for names, count in parts:
        if count and (meter := _first(names, priced)):
            taken = min(count, total)
            counts.append((meter, taken))
            total -= taken
    if meter := _first(general, priced):
        counts.append((meter, total))
    return counts


def _first(names: Sequence[str], priced: Container[str]) -> str | None:
    for name in names:
        if name in priced:
            return name
    return None


def _tiers(price: PriceFacts) -> list[Mapping[str, Any]]:
    return [condition for condition in price.conditions if is_tier(condition)]


def _lifetime_meter(price: PriceFacts, condition: Mapping[str, Any]) -> str | None:
    value = condition.get("value")
    if price.meter != meters.CACHED_WRITE_TEXT or condition.get("op") != "eq":
        return None
    return _LIFETIMES.get((str(condition.get("path")), value)) if isinstance(value, str | int) else None
