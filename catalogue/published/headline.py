"""What is said of a model in one line: prices and context over its offerings, not those of the first one. Pure.

The same rules in SQL are those of `PublishedModelQuerySet.with_headline`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import Any

from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.pricing.cost import current_prices, plain, prices_in_force, usd_per_unit
from catalogue.pricing.meters import CACHED_READ_TEXT, INPUT_TEXT, OUTPUT_TEXT
from catalogue.pricing.mix import BLENDED_PLACES, USUAL, Mix
from catalogue.published.snapshot import Snapshot

_BLENDED = Decimal(1).scaleb(-BLENDED_PLACES)


@dataclass(frozen=True, slots=True)
class Quote:
    """What one offering asks: USD for one token."""

    usd: Decimal
    offering: OfferingFacts


@dataclass(frozen=True, slots=True)
class Span:
    """From the lowest to the highest; of equal ones the first in static order."""

    low: Quote
    high: Quote


@dataclass(frozen=True, slots=True)
class Headline:
    """Prices are the present standard ones. `context` is the smallest and the largest, in tokens. Unknown is None.

    `is_callable`: it is about the offerings that a call could go to; else none can be called, and it is about all.
    """

    offerings: Sequence[OfferingFacts]
    is_callable: bool
    prompt: Span | None
    completion: Span | None
    cached: Span | None
    blended: Span | None
    context: tuple[int, int] | None
    is_free: bool | None


def headline(model: ModelFacts, snapshot: Snapshot, at: datetime, mix: Mix | None = None) -> Headline:
    """`mix` is what the blended price is for; None: the usual one."""
    offered, is_callable = _offered(model, snapshot, at)
    asked = [Asked(offering, at) for offering in offered]
    mix = mix or USUAL
    return Headline(
        offerings=offered,
        is_callable=is_callable,
        prompt=_span((each.offering, each.usd(INPUT_TEXT)) for each in asked),
        completion=_span((each.offering, each.usd(OUTPUT_TEXT)) for each in asked),
        cached=_span((each.offering, each.usd(CACHED_READ_TEXT)) for each in asked),
        blended=_span((each.offering, each.blended(mix)) for each in asked),
        context=_context(model, offered),
        is_free=_is_free(asked),
    )


class Asked:
    """What one offering asks at an instant.

    A meter at zero says what that costs only where no other meter charges: a song at four cents a request is not free
    for its input tokens being so.
    """

    def __init__(self, offering: OfferingFacts, at: datetime) -> None:
        self.offering, self._at = offering, at
        self.is_priced = False
        self.charges = False
        for price in prices_in_force(offering.prices, at):
            self.is_priced = True
            self.charges = self.charges or bool(price.amount)

    @cached_property
    def _usd(self) -> Mapping[str, Decimal]:
        return {price.meter: usd_per_unit(price) for price in current_prices(self.offering.prices, self._at)}

    @property
    def is_free(self) -> bool:
        return self.is_priced and not self.charges

    def usd(self, meter: str) -> Decimal | None:
        return self._if_said(self._usd.get(meter))

    def blended(self, mix: Mix) -> Decimal | None:
        """Cached tokens without a price of their own cost what input does."""
        prompt = self._usd.get(INPUT_TEXT)
        asked = [
            (mix.input, prompt),
            (mix.cached, self._usd.get(CACHED_READ_TEXT, prompt)),
            (mix.output, self._usd.get(OUTPUT_TEXT)),
        ]
        total = Decimal(0)
        for parts, usd in asked:
            if parts and usd is None:
                return None
            total += parts * (usd or 0)
        return self._if_said((total / mix.whole).quantize(_BLENDED, rounding=ROUND_HALF_UP))

    def _if_said(self, usd: Decimal | None) -> Decimal | None:
        return usd if usd or self.is_free else None


def is_free(model: ModelFacts, snapshot: Snapshot, at: datetime) -> bool | None:
    """As its headline says."""
    return _is_free([Asked(offering, at) for offering in _offered(model, snapshot, at)[0]])


def free_offerings(snapshot: Snapshot, at: datetime) -> frozenset[int]:
    """Ids of those at which no meter charges anything."""
    return frozenset(
        id_
        for id_, (_, offering) in snapshot.offerings.items()
        if not all(price.amount for price in offering.prices) and Asked(offering, at).is_free
    )


def headline_record(model: ModelFacts, snapshot: Snapshot, at: datetime) -> dict[str, Any]:
    """For the record of the list. Prices are exact decimal texts, USD for one token."""
    line = headline(model, snapshot, at)
    spans: Mapping[str, Span | None] = {
        "prompt": line.prompt,
        "completion": line.completion,
        "input_cache_read": line.cached,
    }
    return {
        "over": "callable" if line.is_callable else "all",
        "offerings": len(line.offerings),
        "is_free": line.is_free,
        **{name: span and {"from": _text(span.low), "to": _text(span.high)} for name, span in spans.items()},
        "context_length": line.context and {"from": line.context[0], "to": line.context[1]},
    }


def _offered(model: ModelFacts, snapshot: Snapshot, at: datetime) -> tuple[Sequence[OfferingFacts], bool]:
    serving = [offering for offering in model.offerings if snapshot.serves(offering, at)]
    if serving:
        return serving, True
    return [offering for offering in model.offerings if offering.is_effective(at)], False


def _span(quoted: Iterable[tuple[OfferingFacts, Decimal | None]]) -> Span | None:
    quotes = [Quote(usd, offering) for offering, usd in quoted if usd is not None]
    if not quotes:
        return None
    return Span(min(quotes, key=lambda each: each.usd), max(quotes, key=lambda each: each.usd))


def _context(model: ModelFacts, offered: Sequence[OfferingFacts]) -> tuple[int, int] | None:
    known = [offering.context_length or model.context_length for offering in offered] or [
        model.context_length
    ]
    lengths = [length for length in known if length]
    return (min(lengths), max(lengths)) if lengths else None


def _is_free(asked: Sequence[Asked]) -> bool | None:
    """Whether no meter of any of them charges anything. None: no price is known."""
    if any(each.charges for each in asked):
        return False
    return True if any(each.is_priced for each in asked) else None


def _text(quote: Quote) -> str:
    return plain(quote.usd)
