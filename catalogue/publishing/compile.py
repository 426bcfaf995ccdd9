"""From a working row to the published record, or to the reasons why there is none."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from django.core.exceptions import ValidationError
from django.utils import timezone

from catalogue.facts import PriceFacts
from catalogue.lifecycle.status import Status, status_at
from catalogue.models import Alias, Model, Offering, Price, RouteMember
from catalogue.models.route_member import faults_of
from catalogue.pricing.cost import plain
from catalogue.published import content
from catalogue.published.content import Content, OfferingContent, PriceContent, ProviderContent
from catalogue.publishing.routes import compile_members, published_members, with_members
from providers.models import Provider


def compile_model(model: Model, published: Mapping[str, Content] | None = None) -> Content:
    """The record of a model that was fetched by ModelQuerySet.complete().

    A named route's is made from those of its members: `published`, by id; None: what is live of them, by a query.
    """
    record = _compile_own(model)
    if not model.is_route:
        return record
    if model.fallback_on:
        # Left out where it says none, so that records published before there were any still say the same.
        record["fallback_on"] = sorted(model.fallback_on)
    return with_members(
        record, compile_members(model), published_members([model]) if published is None else published
    )


def _compile_own(model: Model) -> Content:
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
        "previous_id": model.previous.public_id if model.previous else None,
        "aliases": sorted(alias.name for alias in model.aliases.all()),
        "alias_policies": {alias.name: alias.policy for alias in model.aliases.all() if alias.policy},
        "input_types": model.input_types,
        "output_types": model.output_types,
        "context_length": model.context_length,
        "max_output_tokens": model.max_output_tokens,
        "tokenizer": model.tokenizer or None,
        "reasoning_tier": model.reasoning_tier or None,
        "is_moderated": model.is_moderated,
        "open_weights": model.open_weights,
        "licence": model.licence or None,
        "knowledge_cutoff": model.knowledge_cutoff.isoformat() if model.knowledge_cutoff else None,
        "offerings": [_compile_offering(offering) for offering in _in_static_order(model)],
    }


def digest(record: Content) -> str:
    """Equal for equal records."""
    text = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def problems(model: Model) -> list[str]:
    """Why this model cannot be published; empty if it can. Reads nothing but rows fetched by complete()."""
    found = [f"{place}: {complaint}" for row, place in _rows(model) for complaint in _complaints(row)]
    return [*found, *_route_problems(model)] if model.is_route else found


def place_of_offering(offering: Offering) -> str:
    """How a problem says which offering it is about."""
    return f"offering {offering.upstream_name} at {offering.provider.slug}"


def price_facts(price: Price) -> PriceFacts:
    """A working price as the pure rules of catalogue.pricing.cost take it."""
    return content.price_facts(_compile_price(price))


def compile_provider(provider: Provider) -> ProviderContent:
    content: ProviderContent = {"id": provider.pk, "slug": provider.slug, "name": provider.name}
    _say_handling(content, provider)
    return content


def _compile_offering(offering: Offering) -> OfferingContent:
    prices = sorted(offering.prices.all(), key=_price_order)
    content: OfferingContent = {
        "id": offering.pk,
        "provider": compile_provider(offering.provider),
        "upstream_name": offering.upstream_name,
        "endpoints": sorted(offering.endpoints),
        "params": sorted(offering.params),
        "streams": offering.streams,
        "context_length": offering.context_length,
        "max_output_tokens": offering.max_output_tokens,
        "quantization": offering.quantization or None,
        "position": offering.position,
        "effective_from": _instant_or_none(offering.effective_from),
        "effective_to": _instant_or_none(offering.effective_to),
        "prices": [_compile_price(price) for price in prices],
    }
    if offering.regions:
        # Left out where unknown, so that records published before there were regions still say the same.
        content["regions"] = sorted(offering.regions)
    _say_handling(content, offering)
    return content


def _say_handling(content: OfferingContent | ProviderContent, row: Offering | Provider) -> None:
    """Likewise left out where unknown."""
    if row.zero_retention is not None:
        content["zero_retention"] = row.zero_retention
    if row.collects_data is not None:
        content["collects_data"] = row.collects_data


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


def _route_problems(route: Model) -> Iterator[str]:
    members = list(route.members.all())
    yield from (f"members: {fault}" for fault in faults_of(members))
    at = timezone.now()
    base = [member.model for member in members if member.weight and not member.is_canary]
    if base and all(status_of(model, at) is Status.RETIRED for model in base):
        yield "members: All of them are retired, so nobody is left to answer."
    yield from (f"members: {member.model} is a route itself." for member in members if member.model.is_route)


def status_of(model: Model, at: datetime) -> Status:
    """Of a working row."""
    return status_at(at, model.release_at, model.deprecation_at, model.retirement_at)


def _rows(model: Model) -> Iterator[tuple[Model | Alias | Offering | Price | RouteMember, str]]:
    yield model, "model"
    for alias in model.aliases.all():
        yield alias, f"alias {alias.name}"
    if model.is_route:
        yield from ((member, f"member {member.model}") for member in model.members.all())
    for offering in model.offerings.all():
        place = place_of_offering(offering)
        yield offering, place
        for price in offering.prices.all():
            yield price, f"price {price.meter} of {place}"


def _complaints(row: Model | Alias | Offering | Price | RouteMember) -> Iterator[str]:
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
        if isinstance(row, RouteMember):
            row.check_conditions()
        else:
            row.check_dates()
    except ValidationError as error:
        yield from _named(error)
    if isinstance(row, Model) and row.successor_id == row.pk:
        yield "successor: A model cannot succeed itself."


def _named(error: ValidationError) -> Iterable[str]:
    for name, messages in error.message_dict.items():
        yield f"{name}: {' '.join(messages)}"
