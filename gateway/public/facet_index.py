"""The words under which each model is found, kept for as long as they are true."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from catalogue.facts import ModelFacts
from catalogue.listing.capabilities import capabilities_of
from catalogue.published.headline import is_free
from catalogue.published.reading import Reading
from catalogue.published.snapshot import Snapshot
from gateway.public.offered import shown_offerings

FacetWords = Mapping[str, Sequence[str]]
"""By parameter: the words of one model, each once."""


@dataclass(frozen=True, slots=True)
class Label:
    name: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class FacetIndex:
    """Of every model by id, and how organisations and providers are called by id.

    `capabilities` has a set for each offering that is shown.
    """

    models: Mapping[str, ModelFacts]
    state: str
    of: Mapping[str, FacetWords]
    capabilities: Mapping[str, Sequence[frozenset[str]]]
    organisations: Mapping[str, Label]
    providers: Mapping[str, Label]


class FacetIndexCache:
    """Those of what is published now. Safe from any thread: at worst two make the same."""

    def __init__(self) -> None:
        self._kept: FacetIndex | None = None

    def read(self, reading: Reading) -> FacetIndex:
        if not reading.is_present:
            return _index_of(reading)
        kept = self._kept
        if kept is None or kept.models is not reading.snapshot.models or kept.state != reading.state:
            kept = self._kept = _index_of(reading)
        return kept


facet_index_cache = FacetIndexCache()
"""Of this process."""


def _index_of(reading: Reading) -> FacetIndex:
    models = reading.snapshot.models.values()
    return FacetIndex(
        models=reading.snapshot.models,
        state=reading.state,
        of={model.id: dict(_words(model, reading)) for model in models},
        capabilities={model.id: capabilities_of(model, reading.snapshot, reading.at) for model in models},
        organisations={each.organisation_id: _organisation(each) for each in models},
        providers={
            offering.provider_slug: Label(offering.provider_name)
            for model in models
            for offering in model.offerings
        },
    )


def _organisation(model: ModelFacts) -> Label:
    return Label(model.organisation_name or model.organisation_id, model.organisation_colour)


def _words(model: ModelFacts, reading: Reading) -> Iterator[tuple[str, Sequence[str]]]:
    snapshot, at = reading.snapshot, reading.at
    shown = shown_offerings(model, snapshot, at)
    yield "organisation", (model.organisation_id,)
    yield "provider", tuple({offering.provider_slug for offering in shown})
    yield "regions", tuple({word for offering in shown for word in offering.regions})
    yield "endpoints", tuple({word for offering in shown for word in offering.endpoints})
    yield "input_types", tuple(model.input_types)
    yield "output_types", tuple(model.output_types)
    yield "kind", ("route" if model.is_route else "model",)
    yield "status", (model.status(at).value,)
    yield "reasoning_tier", (model.reasoning_tier,) if model.reasoning_tier else ()
    yield "open_weights", _flag(model.open_weights)
    yield "free", _flag(is_free(model, snapshot, at))
    yield "availability", _availability(model, snapshot, reading)


def _availability(model: ModelFacts, snapshot: Snapshot, reading: Reading) -> Sequence[str]:
    return ("active",) if snapshot.is_routable(model, reading.at) else ()


def _flag(value: bool | None) -> Sequence[str]:
    return () if value is None else (str(value).lower(),)
