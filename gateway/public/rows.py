"""A model as the table shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalogue.facts import ModelFacts
from catalogue.pricing.meters import INPUT_TEXT, OUTPUT_TEXT
from catalogue.published.reading import Reading
from catalogue.published.record import serving_offerings
from gateway.public.amounts import Amount, price, tokens
from gateway.public.offered import expected_top


@dataclass(frozen=True, slots=True)
class ModelRow:
    """Unknown is None. `providers` offer it, `open_providers` can be called now."""

    model: ModelFacts
    status: str
    context: Amount | None
    prompt: Amount | None
    completion: Amount | None
    output: Amount | None
    providers: Sequence[str]
    open_providers: Sequence[str]
    is_chosen: bool = False
    """For a comparison."""

    @property
    def reads(self) -> Sequence[str]:
        return in_order(self.model.input_types)

    @property
    def writes(self) -> Sequence[str]:
        return in_order(self.model.output_types)

    @property
    def is_listed(self) -> bool:
        return self.status in {"active", "deprecated"}


def row_of(model: ModelFacts, reading: Reading, *, is_chosen: bool = False) -> ModelRow:
    top, prices = expected_top(model, reading.snapshot, reading.at)
    serving = serving_offerings(model, reading.snapshot, reading.at)
    return ModelRow(
        model=model,
        status=model.status(reading.at).value,
        context=tokens((top and top.context_length) or model.context_length),
        output=tokens((top and top.max_output_tokens) or model.max_output_tokens),
        prompt=price(prices[INPUT_TEXT]) if INPUT_TEXT in prices else None,
        completion=price(prices[OUTPUT_TEXT]) if OUTPUT_TEXT in prices else None,
        providers=sorted({offering.provider_name for offering in model.offerings}),
        open_providers=sorted({offering.provider_name for offering in serving}),
        is_chosen=is_chosen,
    )


def in_order(types: frozenset[str]) -> Sequence[str]:
    """Text first, for that is what most ask for."""
    return sorted(types, key=lambda word: (word != "text", word))
