"""A model's facts, line by line, for its own page and for comparisons. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalogue.facts import ModelFacts
from catalogue.instants import date_text
from catalogue.pricing.mix import USUAL, Mix
from catalogue.published.headline import Headline, headline
from catalogue.published.reading import Reading
from gateway.public.amounts import Amount, day
from gateway.public.offered import context_range, first_tried, output_range, price_range, shown_offerings
from gateway.public.rows import in_order

UNKNOWN = Amount("unknown", "")
_WEIGHTS = {True: "open", False: "closed", None: "unknown"}


@dataclass(frozen=True, slots=True)
class Fact:
    """`words` is a list where the fact is one; `amount` says it in one text otherwise."""

    name: str
    amount: Amount = UNKNOWN
    words: Sequence[str] | None = None


def facts_of(model: ModelFacts, reading: Reading, mix: Mix = USUAL) -> Sequence[Fact]:
    """In the order in which people ask for them; the same names for every model."""
    line = headline(model, reading.snapshot, reading.at, mix)
    return [
        Fact("Status", Amount(model.status(reading.at).value, "")),
        *_prices(line, mix, reading.at),
        Fact("Context", context_range(line) or UNKNOWN),
        Fact("Max output", output_range(model, line) or UNKNOWN),
        Fact("Input modalities", words=in_order(model.input_types)),
        Fact("Output modalities", words=in_order(model.output_types)),
        Fact("Reasoning", Amount(model.reasoning_tier or "none", "")),
        Fact("Weights", Amount(_WEIGHTS[model.open_weights], "")),
        Fact("Licence", _text(model.licence)),
        *_dates(model),
        *_offered(model, reading),
    ]


def _prices(line: Headline, mix: Mix, at: datetime) -> Iterator[Fact]:
    spans = {
        "Input per million": line.prompt,
        "Output per million": line.completion,
        "Cached per million": line.cached,
        f"Blended {mix} per million": line.blended,
    }
    for name, span in spans.items():
        yield Fact(name, price_range(span, line) or UNKNOWN)
    yield Fact(
        "First tried", (first_tried(line, at) if line.is_callable else None) or Amount("nowhere now", "")
    )


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
