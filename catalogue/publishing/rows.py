"""Writing published rows: the record of a model, and the columns by which lists find it."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.models import Edition, PublishedModel, PublishedOffering, PublishedPrice
from catalogue.pricing.cost import is_standard, usd_per_unit
from catalogue.published.content import Content, facts_from_content

_PRICE_PLACES = Decimal(1).scaleb(-20)


def write_rows(records: Sequence[tuple[Content, str]], edition: Edition) -> None:
    """One row for each record and its digest, live from that edition on; three inserts for any number."""
    facts = [facts_from_content(content) for content, _seal in records]
    models = PublishedModel.objects.bulk_create(
        _published_model(each, content, digest, edition)
        for each, (content, digest) in zip(facts, records, strict=True)
    )
    pairs = [
        (_published_offering(row, offering), offering)
        for row, model in zip(models, facts, strict=True)
        for offering in model.offerings
    ]
    PublishedOffering.objects.bulk_create(row for row, _ in pairs)
    PublishedPrice.objects.bulk_create(price for row, offering in pairs for price in _prices(row, offering))


def padded(words: Iterable[str]) -> str:
    """One text in which a word is found by looking for it with a space on either side."""
    text = " ".join(sorted(words))
    return f" {text} " if text else ""


def _published_model(facts: ModelFacts, content: Content, digest: str, edition: Edition) -> PublishedModel:
    names = (facts.id, facts.name, *facts.aliases, facts.organisation_name, facts.description)
    return PublishedModel(
        public_id=facts.id,
        kind="route" if facts.is_route else "model",
        organisation_id=facts.organisation_id,
        name=facts.name,
        sort_name=facts.name.casefold(),
        search_text="\n".join(names).casefold(),
        release_at=facts.release_at,
        deprecation_at=facts.deprecation_at,
        retirement_at=facts.retirement_at,
        input_types=padded(map(str.lower, facts.input_types)),
        output_types=padded(map(str.lower, facts.output_types)),
        context_length=facts.context_length,
        reasoning_tier=facts.reasoning_tier or "",
        open_weights=facts.open_weights,
        content=content,
        digest=digest,
        edition_from=edition,
    )


def _published_offering(published: PublishedModel, offering: OfferingFacts) -> PublishedOffering:
    return PublishedOffering(
        published=published,
        offering_id=offering.id,
        provider_id=offering.provider_id,
        provider_slug=offering.provider_slug,
        endpoints=padded(offering.endpoints),
        params=padded(offering.params),
        regions=padded(offering.regions),
        context_length=offering.context_length,
        position=offering.position,
        effective_from=offering.effective_from,
        effective_to=offering.effective_to,
    )


def _prices(row: PublishedOffering, offering: OfferingFacts) -> Iterator[PublishedPrice]:
    for price in filter(is_standard, offering.prices):
        yield PublishedPrice(
            offering=row,
            meter=price.meter,
            usd_per_unit=usd_per_unit(price).quantize(_PRICE_PLACES),
            valid_from=price.valid_from,
            valid_to=price.valid_to,
        )
