"""Names as people type them: with or without hyphens, dots and blanks. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from catalogue.facts import ModelFacts

NEAR = 5
_LONGEST = 200
_UNTOLD = re.compile(r"[\W_]+")


def fold(text: str) -> str:
    """Letters and digits only, in lower case."""
    return _UNTOLD.sub("", text.casefold())


@dataclass(frozen=True, slots=True)
class Names:
    """Of one model: what it is called, as written and folded."""

    written: str
    folded: frozenset[str]

    def hold(self, word: str) -> bool:
        """Whether one of them has the word, which is folded."""
        return any(word in name for name in self.folded)


@dataclass(frozen=True, slots=True)
class NameIndex:
    """By id, of all that is published in one snapshot."""

    models: Mapping[str, ModelFacts]
    of: Mapping[str, Names]

    def only_folded(self, word: str) -> Sequence[str]:
        """Ids of models that have the word in a name, though not as it was typed."""
        wanted = fold(word)
        if not wanted:
            return []
        return [id_ for id_, names in self.of.items() if word not in names.written and names.hold(wanted)]

    def exact(self, text: str) -> Sequence[str]:
        """Ids of models of which that is a whole name, whatever stands between its letters."""
        wanted = fold(text)
        return [id_ for id_, names in self.of.items() if wanted in names.folded]

    def near(self, text: str) -> Sequence[str]:
        """Ids of models with a name like it, the nearest first."""
        ids: dict[str, str] = {}
        for id_, names in self.of.items():
            for name in names.folded:
                ids.setdefault(name, id_)
        found = get_close_matches(fold(text[:_LONGEST]), list(ids), n=2 * NEAR, cutoff=0.6)
        return list(dict.fromkeys(ids[name] for name in found))[:NEAR]


class NameIndexCache:
    """That of the snapshot that was asked last. Safe from any thread: at worst two make the same."""

    def __init__(self) -> None:
        self._kept: NameIndex | None = None

    def read(self, models: Mapping[str, ModelFacts]) -> NameIndex:
        kept = self._kept
        if kept is None or kept.models is not models:
            kept = self._kept = NameIndex(models, {model.id: _names(model) for model in models.values()})
        return kept


name_index_cache = NameIndexCache()
"""Of this process."""


def _names(model: ModelFacts) -> Names:
    names = [model.id, model.id.partition("/")[2], model.name, *model.aliases]
    return Names("\n".join(names).casefold(), frozenset(_folded(names)))


def _folded(names: Iterable[str]) -> Iterable[str]:
    return filter(None, map(fold, names))
