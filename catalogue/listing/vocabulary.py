"""The words that published models use: endpoints, parameters, types, providers, organisations. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import QueryDict

from catalogue.facts import ModelFacts
from catalogue.listing.parameters import WordsField
from catalogue.listing.search import name_index_cache
from catalogue.published.record import serving_offerings
from catalogue.published.snapshot import Snapshot

Words = Callable[[ModelFacts], Iterable[str]]
_OPEN_LISTS: Mapping[str, Words] = {
    "endpoints": lambda model: (word for offering in model.offerings for word in offering.endpoints),
    "params": lambda model: (word for offering in model.offerings for word in offering.params),
    "all_params": lambda model: (word for offering in model.offerings for word in offering.params),
    "regions": lambda model: (word for offering in model.offerings for word in offering.regions),
    "provider": lambda model: (offering.provider_slug for offering in model.offerings),
    "input_types": lambda model: model.input_types,
    "output_types": lambda model: model.output_types,
}


def words_that_match_nothing(query: QueryDict, snapshot: Snapshot) -> list[dict[str, Any]]:
    """One warning for each word that was asked for and that no published model has."""
    warnings = []
    for name, words_of in _OPEN_LISTS.items():
        asked = WordsField().clean(query.getlist(name)) if name in query else None
        if asked:
            unknown = _unknown(asked, words_of, snapshot)
            warnings += [_warning(name, word) for word in asked if word in unknown]
    return warnings


def near_names(query: QueryDict, snapshot: Snapshot) -> list[dict[str, Any]]:
    """For a search that found nothing: a warning with the ids that are near it, if any are."""
    text = query.get("q", "")
    near = name_index_cache.read(snapshot.models).near(text) if text else []
    if not near:
        return []
    message = f"q: nothing is found. Near it: {', '.join(near)}."
    return [{"param": "q", "provided": text, "message": message}]


def _unknown(asked: Iterable[str], words_of: Words, snapshot: Snapshot) -> set[str]:
    """Most words are found soon, so the search ends with the last of them."""
    sought = set(asked)
    for model in snapshot.models.values():
        if not sought:
            break
        sought.difference_update(words_of(model))
    return sought


def _warning(name: str, word: str) -> dict[str, Any]:
    message = f"{name}: no published model has {word!r}, so it matches nothing."
    return {"param": name, "provided": word, "message": message}


def count_words(
    snapshot: Snapshot, at: datetime, words_of: Callable[[ModelFacts, Sequence[Any]], Iterable[str]]
) -> Counter[str]:
    """How many routable models have each word. `words_of` takes a model and its serving offerings."""
    counts: Counter[str] = Counter()
    for model in snapshot.models.values():
        serving = serving_offerings(model, snapshot, at) if model.is_listed(at) else ()
        if serving:
            counts.update(set(words_of(model, serving)))
    return counts
