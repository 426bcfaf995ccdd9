"""Models side by side, with what differs. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from catalogue.facts import ModelFacts
from catalogue.published.reading import Reading
from gateway.public.amounts import Amount
from gateway.public.facts import Fact, facts_of


@dataclass(frozen=True, slots=True)
class Word:
    """`is_shared` by all the models that are compared."""

    text: str
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Cell:
    amount: Amount
    words: Sequence[Word] | None


@dataclass(frozen=True, slots=True)
class Line:
    """One fact of every model, in the models' order."""

    name: str
    cells: Sequence[Cell]
    differs: bool


def compare(models: Sequence[ModelFacts], reading: Reading) -> Sequence[Line]:
    return list(_lines([facts_of(model, reading) for model in models]))


def _lines(columns: Sequence[Sequence[Fact]]) -> Iterator[Line]:
    for facts in zip(*columns, strict=True):
        shared = set.intersection(*(set(fact.words or ()) for fact in facts))
        cells = [Cell(fact.amount, _words(fact, shared)) for fact in facts]
        yield Line(facts[0].name, cells, differs=any(fact != facts[0] for fact in facts))


def _words(fact: Fact, shared: set[str]) -> Sequence[Word] | None:
    return None if fact.words is None else [Word(word, word in shared) for word in fact.words]
