"""What a model can do beyond text, by the words that people look for. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.pricing.cost import is_valid
from catalogue.pricing.meters import CACHED_READ_TEXT
from catalogue.published.record import serving_offerings
from catalogue.published.snapshot import Snapshot

CAPABILITIES: Mapping[str, str] = {
    "tools": "Tools",
    "structured_output": "Structured output",
    "reasoning": "Reasoning",
    "vision": "Vision",
    "caching": "Prompt caching",
    "batch": "Batch",
}
"""By the word in addresses: how people read it."""
_BATCH = "batch"
_STRUCTURED = frozenset({"response_format", "structured_outputs"})
_REASONING = frozenset({"reasoning", "reasoning_effort", "thinking", "thinking_budget", "enable_thinking"})


def capabilities_of(model: ModelFacts, snapshot: Snapshot, at: datetime) -> Sequence[frozenset[str]]:
    """Of each offering that its record speaks of: those that serve; of any, where none serves."""
    offerings = serving_offerings(model, snapshot, at) or model.offerings
    return [frozenset(_words(model, offering, at)) for offering in offerings]


def have_all(offered: Sequence[frozenset[str]], wanted: frozenset[str]) -> bool:
    """Whether one of the offerings has them all."""
    return any(wanted <= words for words in offered)


def _words(model: ModelFacts, offering: OfferingFacts, at: datetime) -> Iterator[str]:
    if "tools" in offering.params:
        yield "tools"
    if offering.params & _STRUCTURED:
        yield "structured_output"
    if model.reasoning_tier or offering.params & _REASONING:
        yield "reasoning"
    if "image" in {word.lower() for word in model.input_types}:
        yield "vision"
    prices = [price for price in offering.prices if is_valid(price, at)]
    if any(price.meter == CACHED_READ_TEXT for price in prices):
        yield "caching"
    if any(price.plan == _BATCH for price in prices):
        yield _BATCH
