"""Where a model runs: one entry an offering."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.pricing.cost import current_prices
from catalogue.pricing.meters import CACHED_READ_TEXT, INPUT_TEXT, OUTPUT_TEXT
from catalogue.published.call_stats import CallStats
from catalogue.published.headline import Asked
from catalogue.published.live_offerings import live_health
from catalogue.published.reading import Reading
from gateway.public.amounts import Amount, price, tokens
from gateway.public.health import HealthWords, Word, verdict
from gateway.public.prices import PriceRow, price_rows


@dataclass(frozen=True, slots=True)
class OfferingEntry:
    """Prices of the three meters are the present standard ones. Unknown is None."""

    facts: OfferingFacts
    verdict: Word
    health: HealthWords
    prompt: Amount | None
    completion: Amount | None
    cached: Amount | None
    context: Amount | None
    output: Amount | None
    prices: Sequence[PriceRow]

    @property
    def endpoints(self) -> Sequence[str]:
        return sorted(self.facts.endpoints)

    @property
    def params(self) -> Sequence[str]:
        return sorted(self.facts.params)


def offering_entries(
    model: ModelFacts, reading: Reading, stats: dict[int, CallStats]
) -> Sequence[OfferingEntry]:
    """Those that can be called first, else in the curators' order."""
    ordered = sorted(model.offerings, key=lambda each: not reading.snapshot.serves(each, reading.at))
    return [_entry(each, model, reading, stats[each.id]) for each in ordered]


def _entry(offering: OfferingFacts, model: ModelFacts, reading: Reading, stats: CallStats) -> OfferingEntry:
    is_free = Asked(offering, reading.at).is_free
    current = current_prices(offering.prices, reading.at)
    standard = {
        facts.meter: Amount("free", price(facts).exact) if is_free else price(facts) for facts in current
    }
    provider = reading.snapshot.providers.get(offering.provider_id)
    serves = model.is_listed(reading.at) and reading.snapshot.serves(offering, reading.at)
    return OfferingEntry(
        facts=offering,
        verdict=verdict(provider, live_health(offering, reading), serves=serves),
        health=HealthWords(stats),
        prompt=standard.get(INPUT_TEXT),
        completion=standard.get(OUTPUT_TEXT),
        cached=standard.get(CACHED_READ_TEXT),
        context=tokens(offering.context_length or model.context_length),
        output=tokens(offering.max_output_tokens or model.max_output_tokens),
        prices=price_rows(offering.prices, reading.at),
    )
