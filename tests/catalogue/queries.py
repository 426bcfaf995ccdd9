"""Queries of the list of models, made up at random: any parameters together, any values."""

from collections.abc import Callable, Sequence
from random import Random

from catalogue.published.snapshot import Snapshot
from tests.catalogue.reference import Query


def random_query(random: Random, snapshot: Snapshot) -> Query:
    """Of one to four parameters, most of them with values that some model has."""
    words = _Words(snapshot)
    chosen = random.sample(sorted(_MAKERS), random.randint(1, 4))
    query = {name: _MAKERS[name](random, words) for name in chosen}
    if random.random() < 0.5:
        query["availability"] = ["all"]
    return query


class _Words:
    def __init__(self, snapshot: Snapshot) -> None:
        models = list(snapshot.models.values())
        offerings = [offering for model in models for offering in model.offerings]
        self.organisations = sorted({model.organisation_id for model in models})
        self.types = sorted(
            {word.lower() for model in models for word in model.input_types | model.output_types}
        )
        self.endpoints = sorted({word for offering in offerings for word in offering.endpoints})
        self.params = sorted({word for offering in offerings for word in offering.params})
        self.providers = sorted({offering.provider_slug for offering in offerings})
        self.regions = sorted({word for offering in offerings for word in offering.regions})
        self.names = sorted({word for model in models for word in model.name.split()})
        self.days = sorted(
            {f"{day:%Y-%m-%d}" for model in models for day in (model.release_at, model.retirement_at) if day}
        )


def _some(random: Random, words: Sequence[str], most: int = 3) -> list[str]:
    return random.sample(words, min(len(words), random.randint(1, most))) or ["nothing"]


def _one(random: Random, words: Sequence[str]) -> list[str]:
    return [random.choice(words)] if words else ["2026-01-01"]


_SORTS = (
    "release_date",
    "retirement_date",
    "name",
    "context_length",
    "prompt_price",
    "completion_price",
    "cached_price",
    "blended_price",
)
_PRICES = ("0", "0.0000001", "0.00000015", "0.000001", "0.000003", "0.00001", "1")
_MAKERS: dict[str, Callable[[Random, _Words], list[str]]] = {
    "endpoints": lambda random, words: _some(random, words.endpoints),
    "organisation": lambda random, words: _some(random, words.organisations, 6),
    "input_types": lambda random, words: _some(random, words.types, 2),
    "output_types": lambda random, words: _some(random, words.types, 2),
    "params": lambda random, words: _some(random, words.params),
    "all_params": lambda random, words: _some(random, words.params),
    "regions": lambda random, words: _some(random, words.regions, 2),
    "provider": lambda random, words: _some(random, words.providers, 6),
    "q": lambda random, words: [
        random.choice([word.upper, word.lower, lambda word=word: word.replace("-", "")])()
        for word in _one(random, words.names)
    ],
    "capabilities": lambda random, _: _some(random, ["tools", "reasoning", "vision", "caching"], 2),
    "status": lambda random, _: _some(random, ["announced", "active", "deprecated", "retired"]),
    "reasoning_tier": lambda random, _: _some(random, ["low", "medium", "high"]),
    "kind": lambda random, _: _some(random, ["model", "route"]),
    "min_context": lambda random, _: _one(random, ["1", "8000", "32768", "128000", "200000", "1000000"]),
    "max_price_prompt": lambda random, _: _one(random, _PRICES),
    "max_price_completion": lambda random, _: _one(random, _PRICES),
    "max_price_blended": lambda random, _: _one(random, _PRICES),
    "mix": lambda random, _: _one(random, ["3:1", "1:1", "2:7:1", "0:1", "1:0", "1:1:0"]),
    "released_after": lambda random, words: _one(random, words.days),
    "retires_before": lambda random, words: _one(random, words.days),
    "free": lambda random, _: _one(random, ["true", "false"]),
    "open_weights": lambda random, _: _one(random, ["true", "false"]),
    "sort": lambda random, _: _one(random, [*_SORTS, *(f"-{name}" for name in _SORTS)]),
}
