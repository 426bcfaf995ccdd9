"""By what the list can be narrowed, and how many models each choice would leave."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from catalogue.lifecycle.status import Status
from catalogue.listing.capabilities import CAPABILITIES, have_all
from gateway.public.amounts import MILLION, money, shorten
from gateway.public.facet_index import FacetIndex, Label
from gateway.public.query import ListQuery

_MANY = 9


@dataclass(frozen=True, slots=True)
class Option:
    """`count` is None where nobody counted."""

    value: str
    label: str
    count: int | None = None
    is_chosen: bool = False
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Facet:
    """`name` is the parameter. With `is_single` it takes one value; with `is_open` its options show at once."""

    name: str
    title: str
    options: Sequence[Option]
    is_single: bool = False
    is_open: bool = False

    @property
    def chosen(self) -> int:
        return sum(option.is_chosen for option in self.options)

    @property
    def is_long(self) -> bool:
        return len(self.options) > _MANY


@dataclass(frozen=True, slots=True)
class Choice:
    """A facet with a fixed set of words, in that order."""

    title: str
    labels: Mapping[str, str]
    is_single: bool = False


_FREE_WORDS = {
    "organisation": "Organisation",
    "provider": "Provider",
    "regions": "Region",
    "input_types": "Input modalities",
    "output_types": "Output modalities",
    "endpoints": "Endpoint",
}
_FIXED = {
    "availability": Choice("Availability", {"active": "callable now"}, is_single=True),
    "status": Choice("Status", {status.value: status.value for status in Status}),
    "kind": Choice("Kind", {"model": "models", "route": "named routes"}),
    "reasoning_tier": Choice("Reasoning", {"low": "low", "medium": "medium", "high": "high"}),
    "open_weights": Choice("Weights", {"true": "open", "false": "closed"}, is_single=True),
    "free": Choice("Price", {"true": "free", "false": "paid"}, is_single=True),
}
_ORDER = (
    "availability",
    "kind",
    "input_types",
    "output_types",
    "organisation",
    "provider",
    "regions",
    "reasoning_tier",
    "open_weights",
    "free",
    "status",
    "endpoints",
)
_CONTEXTS = (32_000, 128_000, 200_000, 400_000, 1_000_000)
_PRICES_USD = ("0.1", "0.5", "1", "3", "10", "30")
# Without a status the list has those that are listed; the others are counted all the same.
_EVERY_STATUS = tuple(status.value for status in Status)


def facets_of(query: ListQuery, index: FacetIndex) -> Sequence[Facet]:
    """Capabilities, then those that could narrow the list, or do."""
    facets = (_facet(name, query, index) for name in _ORDER)
    narrowing = [facet for facet in facets if facet.chosen or _divides(facet, len(query.ids))]
    return [_capabilities(query, index), *narrowing]


def context_options(query: ListQuery) -> Sequence[Option]:
    return _bounds(query, "min_context", [(str(count), _at_least(count)) for count in _CONTEXTS], _at_least)


def price_options(query: ListQuery, name: str) -> Sequence[Option]:
    """`name` is the parameter; values are USD for one token, as the API takes them."""
    usual = [(format(Decimal(usd).scaleb(-6), "f"), f"up to {money(Decimal(usd))}") for usd in _PRICES_USD]
    return _bounds(query, name, usual, lambda value: f"up to {money(Decimal(value) * MILLION)}")


def _capabilities(query: ListQuery, index: FacetIndex) -> Facet:
    """Of one offering that has all that is chosen; so each count is of those that have it beside the others."""
    chosen = frozenset(query.chosen("capabilities"))
    options = []
    for word, label in CAPABILITIES.items():
        count = sum(have_all(index.capabilities[id_], chosen | {word}) for id_ in query.ids)
        options.append(Option(word, label, count, word in chosen))
    return Facet("capabilities", "Capabilities", options, is_open=True)


def _divides(facet: Facet, total: int) -> bool:
    return any(option.count != total for option in facet.options)


def _facet(name: str, query: ListQuery, index: FacetIndex) -> Facet:
    instead = _EVERY_STATUS if name == "status" else ()
    counts = Counter(word for id_ in query.ids_without(name, *instead) for word in index.of[id_][name])
    chosen = query.chosen(name)
    if name in _FIXED:
        choice = _FIXED[name]
        chosen = [word.lower() for word in chosen]
        options = [
            Option(word, label, counts[word], word in chosen)
            for word, label in choice.labels.items()
            if counts[word] or word in chosen
        ]
        return Facet(name, choice.title, options, choice.is_single)
    return Facet(name, _FREE_WORDS[name], list(_options(name, counts, chosen, index)))


def _options(name: str, counts: Counter[str], chosen: Sequence[str], index: FacetIndex) -> Iterator[Option]:
    """The chosen ones first, then the commonest."""
    labels = {"organisation": index.organisations, "provider": index.providers}.get(name, {})
    words = {*counts, *chosen}
    for word in sorted(words, key=lambda word: (word not in chosen, -counts[word], word)):
        label = labels.get(word, Label(word))
        yield Option(word, label.name, counts[word], word in chosen, label.colour)


def _bounds(
    query: ListQuery, name: str, usual: Sequence[tuple[str, str]], describe: Callable[[str], str]
) -> Sequence[Option]:
    """The usual bounds, and the one that was asked for where it is none of them."""
    asked = query.asked.get(name, "")
    options = [Option(value, label, is_chosen=value == asked) for value, label in usual]
    if asked and asked not in dict(usual):
        options.append(Option(asked, describe(asked), is_chosen=True))
    return options


def _at_least(tokens: int | str) -> str:
    return f"{shorten(int(tokens))} or more"
