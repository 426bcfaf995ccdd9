"""A model as the table shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalogue.facts import ModelFacts
from catalogue.pricing.mix import USUAL, Mix
from catalogue.published.headline import headline
from catalogue.published.reading import Reading
from catalogue.published.record import serving_offerings
from gateway.public.amounts import Amount
from gateway.public.offered import can_be_called, context_range, first_tried, from_price, output_range


@dataclass(frozen=True, slots=True)
class ModelRow:
    """Unknown is None. `providers` offer it, `open_providers` can be called now."""

    model: ModelFacts
    status: str
    context: Amount | None
    prompt: Amount | None
    completion: Amount | None
    cached: Amount | None
    blended: Amount | None
    output: Amount | None
    first: Amount | None
    """Where a call goes first; None where it can go nowhere now."""
    can_be_called: bool
    """With whatever credential."""
    providers: Sequence[str]
    open_providers: Sequence[str]
    is_chosen: bool = False
    """For a comparison."""

    @property
    def kind(self) -> str:
        return "named route" if self.model.is_route else "model"

    @property
    def reads(self) -> Sequence[str]:
        return in_order(self.model.input_types)

    @property
    def writes(self) -> Sequence[str]:
        return in_order(self.model.output_types)

    @property
    def is_listed(self) -> bool:
        return self.status in {"active", "deprecated"}


def row_of(model: ModelFacts, reading: Reading, *, mix: Mix = USUAL, is_chosen: bool = False) -> ModelRow:
    line = headline(model, reading.snapshot, reading.at, mix)
    serving = serving_offerings(model, reading.snapshot, reading.at)
    return ModelRow(
        model=model,
        status=model.status(reading.at).value,
        context=context_range(line),
        output=output_range(model, line),
        prompt=from_price(line.prompt, line),
        completion=from_price(line.completion, line),
        cached=from_price(line.cached, line),
        blended=from_price(line.blended, line),
        first=first_tried(line, reading.at) if line.is_callable else None,
        can_be_called=can_be_called(model, reading.snapshot),
        providers=sorted({offering.provider_name for offering in model.offerings}),
        open_providers=sorted({offering.provider_name for offering in serving}),
        is_chosen=is_chosen,
    )


def in_order(types: frozenset[str]) -> Sequence[str]:
    """Text first, for that is what most ask for."""
    return sorted(types, key=lambda word: (word != "text", word))
