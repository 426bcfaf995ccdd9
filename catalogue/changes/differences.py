"""What differs between two published records of a model, field by field, in the names that clients know. Pure."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalogue.facts import ModelFacts, OfferingFacts, PriceFacts
from catalogue.instants import date_text
from catalogue.pricing.cost import STANDARD
from catalogue.pricing.meters import unit_of
from catalogue.published.record import unit_price
from catalogue.published.route_record import member_text


@dataclass(frozen=True, slots=True)
class FieldChange:
    """Values are as JSON has them. None: unknown, or not there."""

    field: str
    before: Any
    after: Any


_MODEL_FIELDS: Mapping[str, Callable[[ModelFacts], Any]] = {
    "name": lambda model: model.name,
    "description": lambda model: model.description or None,
    "organisation_name": lambda model: model.organisation_name or None,
    "organisation_colour": lambda model: model.organisation_colour or None,
    "release_date": lambda model: date_text(model.release_at),
    "deprecation_date": lambda model: date_text(model.deprecation_at),
    "retirement_date": lambda model: date_text(model.retirement_at),
    "replacement_model_id": lambda model: model.successor_id,
    "previous_model_id": lambda model: model.previous_id,
    "aliases": lambda model: list(model.aliases),
    "alias_policies": lambda model: dict(model.alias_policies),
    "input_types": lambda model: sorted(model.input_types),
    "output_types": lambda model: sorted(model.output_types),
    "context_length": lambda model: model.context_length,
    "max_completion_tokens": lambda model: model.max_output_tokens,
    "tokenizer": lambda model: model.tokenizer,
    "reasoning_tier": lambda model: model.reasoning_tier,
    "is_moderated": lambda model: model.is_moderated,
    "open_weights": lambda model: model.open_weights,
    "licence": lambda model: model.licence,
    "knowledge_cutoff": lambda model: model.knowledge_cutoff and model.knowledge_cutoff.isoformat(),
}
_OFFERING_FIELDS: Mapping[str, Callable[[OfferingFacts], Any]] = {
    "provider_name": lambda offering: offering.provider_name,
    "endpoints": lambda offering: sorted(offering.endpoints),
    "params": lambda offering: sorted(offering.params),
    "supports_streaming": lambda offering: offering.streams,
    "quantization": lambda offering: offering.quantization,
    "regions": lambda offering: list(offering.regions),
    "zero_retention": lambda offering: offering.zero_retention,
    "collects_data": lambda offering: offering.collects_data,
    "context_length": lambda offering: offering.context_length,
    "max_completion_tokens": lambda offering: offering.max_output_tokens,
    "position": lambda offering: offering.position,
    "effective_from": lambda offering: date_text(offering.effective_from),
    "effective_to": lambda offering: date_text(offering.effective_to),
}


def differences(before: ModelFacts, after: ModelFacts) -> Iterator[FieldChange]:
    """Of the model's own fields, then of its offerings. Empty where both say the same."""
    for field, value_of in _MODEL_FIELDS.items():
        yield from changed(field, value_of(before), value_of(after))
    yield from _member_differences(before, after)
    yield from changed("offerings", _labels(before), _labels(after))
    kept = {offering.id: offering for offering in before.offerings}
    for offering in after.offerings:
        if offering.id in kept:
            yield from _offering_differences(kept[offering.id], offering)


def _member_differences(before: ModelFacts, after: ModelFacts) -> Iterator[FieldChange]:
    """Of a named route: for what they follow each other; those that went, and those that came, in words."""
    yield from changed("fallback_on", list(before.fallback_on), list(after.fallback_on))
    if before.members == after.members:
        return
    old, new = list(map(member_text, before.members)), list(map(member_text, after.members))
    yield from changed(
        "members", [each for each in old if each not in new], [each for each in new if each not in old]
    )


def changed(field: str, before: Any, after: Any) -> Iterator[FieldChange]:
    """One, unless both are equal."""
    if before != after:
        yield FieldChange(field, before, after)


def label(offering: OfferingFacts) -> str:
    """Tells a model's offerings apart: `provider:upstream name`."""
    return f"{offering.provider_slug}:{offering.upstream_name}"


def is_price_list(change: FieldChange) -> bool:
    """Whether it tells of an offering's price rows."""
    return change.field.startswith("offerings.") and change.field.endswith(".prices")


def price_text(price: PriceFacts) -> str:
    """One row of prices, for people: `input_text_tokens: 0.000001 USD a token from 2026-12-01`."""
    parts = [f"{price.meter}: {unit_price(price)} {price.currency} a {unit_of(price.meter)}"]
    if price.plan != STANDARD:
        parts.append(f"({price.plan})")
    if price.conditions:
        parts.append(f"where {json.dumps(list(price.conditions), ensure_ascii=False)}")
    if price.valid_from:
        parts.append(f"from {date_text(price.valid_from)}")
    if price.valid_to:
        parts.append(f"until {date_text(price.valid_to)}")
    return " ".join(parts)


def _offering_differences(before: OfferingFacts, after: OfferingFacts) -> Iterator[FieldChange]:
    where = f"offerings.{label(after)}"
    for field, value_of in _OFFERING_FIELDS.items():
        yield from changed(f"{where}.{field}", value_of(before), value_of(after))
    old, new = list(map(price_text, before.prices)), list(map(price_text, after.prices))
    gone, added = [row for row in old if row not in new], [row for row in new if row not in old]
    yield from changed(f"{where}.prices", gone, added)


def _labels(model: ModelFacts) -> list[str]:
    return [label(offering) for offering in model.offerings]
