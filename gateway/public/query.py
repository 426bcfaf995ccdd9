"""What the address of the list asks for: the API's own parameters, and no more lost than what is wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.functional import cached_property

from catalogue.listing.filters import GatewayModelFilter
from catalogue.listing.pagination import LIMIT, OFFSET
from catalogue.listing.parameters import InstantField, ParameterField, WordsField, read_parameter
from catalogue.pricing.mix import USUAL, Mix, read_mix
from catalogue.published.reading import Reading, read_as_of, read_now
from catalogue.querysets.published import PublishedModelQuerySet
from gateway.core.errors import ApiError
from gateway.public.access import SEEN_BY

COMPARED_MOST = 4
_PAGE_SIZE = 50
# Of the API's answers, or of keys: a page has neither.
_NOT_FOR_PAGES = {"format", "feed", "privacy_scope", "privacy"}
_OF_THE_PAGE = {"limit", "offset", "id", *SEEN_BY}
FIELDS: dict[str, forms.Field] = {
    **{name: f.field for name, f in GatewayModelFilter.base_filters.items() if name not in _NOT_FOR_PAGES},
    "limit": LIMIT,
    "offset": OFFSET,
    "id": WordsField(),
    **{name: ParameterField() for name in SEEN_BY},
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A parameter that could not be used, and why, in a sentence."""

    name: str
    message: str


class PageFilter(GatewayModelFilter):
    """The API's, for parameters that were looked at before."""

    def by_organisations(
        self, rows: PublishedModelQuerySet, _name: str, words: list[str]
    ) -> PublishedModelQuerySet:
        """Whether they exist was asked once, in the beginning."""
        return rows.filter(organisation_id__in=words)


@dataclass
class ListQuery:
    """`asked` holds what could be understood, under the API's names."""

    asked: QueryDict
    faults: Sequence[Fault]
    reading: Reading

    @cached_property
    def ids(self) -> Sequence[str]:
        """Of all models that match, in order."""
        return self._find(self.asked)

    @property
    def limit(self) -> int:
        return int(self.asked.get("limit", _PAGE_SIZE))

    @property
    def offset(self) -> int:
        return int(self.asked.get("offset", 0))

    def value(self, name: str) -> str:
        """Of a parameter that takes one; empty where it is not there."""
        return str(self.asked.get(name, ""))

    @property
    def mix(self) -> Mix:
        """For which tokens blended prices are."""
        return read_mix(self.value("mix")) if "mix" in self.asked else USUAL

    @property
    def shows_uncallable(self) -> bool:
        return self.asked.get("availability") != "active"

    def chosen(self, name: str) -> Sequence[str]:
        """The words of a parameter that takes several."""
        return read_parameter(self.asked, name, WordsField()) or [] if name in self.asked else []

    def ids_without(self, name: str, *instead: str) -> Sequence[str]:
        """Of the models that would match if that parameter had other words, or were not there."""
        if not instead and name not in self.asked:
            return self.ids
        asked = self.asked.copy()
        asked.pop(name, None)
        for word in instead:
            asked.appendlist(name, word)
        return self._find(asked)

    def for_api(self) -> Sequence[tuple[str, str]]:
        """The same list in the API's words."""
        asked = [(name, value) for name in self.asked for value in self.asked.getlist(name)]
        stated = [pair for pair in asked if pair[0] not in _OF_THE_PAGE]
        return stated if "availability" in self.asked else [*stated, ("availability", "all")]

    def address(self, name: str = "", *values: str) -> str:
        """The query of the list with other values of one parameter, from its first page on."""
        asked = self.asked.copy()
        asked.pop("offset", None)
        if name:
            asked.setlist(name, list(values))
        return f"?{asked.urlencode(safe='/:')}" if any(asked.lists()) else "?"

    def _find(self, asked: QueryDict) -> Sequence[str]:
        rows = _filter(asked, self.reading).qs
        return [
            name for name in rows.values_list("public_id", flat=True) if name in self.reading.snapshot.models
        ]


def blank_names(query: QueryDict) -> Sequence[str]:
    """Parameters without any value: forms send those that were left empty."""
    return [name for name, values in query.lists() if not any(value.strip() for value in values)]


def read_query(query: QueryDict) -> ListQuery:
    """What is wrong is taken away and named; the rest counts."""
    asked = query.copy()
    faults = [*_take_unknown(asked), *_take_wrong(asked)]
    as_of = read_parameter(asked, "as_of", InstantField())
    reading = read_as_of(as_of) if as_of else read_now()
    return ListQuery(asked, [*faults, *_take_refused(asked, reading)], reading)


def _take_unknown(asked: QueryDict) -> Iterator[Fault]:
    for name in [name for name in asked if name not in FIELDS]:
        del asked[name]
        yield Fault(name[:100], "This list has no such parameter.")


def _take_wrong(asked: QueryDict) -> Iterator[Fault]:
    for name in list(asked):
        try:
            read_parameter(asked, name, FIELDS[name])
        except ApiError as refusal:
            del asked[name]
            yield Fault(name, refusal.message)


def _take_refused(asked: QueryDict, reading: Reading) -> Iterator[Fault]:
    """What only the API's filter knows: an organisation that does not exist."""
    if "organisation" not in asked:
        return
    only = QueryDict(mutable=True)
    only.setlist("organisation", asked.getlist("organisation"))
    try:
        _ = GatewayModelFilter(only, queryset=reading.rows(), reading=reading).qs
    except ApiError as refusal:
        name = str(refusal.param)
        del asked[name]
        yield Fault(name, refusal.message)


def _filter(asked: QueryDict, reading: Reading) -> Any:
    data = asked.copy()
    data.setdefault("availability", "all")
    return PageFilter(data, queryset=reading.rows(), reading=reading)
