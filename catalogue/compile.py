"""From a working row to the published record, and from the published record to what routing needs."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypedDict

from django.core.exceptions import ValidationError

from catalogue.models import Alias, Model, Offering, Price
from catalogue.snapshot import ModelFacts, OfferingFacts, PriceFacts


class OrganisationContent(TypedDict):
    id: str
    name: str
    colour: str


class ProviderContent(TypedDict):
    id: int
    slug: str
    name: str


class PriceContent(TypedDict):
    """`amount`, a decimal string in plain notation, buys `unit_size` units. Instants are ISO 8601 in UTC."""

    meter: str
    plan: str
    unit_size: int
    amount: str
    currency: str
    conditions: list[dict[str, Any]]
    valid_from: str | None
    valid_to: str | None


class OfferingContent(TypedDict):
    """`endpoints` and `params` are sorted; prices come by meter, plan and beginning."""

    id: int
    provider: ProviderContent
    upstream_name: str
    endpoints: list[str]
    params: list[str]
    streams: bool
    context_length: int | None
    max_output_tokens: int | None
    position: int
    effective_from: str | None
    effective_to: str | None
    prices: list[PriceContent]


class Content(TypedDict):
    """What a published model says: facts that do not change with time. Unknown is None or empty.

    `created_at` is its registration here, `successor_id` a public id. Offerings come in static order:
    position, then id.
    """

    id: str
    name: str
    description: str
    organisation: OrganisationContent
    created_at: str
    release_at: str | None
    deprecation_at: str | None
    retirement_at: str | None
    successor_id: str | None
    aliases: list[str]
    input_types: list[str]
    output_types: list[str]
    context_length: int | None
    max_output_tokens: int | None
    tokenizer: str | None
    reasoning_tier: str | None
    is_moderated: bool
    offerings: list[OfferingContent]


class UnreadableContentError(ValueError):
    """A published record that does not have the shape of Content."""


def compile_model(model: Model) -> Content:
    """The record of a model that was fetched by ModelQuerySet.complete()."""
    return {
        "id": model.public_id,
        "name": model.name,
        "description": model.description,
        "organisation": {
            "id": model.organisation.id,
            "name": model.organisation.name,
            "colour": model.organisation.colour,
        },
        "created_at": _instant(model.created_at),
        "release_at": _instant_or_none(model.release_at),
        "deprecation_at": _instant_or_none(model.deprecation_at),
        "retirement_at": _instant_or_none(model.retirement_at),
        "successor_id": model.successor.public_id if model.successor else None,
        "aliases": sorted(alias.name for alias in model.aliases.all()),
        "input_types": model.input_types,
        "output_types": model.output_types,
        "context_length": model.context_length,
        "max_output_tokens": model.max_output_tokens,
        "tokenizer": model.tokenizer or None,
        "reasoning_tier": model.reasoning_tier or None,
        "is_moderated": model.is_moderated,
        "offerings": [_compile_offering(offering) for offering in _in_static_order(model)],
    }


def digest(content: Content) -> str:
    """Equal for equal records."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def problems(model: Model) -> list[str]:
    """Why this model cannot be published; empty if it can. Reads nothing but rows fetched by complete()."""
    return [f"{place}: {complaint}" for row, place in _rows(model) for complaint in _complaints(row)]


def facts_from_content(content: Content) -> ModelFacts:
    """What routing needs of a published record, all offerings on. Raises UnreadableContentError."""
    try:
        return _model_facts(content)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise UnreadableContentError(f"{type(error).__name__}: {error}") from error


def price_facts(price: Price) -> PriceFacts:
    """A working price as the pure rules of catalogue.pricing take it."""
    return _price_facts(_compile_price(price))


def plain(amount: Decimal) -> str:
    """Exact, without exponent and without trailing zeros."""
    return format(amount.normalize(), "f")


def _compile_offering(offering: Offering) -> OfferingContent:
    provider = offering.provider
    prices = sorted(offering.prices.all(), key=_price_order)
    return {
        "id": offering.pk,
        "provider": {"id": provider.pk, "slug": provider.slug, "name": provider.name},
        "upstream_name": offering.upstream_name,
        "endpoints": sorted(offering.endpoints),
        "params": sorted(offering.params),
        "streams": offering.streams,
        "context_length": offering.context_length,
        "max_output_tokens": offering.max_output_tokens,
        "position": offering.position,
        "effective_from": _instant_or_none(offering.effective_from),
        "effective_to": _instant_or_none(offering.effective_to),
        "prices": [_compile_price(price) for price in prices],
    }


def _compile_price(price: Price) -> PriceContent:
    return {
        "meter": price.meter,
        "plan": price.plan,
        "unit_size": price.unit_size,
        "amount": plain(price.amount),
        "currency": price.currency,
        "conditions": price.conditions,
        "valid_from": _instant_or_none(price.valid_from),
        "valid_to": _instant_or_none(price.valid_to),
    }


def _in_static_order(model: Model) -> list[Offering]:
    return sorted(model.offerings.all(), key=lambda offering: (offering.position, offering.pk))


def _price_order(price: Price) -> tuple[str, str, str, int]:
    return price.meter, price.plan, _instant_or_none(price.valid_from) or "", price.pk


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def _instant_or_none(at: datetime | None) -> str | None:
    return None if at is None else _instant(at)


def _rows(model: Model) -> Iterator[tuple[Model | Alias | Offering | Price, str]]:
    yield model, "model"
    for alias in model.aliases.all():
        yield alias, f"alias {alias.name}"
    for offering in model.offerings.all():
        place = f"offering {offering.upstream_name} at {offering.provider.slug}"
        yield offering, place
        for price in offering.prices.all():
            yield price, f"price {price.meter} of {place}"


def _complaints(row: Model | Alias | Offering | Price) -> Iterator[str]:
    """The same rules as in a form, but for those that ask the database."""
    relations = {field.name for field in row._meta.fields if field.is_relation}
    try:
        row.clean_fields(exclude=relations)
    except ValidationError as error:
        yield from _named(error)
        return
    if isinstance(row, Alias):
        return
    try:
        row.check_dates()
    except ValidationError as error:
        yield from _named(error)
    if isinstance(row, Model) and row.successor_id == row.pk:
        yield "successor: A model cannot succeed itself."


def _named(error: ValidationError) -> Iterable[str]:
    for name, messages in error.message_dict.items():
        yield f"{name}: {' '.join(messages)}"


def _model_facts(content: Content) -> ModelFacts:
    return ModelFacts(
        id=content["id"],
        name=content["name"],
        input_types=frozenset(content["input_types"]),
        output_types=frozenset(content["output_types"]),
        aliases=tuple(content["aliases"]),
        context_length=content["context_length"],
        reasoning_tier=content["reasoning_tier"],
        release_at=_moment(content["release_at"]),
        deprecation_at=_moment(content["deprecation_at"]),
        retirement_at=_moment(content["retirement_at"]),
        successor_id=content["successor_id"],
        offerings=tuple(map(_offering_facts, content["offerings"])),
    )


def _offering_facts(content: OfferingContent) -> OfferingFacts:
    return OfferingFacts(
        id=content["id"],
        provider_id=content["provider"]["id"],
        upstream_name=content["upstream_name"],
        endpoints=frozenset(content["endpoints"]),
        params=frozenset(content["params"]),
        streams=content["streams"],
        context_length=content["context_length"],
        max_output_tokens=content["max_output_tokens"],
        position=content["position"],
        effective_from=_moment(content["effective_from"]),
        effective_to=_moment(content["effective_to"]),
        prices=tuple(map(_price_facts, content["prices"])),
    )


def _price_facts(content: PriceContent) -> PriceFacts:
    return PriceFacts(
        meter=content["meter"],
        plan=content["plan"],
        unit_size=content["unit_size"],
        amount=Decimal(content["amount"]),
        currency=content["currency"],
        conditions=tuple(content["conditions"]),
        valid_from=_moment(content["valid_from"]),
        valid_to=_moment(content["valid_to"]),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
