"""What clients read of a published model: the records of both lists, at one instant. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from catalogue.endpoints import GENERATION
from catalogue.facts import ModelFacts, OfferingFacts, PriceFacts
from catalogue.instants import date_text
from catalogue.lifecycle.message import lifecycle_message
from catalogue.pricing.cost import STANDARD, current_prices, usd_per_unit
from catalogue.pricing.meters import INPUT_TEXT, OUTPUT_TEXT, unit_of
from catalogue.published.headline import headline_record
from catalogue.published.route_record import route_record
from catalogue.published.snapshot import Snapshot

_PRICE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "prompt": (INPUT_TEXT,),
    "completion": (OUTPUT_TEXT,),
    "request": ("requests",),
    "image": ("output_images", "input_images"),
    "input_cache_read": ("cached_read_text_tokens",),
    "input_cache_write": ("cached_write_text_tokens",),
    "web_search": ("web_searches",),
}
_INSTRUCT_TYPES: Mapping[str, str] = {
    "chat.completions": "chat",
    "responses": "chat",
    "messages": "chat",
    "embeddings": "embedding",
    "moderations": "moderation",
    "images": "image",
    "audio": "audio",
    "video": "video",
}


def record(model: ModelFacts, snapshot: Snapshot, at: datetime) -> dict[str, Any]:
    """The record of `GET /v1/gateway/models`. Unknown is None.

    Source: the published page of that list. Prices are exact decimal strings in USD for one single unit. `pricing` and
    `top_provider` are of one offering, which `pricing_detail` names; `headline` is over all that a call could go to.
    """
    serving = serving_offerings(model, snapshot, at)
    shown = serving or model.offerings
    endpoints = _union(offering.endpoints for offering in shown)
    params = _union(offering.params for offering in shown)
    return {
        **_identity(model, snapshot, at),
        "endpoints": endpoints,
        "input_types": sorted(model.input_types),
        "output_types": sorted(model.output_types),
        "providers": _providers(model, serving),
        "supported_params": params,
        "supported_parameters": params,
        "architecture": _architecture(model, endpoints),
        **_top(model, serving, at),
        "headline": headline_record(model, snapshot, at),
        "per_request_limits": None,
        "reasoning_tier": model.reasoning_tier,
        "open_weights": model.open_weights,
        "licence": model.licence,
        "knowledge_cutoff": model.knowledge_cutoff.isoformat() if model.knowledge_cutoff else None,
        "is_routable": bool(serving) and model.is_listed(at),
        "kind": "route" if model.is_route else "model",
        "route": route_record(model),
    }


def listing(model: ModelFacts, snapshot: Snapshot, at: datetime) -> dict[str, Any]:
    """The row of `GET /v1/models`. Source: the published page of that list."""
    serving = serving_offerings(model, snapshot, at)
    first = None if model.is_route else next(iter(serving or model.offerings), None)
    provider = first.provider_slug if first else model.organisation_id
    return {
        "id": model.id,
        "object": "model",
        "created": int(model.created_at.timestamp()),
        "owned_by": provider,
        "provider": provider,
        "reasoning_tier": model.reasoning_tier,
        "supports_streaming": any(o.streams and o.endpoints & GENERATION for o in serving),
        "shutdown_date": date_text(model.retirement_at),
    }


def serving_offerings(model: ModelFacts, snapshot: Snapshot, at: datetime) -> tuple[OfferingFacts, ...]:
    """Those that a call could go to, in static order."""
    return tuple(offering for offering in model.offerings if snapshot.serves(offering, at))


def top_offering(
    serving: Sequence[OfferingFacts], at: datetime
) -> tuple[OfferingFacts | None, dict[str, PriceFacts]]:
    """The one that stands for the model, with its standard prices by meter.

    The first with prices of both directions, else the first with any, else the first.
    """
    priced = [(o, {price.meter: price for price in current_prices(o.prices, at)}) for o in serving]
    both = {INPUT_TEXT, OUTPUT_TEXT}
    choices = [
        *(choice for choice in priced if both <= choice[1].keys()),
        *(choice for choice in priced if choice[1]),
        *priced,
    ]
    return choices[0] if choices else (None, {})


def unit_price(price: PriceFacts) -> str:
    """For one single unit, in plain notation."""
    return format(usd_per_unit(price).normalize(), "f")


def price_fields(units: Mapping[str, str]) -> dict[str, str | None]:
    """The seven prices that the published page names, from unit prices by meter."""
    return {
        name: next((units[meter] for meter in meters if meter in units), None)
        for name, meters in _PRICE_FIELDS.items()
    }


def _identity(model: ModelFacts, snapshot: Snapshot, at: datetime) -> dict[str, Any]:
    dates = {
        "deprecation_date": date_text(model.deprecation_at),
        "retirement_date": date_text(model.retirement_at),
    }
    status, successor = model.status(at), snapshot.successor(model, at)
    return {
        "id": model.id,
        "canonical_slug": model.id,
        "model_id": model.id,
        "name": model.name,
        "description": model.description or None,
        "created": int(model.release_at.timestamp()) if model.release_at else None,
        "release_date": date_text(model.release_at),
        **dates,
        "status": status.value,
        "lifecycle": {
            "status": status.value,
            **dates,
            "replacement_model_id": successor.id if successor else None,
            "message": lifecycle_message(model, successor, at),
        },
        "organisation_id": model.organisation_id,
        "organisation_name": model.organisation_name or None,
        "organisation_colour": model.organisation_colour or None,
        "aliases": list(model.aliases),
    }


def _providers(model: ModelFacts, serving: Sequence[OfferingFacts]) -> list[dict[str, Any]]:
    active = {offering.provider_slug for offering in serving}
    params: dict[str, set[str]] = {}
    for offering in model.offerings:
        params.setdefault(offering.provider_slug, set()).update(offering.params)
    return [
        {"api_provider_id": slug, "is_active_gateway": slug in active, "params": sorted(params[slug])}
        for slug in sorted(params)
    ]


def _architecture(model: ModelFacts, endpoints: Sequence[str]) -> dict[str, Any]:
    inputs, outputs = sorted(model.input_types), sorted(model.output_types)
    return {
        "modality": f"{'+'.join(inputs)}->{'+'.join(outputs)}" if inputs and outputs else None,
        "input_modalities": inputs,
        "output_modalities": outputs,
        "tokenizer": model.tokenizer,
        "instruct_type": next(_instruct_types(endpoints), None),
    }


def _instruct_types(endpoints: Sequence[str]) -> Iterator[str]:
    for prefix, kind in _INSTRUCT_TYPES.items():
        if any(endpoint == prefix or endpoint.startswith(f"{prefix}.") for endpoint in endpoints):
            yield kind


def _top(model: ModelFacts, serving: Sequence[OfferingFacts], at: datetime) -> dict[str, Any]:
    """What is said of the one offering that stands for the model."""
    top, prices = top_offering(serving, at)
    slug = top.provider_slug if top else None
    units = {meter: unit_price(price) for meter, price in prices.items()}
    return {
        "top_provider_id": slug,
        "top_provider": {
            "context_length": (top and top.context_length) or model.context_length,
            "max_completion_tokens": (top and top.max_output_tokens) or model.max_output_tokens,
            "is_moderated": model.is_moderated,
        },
        "pricing": price_fields(units),
        "pricing_detail": {
            "pricing_plan": STANDARD,
            "provider_id": slug,
            "upstream_name": top.upstream_name if top else None,
            "meters": {meter: _meter(price, units[meter], slug) for meter, price in sorted(prices.items())},
        },
    }


def _meter(price: PriceFacts, per_unit: str, provider: str | None) -> dict[str, Any]:
    return {
        "provider_id": provider,
        "unit": unit_of(price.meter),
        "unit_size": price.unit_size,
        "price_per_unit": per_unit,
        "currency": price.currency,
    }


def _union(sets: Iterable[Iterable[str]]) -> list[str]:
    return sorted({item for each in sets for item in each})
