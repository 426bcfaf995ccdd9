"""What clients read of one offering: limits, prices with their conditions, and how it does."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from catalogue.facts import OfferingFacts, PriceFacts
from catalogue.instants import date_text, instant_text
from catalogue.pricing.cost import current_prices, is_valid
from catalogue.pricing.meters import unit_of
from catalogue.published.call_stats import CallStats
from catalogue.published.live_offerings import live_health
from catalogue.published.reading import Reading
from catalogue.published.record import price_fields, unit_price


def offering_record(offering: OfferingFacts, reading: Reading, stats: CallStats) -> dict[str, Any]:
    """An entry of `GET /v1/gateway/models/{id}/endpoints`. Unknown is None."""
    provider = reading.snapshot.providers.get(offering.provider_id)
    standard = {price.meter: price for price in current_prices(offering.prices, reading.at)}
    return {
        "provider_id": offering.provider_slug,
        "provider_name": offering.provider_name,
        "upstream_name": offering.upstream_name,
        "is_routable": reading.snapshot.serves(offering, reading.at),
        "endpoints": sorted(offering.endpoints),
        "params": sorted(offering.params),
        "supports_streaming": offering.streams,
        "quantization": offering.quantization,
        "regions": list(offering.regions),
        "zero_retention": offering.zero_retention,
        "collects_data": offering.collects_data,
        "limits": {
            "context_length": offering.context_length,
            "max_completion_tokens": offering.max_output_tokens,
        },
        "effective_from": date_text(offering.effective_from),
        "effective_to": date_text(offering.effective_to),
        "pricing": price_fields({meter: unit_price(price) for meter, price in standard.items()}),
        "prices": [_price(price, reading.at) for price in offering.prices],
        "health": {
            "probe": provider.health if provider else "unknown",
            **asdict(stats),
            "now": _now(offering, reading),
        },
    }


def _now(offering: OfferingFacts, reading: Reading) -> dict[str, Any]:
    live = live_health(offering, reading)
    until = instant_text(live.until) if live.until else None
    latency_ms = None if live.latency_ms is None else round(live.latency_ms, 1)
    return {**asdict(live), "until": until, "latency_ms": latency_ms}


def _price(price: PriceFacts, at: datetime) -> dict[str, Any]:
    return {
        "meter": price.meter,
        "plan": price.plan,
        "unit": unit_of(price.meter),
        "unit_size": price.unit_size,
        "price_per_unit": unit_price(price),
        "currency": price.currency,
        "conditions": list(price.conditions),
        "valid_from": date_text(price.valid_from),
        "valid_to": date_text(price.valid_to),
        "is_current": is_valid(price, at),
    }
