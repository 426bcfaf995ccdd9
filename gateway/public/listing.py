"""Everything that the list's page shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from catalogue.facts import ModelFacts
from catalogue.listing.filters import DEFAULT_SORT
from catalogue.listing.parameters import WordsField
from catalogue.listing.search import name_index_cache
from catalogue.listing.vocabulary import words_that_match_nothing
from gateway.public.access import SEEN_BY
from gateway.public.facet_index import FacetIndex, facet_index_cache
from gateway.public.facets import Facet, Option, context_options, facets_of, price_options
from gateway.public.feeds import FeedLink, list_feeds
from gateway.public.query import COMPARED_MOST, FIELDS, ListQuery
from gateway.public.rows import ModelRow, row_of

_SORTS = {
    DEFAULT_SORT: "Newest first",
    "release_date": "Oldest first",
    "name": "Name",
    "-context_length": "Longest context",
    "prompt_price": "Cheapest input",
    "completion_price": "Cheapest output",
    "cached_price": "Cheapest cached input",
    "blended_price": "Cheapest blend",
    "-prompt_price": "Most expensive input",
    "-completion_price": "Most expensive output",
    "retirement_date": "Retires soonest",
}
# Asked for by fields of the form that are always there, or not by its user.
_NOT_FILTERS = {"sort", "mix", "limit", "offset", "id", "as_of", *SEEN_BY}
_LISTS = {name for name, field in FIELDS.items() if isinstance(field, WordsField)}
# Columns that can be sorted by: the first click, and the next.
_HEADS = {
    "name": ("name", "-name"),
    "context": ("-context_length", "context_length"),
    "prompt": ("prompt_price", "-prompt_price"),
    "completion": ("completion_price", "-completion_price"),
}
_IN_FORM = {"q", "sort", "mix", "min_context", "max_price_prompt", "max_price_completion"}
_WORDS = {
    "q": "search",
    "min_context": "context",
    "max_price_prompt": "input",
    "max_price_completion": "output",
    "max_price_blended": "blend",
    "input_types": "input modality",
    "output_types": "output modality",
    "endpoints": "endpoint",
    "regions": "region",
    "reasoning_tier": "reasoning",
    "open_weights": "open weights",
    "availability": "availability",
    "capabilities": "capability",
    "params": "parameter",
    "all_params": "parameter",
    "released_after": "released after",
    "retires_before": "retires before",
}


_MIXES = (
    ("3:1", "3 in : 1 out"),
    ("1:1", "1 in : 1 out"),
    ("1:3", "1 in : 3 out"),
    ("10:1", "10 in : 1 out"),
    ("2:7:1", "2 in : 7 cached : 1 out"),
)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """One thing that the list is narrowed by, with the address of the list without it."""

    label: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Head:
    """Of a column: where a click on it leads, and how the list is sorted by it now, as `aria-sort` says it."""

    address: str
    direction: str


@dataclass
class ModelPage:
    """One page of the list, with everything around it."""

    query: ListQuery
    origin: str
    """Scheme and host, without a slash at its end."""

    @property
    def feeds(self) -> Sequence[FeedLink]:
        """Of the same list, from the API."""
        return list_feeds(self.origin, self.query.for_api())

    @property
    def total(self) -> int:
        return len(self.query.ids)

    @property
    def total_text(self) -> str:
        return f"{self.total:,}"

    @cached_property
    def rows(self) -> Sequence[ModelRow]:
        reading, compared = self.query.reading, set(self.compared)
        first = self.query.offset
        ids = self.query.ids[first : first + self.query.limit]
        models = (reading.snapshot.models[id_] for id_ in ids)
        return [row_of(each, reading, mix=self.query.mix, is_chosen=each.id in compared) for each in models]

    @property
    def first(self) -> int:
        """Of the rows shown, from 1 on."""
        return self.query.offset + 1

    @property
    def last(self) -> int:
        return self.query.offset + len(self.rows)

    @cached_property
    def facets(self) -> Sequence[Facet]:
        return facets_of(self.query, self._index)

    @property
    def contexts(self) -> Sequence[Option]:
        return context_options(self.query)

    @property
    def prompt_prices(self) -> Sequence[Option]:
        return price_options(self.query, "max_price_prompt")

    @property
    def completion_prices(self) -> Sequence[Option]:
        return price_options(self.query, "max_price_completion")

    @property
    def mixes(self) -> Sequence[Option]:
        """Of input, cached and output tokens, for the blended price."""
        chosen = str(self.query.mix)
        usual = dict(_MIXES) if chosen in dict(_MIXES) else dict(_MIXES) | {chosen: chosen}
        return [Option(value, label, is_chosen=value == chosen) for value, label in usual.items()]

    @property
    def sorts(self) -> Sequence[Option]:
        chosen = self.query.asked.get("sort", DEFAULT_SORT)
        labels = _SORTS if chosen in _SORTS else _SORTS | {chosen: chosen.replace("_", " ")}
        return [Option(value, label, is_chosen=value == chosen) for value, label in labels.items()]

    @property
    def heads(self) -> Mapping[str, Head]:
        """By column."""
        sort = self.query.asked.get("sort", DEFAULT_SORT)
        return {name: self._head(sort, first, then) for name, (first, then) in _HEADS.items()}

    @property
    def near(self) -> Sequence[ModelFacts]:
        """Models with names like the search, where nothing is found."""
        text = self.query.value("q")
        if not text or self.total:
            return []
        models = self.query.reading.snapshot.models
        return [models[id_] for id_ in name_index_cache.read(models).near(text)]

    @cached_property
    def callable_total(self) -> int:
        """How many of the models that match can be called now."""
        return sum("active" in self._index.of[id_]["availability"] for id_ in self.query.ids)

    @cached_property
    def compared(self) -> Sequence[str]:
        found = (self.query.reading.find(name) for name in self.query.chosen("id"))
        return [model.id for model in found if model is not None][:COMPARED_MOST]

    @property
    def compared_elsewhere(self) -> Sequence[str]:
        """Chosen for a comparison, and not on this page."""
        shown = {row.model.id for row in self.rows}
        return [id_ for id_ in self.compared if id_ not in shown]

    @cached_property
    def narrowings(self) -> Sequence[Narrowing]:
        return list(self._narrowings())

    @property
    def kept(self) -> Sequence[tuple[str, str]]:
        """Parameters that the form has no field for, so that it sends them along."""
        in_form = _IN_FORM | {facet.name for facet in self.facets} | {"offset"}
        asked = self.query.asked
        return [(name, value) for name in asked if name not in in_form for value in asked.getlist(name)]

    @property
    def unmatched(self) -> Sequence[str]:
        warnings = words_that_match_nothing(self.query.asked, self.query.reading.snapshot)
        return [warning["message"] for warning in warnings]

    @property
    def previous(self) -> str | None:
        offset, limit = self.query.offset, self.query.limit
        return self._page(max(0, offset - limit)) if offset else None

    @property
    def next(self) -> str | None:
        return self._page(self.last) if self.last < self.total else None

    @property
    def start(self) -> str:
        return self._page(0)

    @property
    def today(self) -> str:
        return self.query.address("as_of")

    @property
    def pages(self) -> int:
        return -(-self.total // self.query.limit)

    @property
    def number(self) -> int:
        return self.query.offset // self.query.limit + 1

    @cached_property
    def _index(self) -> FacetIndex:
        return facet_index_cache.read(self.query.reading)

    def _head(self, sort: str, first: str, then: str) -> Head:
        directions = {name: "descending" if name.startswith("-") else "ascending" for name in (first, then)}
        return Head(self.query.address("sort", then if sort == first else first), directions.get(sort, ""))

    def _page(self, offset: int) -> str:
        return self.query.address("offset", *([str(offset)] if offset else []))

    def _labels(self) -> dict[tuple[str, str], str]:
        """What is read for a value of a parameter, where that is not the value itself."""
        bounds = [
            ("min_context", self.contexts),
            ("max_price_prompt", self.prompt_prices),
            ("max_price_completion", self.completion_prices),
        ]
        choices = [*((facet.name, facet.options) for facet in self.facets), *bounds]
        return {(name, option.value): option.label for name, options in choices for option in options}

    def _narrowings(self) -> Iterator[Narrowing]:
        labels = self._labels()
        for name in self.query.asked:
            if name in _NOT_FILTERS:
                continue
            words: Sequence[str] = self.query.chosen(name) if name in _LISTS else [self.query.value(name)]
            for word in words:
                rest = [other for other in words if other != word]
                label = _WORDS.get(name, name.replace("_", " "))
                yield Narrowing(label, labels.get((name, word), word), self.query.address(name, *rest))
