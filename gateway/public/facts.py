"""A model's facts, line by line, for its own page and for comparisons. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalogue.facts import ModelFacts, OfferingFacts, PriceFacts
from catalogue.instants import date_text
from catalogue.pricing.meters import CACHED_READ_TEXT, INPUT_TEXT, OUTPUT_TEXT
from catalogue.published.reading import Reading
from gateway.public.amounts import Amount, day, price, tokens
from gateway.public.offered import expected_top, shown_offerings
from gateway.public.rows import in_order

UNKNOWN = Amount("unknown", "")
_WEIGHTS = {True: "open", False: "closed", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Fact:
    """`words` is a list where the fact is one; `amount` says it in one text otherwise."""

    name: str
    amount: Amount = UNKNOWN
    words: Sequence[str] | None = None


def facts_of(model: ModelFacts, reading: Reading) -> Sequence[Fact]:
    """In the order in which people ask for them; the same names for every model."""
    top, prices = expected_top(model, reading.snapshot, reading.at)
    return [
        Fact("Status", Amount(model.status(reading.at).value, "")),
        *_prices(prices),
        *_limits(model, top),
        Fact("Input modalities", words=in_order(model.input_types)),
        Fact("Output modalities", words=in_order(model.output_types)),
        Fact("Reasoning", Amount(model.reasoning_tier or "none", "")),
        Fact("Weights", Amount(_WEIGHTS[model.open_weights], "")),
        Fact("Licence", _text(model.licence)),
        *_dates(model),
        *_offered(model, reading),
    ]


def _prices(prices: Mapping[str, PriceFacts]) -> Iterator[Fact]:
    names = {
        INPUT_TEXT: "Input per million",
        OUTPUT_TEXT: "Output per million",
        CACHED_READ_TEXT: "Cached per million",
    }
    for meter, name in names.items():
        yield Fact(name, price(prices[meter]) if meter in prices else UNKNOWN)


def _limits(model: ModelFacts, top: OfferingFacts | None) -> Iterator[Fact]:
    yield Fact("Context", tokens((top and top.context_length) or model.context_length) or UNKNOWN)
    longest = tokens((top and top.max_output_tokens) or model.max_output_tokens)
    yield Fact("Max output", longest or UNKNOWN)


def _dates(model: ModelFacts) -> Iterator[Fact]:
    cutoff = model.knowledge_cutoff
    yield Fact("Knowledge cutoff", _text(f"{cutoff.day} {cutoff:%b %Y}" if cutoff else None))
    yield Fact("Released", _day(model.release_at, "unknown"))
    yield Fact("Retires", _day(model.retirement_at, "not planned"))


def _offered(model: ModelFacts, reading: Reading) -> Iterator[Fact]:
    shown = shown_offerings(model, reading.snapshot, reading.at)
    yield Fact("Providers", words=sorted({offering.provider_name for offering in shown}))
    yield Fact("Endpoints", words=sorted({word for offering in shown for word in offering.endpoints}))
    yield Fact("Parameters", words=sorted({word for offering in shown for word in offering.params}))


def _day(moment: datetime | None, unknown: str) -> Amount:
    return Amount(day(moment), str(date_text(moment))) if moment else Amount(unknown, "")


def _text(text: str | None) -> Amount:
    return Amount(text, "") if text else UNKNOWN
