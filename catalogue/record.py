"""What clients read of a published model: the records of both lists, at one instant. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal, localcontext
from typing import Any

from catalogue.compile import Content, facts_from_content
from catalogue.lifecycle import Status, status_at
from catalogue.pricing import STANDARD, current_prices
from catalogue.snapshot import ModelFacts, OfferingFacts, PriceFacts

# Places of a unit price whose division does not end, such as one by three.
_LONGEST_PRICE = 40
_PRICE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "prompt": ("input_text_tokens",),
    "completion": ("output_text_tokens",),
    "request": ("requests",),
    "image": ("output_images", "input_images"),
    "input_cache_read": ("cached_read_text_tokens",),
    "input_cache_write": ("cached_write_text_tokens",),
    "web_search": ("web_searches",),
}
_UNITS = {"tokens": "token", "images": "image", "requests": "request", "searches": "search"}
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
_STREAMED = frozenset({"chat.completions", "responses", "messages"})


@dataclass(frozen=True, slots=True)
class Switches:
    """What is on now: offerings by their own switch and their provider's, and providers that can be opened."""

    offering_ids: frozenset[int]
    provider_ids: frozenset[int]

    def serve(self, offering: OfferingFacts, at: datetime) -> bool:
        """Whether a call at that instant could go to the offering."""
        has_begun = offering.effective_from is None or offering.effective_from <= at
        has_ended = offering.effective_to is not None and offering.effective_to <= at
        is_on = offering.id in self.offering_ids and offering.provider_id in self.provider_ids
        return is_on and has_begun and not has_ended


def record(content: Content, at: datetime, live: Switches) -> dict[str, Any]:
    """The record of `GET /v1/gateway/models`. Unknown is None.

    Source: the published page of that list. Prices are exact decimal strings in USD for one single unit, all of one
    offering.
    """
    facts = facts_from_content(content)
    serving = [offering for offering in facts.offerings if live.serve(offering, at)]
    shown = serving or facts.offerings
    endpoints = _union(offering.endpoints for offering in shown)
    params = _union(offering.params for offering in shown)
    return {
        **_identity(content, facts, at),
        "endpoints": endpoints,
        "input_types": sorted(facts.input_types),
        "output_types": sorted(facts.output_types),
        "providers": _providers(content, serving),
        "supported_params": params,
        "supported_parameters": params,
        "architecture": _architecture(content, facts, endpoints),
        **_top(content, serving, at),
        "per_request_limits": None,
    }


def listing(content: Content, at: datetime, live: Switches) -> dict[str, Any]:
    """The row of `GET /v1/models`. Source: the published page of that list."""
    facts = facts_from_content(content)
    serving = [offering for offering in facts.offerings if live.serve(offering, at)]
    first = next(iter(serving or facts.offerings), None)
    provider = _provider_slugs(content)[first.provider_id] if first else facts.id.partition("/")[0]
    return {
        "id": facts.id,
        "object": "model",
        "created": int(datetime.fromisoformat(content["created_at"]).timestamp()),
        "owned_by": provider,
        "provider": provider,
        "reasoning_tier": facts.reasoning_tier,
        "supports_streaming": any(o.streams and o.endpoints & _STREAMED for o in serving),
        "shutdown_date": date_text(facts.retirement_at),
    }


def date_text(moment: datetime | None) -> str | None:
    """The day alone where the moment is its beginning (UTC)."""
    if moment is None:
        return None
    if moment.timetz().replace(tzinfo=None) == time.min:
        return moment.date().isoformat()
    return moment.isoformat().replace("+00:00", "Z")


def _identity(content: Content, facts: ModelFacts, at: datetime) -> dict[str, Any]:
    dates = {
        "deprecation_date": date_text(facts.deprecation_at),
        "retirement_date": date_text(facts.retirement_at),
    }
    status = status_at(at, facts.release_at, facts.deprecation_at, facts.retirement_at)
    return {
        "id": facts.id,
        "canonical_slug": facts.id,
        "model_id": facts.id,
        "name": facts.name,
        "description": content["description"] or None,
        "created": int(facts.release_at.timestamp()) if facts.release_at else None,
        "release_date": date_text(facts.release_at),
        **dates,
        "status": status.value,
        "lifecycle": {
            "status": status.value,
            **dates,
            "replacement_model_id": facts.successor_id,
            "message": _message(facts, status),
        },
        "organisation_id": content["organisation"]["id"],
        "organisation_name": content["organisation"]["name"] or None,
        "organisation_colour": content["organisation"]["colour"] or None,
        "aliases": list(facts.aliases),
    }


def _message(facts: ModelFacts, status: Status) -> str | None:
    retired_on = date_text(facts.retirement_at)
    match status:
        case Status.ACTIVE:
            return None
        case Status.ANNOUNCED:
            return f"Model '{facts.id}' will be released on {date_text(facts.release_at)}."
        case Status.RETIRED:
            news = f"was retired on {retired_on}"
        case Status.DEPRECATED:
            end = f" and will be retired on {retired_on}" if retired_on else ""
            news = f"has been deprecated since {date_text(facts.deprecation_at)}{end}"
    advice = f"; use '{facts.successor_id}'" if facts.successor_id else ""
    return f"Model '{facts.id}' {news}{advice}."


def _providers(content: Content, serving: Sequence[OfferingFacts]) -> list[dict[str, Any]]:
    active = {offering.provider_id for offering in serving}
    params: dict[int, set[str]] = {}
    for offering in content["offerings"]:
        params.setdefault(offering["provider"]["id"], set()).update(offering["params"])
    slugs = _provider_slugs(content)
    return [
        {
            "api_provider_id": slugs[provider_id],
            "is_active_gateway": provider_id in active,
            "params": sorted(params[provider_id]),
        }
        for provider_id in sorted(params, key=slugs.__getitem__)
    ]


def _provider_slugs(content: Content) -> dict[int, str]:
    return {offering["provider"]["id"]: offering["provider"]["slug"] for offering in content["offerings"]}


def _architecture(content: Content, facts: ModelFacts, endpoints: Sequence[str]) -> dict[str, Any]:
    inputs, outputs = sorted(facts.input_types), sorted(facts.output_types)
    return {
        "modality": f"{'+'.join(inputs)}->{'+'.join(outputs)}" if inputs and outputs else None,
        "input_modalities": inputs,
        "output_modalities": outputs,
        "tokenizer": content["tokenizer"],
        "instruct_type": next(_instruct_types(endpoints), None),
    }


def _instruct_types(endpoints: Sequence[str]) -> Iterator[str]:
    for prefix, kind in _INSTRUCT_TYPES.items():
        if any(endpoint == prefix or endpoint.startswith(f"{prefix}.") for endpoint in endpoints):
            yield kind


def _top(content: Content, serving: Sequence[OfferingFacts], at: datetime) -> dict[str, Any]:
    """What is said of the one offering that stands for the model."""
    top, prices = _standard_offering(serving, at)
    slug = _provider_slugs(content)[top.provider_id] if top else None
    units = {meter: unit_price(price) for meter, price in prices.items()}
    return {
        "top_provider_id": slug,
        "top_provider": {
            "context_length": (top and top.context_length) or content["context_length"],
            "max_completion_tokens": (top and top.max_output_tokens) or content["max_output_tokens"],
            "is_moderated": content["is_moderated"],
        },
        "pricing": {
            name: next((units[meter] for meter in meters if meter in units), None)
            for name, meters in _PRICE_FIELDS.items()
        },
        "pricing_detail": {
            "pricing_plan": STANDARD,
            "meters": {meter: _meter(price, slug) for meter, price in sorted(prices.items())},
        },
    }


def _standard_offering(
    serving: Sequence[OfferingFacts], at: datetime
) -> tuple[OfferingFacts | None, dict[str, PriceFacts]]:
    """The first with prices of both directions, else the first with any, else the first."""
    priced = [(o, {price.meter: price for price in current_prices(o.prices, at)}) for o in serving]
    both = {"input_text_tokens", "output_text_tokens"}
    choices = [
        *(choice for choice in priced if both <= choice[1].keys()),
        *(choice for choice in priced if choice[1]),
        *priced,
    ]
    return choices[0] if choices else (None, {})


def _meter(price: PriceFacts, provider: str | None) -> dict[str, Any]:
    return {
        "provider_id": provider,
        "unit": _UNITS[price.meter.rpartition("_")[2]],
        "unit_size": price.unit_size,
        "price_per_unit": unit_price(price),
        "currency": price.currency,
    }


def unit_price(price: PriceFacts) -> str:
    """For one single unit, in plain notation."""
    with localcontext(prec=_LONGEST_PRICE):
        return format((price.amount / Decimal(price.unit_size)).normalize(), "f")


def _union(sets: Iterable[Iterable[str]]) -> list[str]:
    return sorted({item for each in sets for item in each})
