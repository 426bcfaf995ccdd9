"""What the bootstrap files must not say, beyond the shape of single fields. Pure."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from catalogue.bootstrap.entries import Bootstrap, ModelEntry, OfferingEntry, ProviderEntry
from catalogue.words import settle
from providers.formats.registry import wire_formats
from providers.operations.registry import KNOWN_QUIRKS, lacks

METERS = frozenset({"input", "output", "cached_read", "cached_write"})
REASONING_TIERS = frozenset({"", "low", "medium", "high"})
DEMO_PROVIDERS = frozenset({"demo-a", "demo-b"})
ALWAYS = "always"
FEATURES = frozenset({"budget", "reasoning", "sampling", "structured", "tools"})


def complaints(bootstrap: Bootstrap) -> Iterator[str]:
    """One line for each contradiction."""
    yield from _name_complaints(bootstrap)
    for provider in bootstrap.providers:
        yield from _provider_complaints(provider)
    organisations = {entry.id for entry in bootstrap.organisations}
    formats = {entry.slug: entry.wire_format for entry in bootstrap.providers}
    formats |= dict.fromkeys(DEMO_PROVIDERS, "openai")
    models = {entry.public_id: entry for entry in bootstrap.models}
    for model in bootstrap.models:
        if model.organisation not in organisations:
            yield f"{model.place}: organisation {model.organisation} is not in organisations.toml."
        yield from _relation_complaints(model, models)
        yield from _model_complaints(model)
        for offering in model.offerings:
            if offering.provider not in formats:
                yield f"{model.place}: provider {offering.provider} is not in providers.toml."
            for endpoint in offering.endpoints:
                if lacks(formats.get(offering.provider, "openai"), endpoint):
                    yield f"{model.place}: {offering.provider} speaks a wire format without {endpoint}."
            yield from (f"{model.place}: {text}" for text in _offering_complaints(offering))
        yield from (f"{model.place}: {text}" for text in _word_complaints(model))


def _word_complaints(model: ModelEntry) -> Iterator[str]:
    said = [("input_types", model.input_types), ("output_types", model.output_types)]
    for offering in model.offerings:
        said += [("endpoints", offering.endpoints), ("params", offering.params)]
    for column, words in said:
        yield from settle(column, words)[1]


def _name_complaints(bootstrap: Bootstrap) -> Iterator[str]:
    """A name means one model: neither two ids nor two aliases nor one of each are equal."""
    names = Counter(entry.public_id for entry in bootstrap.models)
    names.update(alias for entry in bootstrap.models for alias in entry.aliases)
    for model in bootstrap.models:
        for name in (model.public_id, *model.aliases):
            if names[name] > 1:
                yield f"{model.place}: {name} names more than one model."


def _provider_complaints(provider: ProviderEntry) -> Iterator[str]:
    place = f"providers.toml: {provider.slug}"
    for feature in sorted(provider.params.keys() - FEATURES - {ALWAYS}):
        yield f"{place}: params of {feature} belong to no feature."
    for name, times in Counter(name for names in provider.params.values() for name in names).items():
        if times > 1:
            yield f"{place}: params hold {name} {times} times."
    if provider.wire_format not in wire_formats():
        yield f"{place}: wire_format {provider.wire_format} is not one of {', '.join(sorted(wire_formats()))}."
    for quirk in sorted(set(provider.quirks) - KNOWN_QUIRKS.keys()):
        yield f"{place}: {quirk} is not a quirk."


def _relation_complaints(model: ModelEntry, models: dict[str, ModelEntry]) -> Iterator[str]:
    for field, name in (("successor", model.successor), ("follows", model.follows)):
        if name and (name not in models or name == model.public_id):
            yield f"{model.place}: {field} {name} is not another model."
    seen, next_one = {model.public_id}, models.get(model.successor)
    while next_one:
        if next_one.public_id in seen:
            yield f"{model.place}: its successors lead in a circle."
            return
        seen.add(next_one.public_id)
        next_one = models.get(next_one.successor)


def _model_complaints(model: ModelEntry) -> Iterator[str]:
    life = (model.release_at, model.deprecation_at, model.retirement_at)
    if any(later < earlier for earlier, later in pairwise(day for day in life if day)):
        yield f"{model.place}: released, deprecated and retired are not in order."
    if model.reasoning_tier not in REASONING_TIERS:
        yield f"{model.place}: reasoning_tier {model.reasoning_tier} is not low, medium or high."
    if not model.source:
        yield f"{model.place}: source is empty."
    offered = Counter((offering.provider, offering.upstream_name) for offering in model.offerings)
    for (provider, upstream_name), times in offered.items():
        if times > 1:
            yield f"{model.place}: {upstream_name} at {provider} is there {times} times."


def _offering_complaints(offering: OfferingEntry) -> Iterator[str]:
    place = f"offering at {offering.provider}"
    general = {price.meter for price in offering.prices if price.input_tokens_above is None}
    for price in offering.prices:
        if price.meter not in METERS:
            yield f"{place}: {price.meter} is not one of {', '.join(sorted(METERS))}."
        elif price.meter not in general:
            yield f"{place}: {price.meter} has a price under a condition only."
        if price.valid_from and price.valid_to and price.valid_to <= price.valid_from:
            yield f"{place}: a price ends before it begins."
