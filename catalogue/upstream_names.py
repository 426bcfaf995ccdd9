"""What a provider lists, against the catalogue: which models can be called there, and what is not in it yet."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from accounts.models import User
from accounts.revision import lock_revision
from catalogue.facts import ModelFacts
from catalogue.models import Alias, Model, Offering, Organisation
from catalogue.published.reading import Reading
from catalogue.publishing.editions import publish
from providers.models import Provider

MOST_ADDED = 100
"""Names that are added in one act; a list that is longer is for a sheet."""

_NO_SLUG = re.compile(r"[^a-z0-9._:+-]+")
_CHAT, _EMBEDDINGS = "chat.completions", "embeddings"


@dataclass(frozen=True, slots=True)
class Added:
    """`offered`: models of the catalogue that run there too now. `refused`: by name, the reason."""

    offered: Sequence[Model] = ()
    new: Sequence[Model] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    left: int = 0
    """Names beyond those that are added in one act."""


def callable_at(provider_id: int, reading: Reading) -> list[tuple[ModelFacts, frozenset[str]]]:
    """Models that calls can go to there now, by id, each with its upstream names."""
    found = []
    for model in reading.snapshot.models.values():
        serving = (each for each in model.offerings if reading.snapshot.serves(each, reading.at))
        names = frozenset(each.upstream_name for each in serving if each.provider_id == provider_id)
        if names and model.is_listed(reading.at) and not model.is_route:
            found.append((model, names))
    return sorted(found, key=lambda each: each[0].id)


def names_to_add(provider: Provider, names: Iterable[str]) -> list[str]:
    """Those that no offering of the provider has."""
    known = set(Offering.objects.filter(provider=provider).values_list("upstream_name", flat=True))
    return [name for name in names if name not in known]


@transaction.atomic
def add_names(provider: Provider, names: Sequence[str], *, author: User | None, on: date) -> Added:
    """Offer what the catalogue knows by such a name there too, as its last offering; add the rest as new models.

    All of them are published, as one edition.
    """
    lock_revision()
    known = _known_models(names)
    offered, new, refused = [], [], {}
    for name in names[:MOST_ADDED]:
        model = known.get(name)
        try:
            if model is not None:
                _offer(model, provider, name)
                offered.append(model)
            else:
                new.append(_add_model(provider, name, on))
        except ValidationError as error:
            refused[name] = " ".join(error.messages)
    publish([*offered, *new], author=author, note=f"Added from the list of {provider.name}")
    return Added(offered, new, refused, left=max(0, len(names) - MOST_ADDED))


def _known_models(names: Iterable[str]) -> dict[str, Model]:
    """By name, where it is the id, an alias or an upstream name of exactly one model."""
    spellings = {name: _spellings(name) for name in names}
    by_spelling = _models_by_spelling(frozenset().union(*spellings.values()))
    pks = {name: frozenset().union(*(by_spelling[each] for each in said)) for name, said in spellings.items()}
    models = Model.objects.in_bulk({pk for found in pks.values() for pk in found})
    return {name: models[next(iter(found))] for name, found in pks.items() if len(found) == 1}


def _models_by_spelling(sought: Collection[str]) -> Mapping[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    rows = [
        *Model.objects.filter(kind=Model.Kind.MODEL).values_list("public_id", "pk"),
        *Alias.objects.filter(model__kind=Model.Kind.MODEL).values_list("name", "model_id"),
        *Offering.objects.values_list("upstream_name", "model_id"),
    ]
    for name, pk in rows:
        if name.lower() in sought:
            found[name.lower()].add(pk)
    return found


def _spellings(name: str) -> frozenset[str]:
    """As vendors and servers write one name: Ollama says `gpt-oss:20b` and `qwen3:latest`."""
    plain = name.lower().removesuffix(":latest")
    return frozenset({plain, plain.replace(":", "-")})


def _offer(model: Model, provider: Provider, name: str) -> None:
    last = Offering.objects.filter(model=model).aggregate(last=Max("position"))["last"]
    position = 0 if last is None else last + 1
    endpoint = _EMBEDDINGS if _EMBEDDINGS in model.output_types else _CHAT
    offering = Offering(
        model=model,
        provider=provider,
        upstream_name=name,
        endpoints=[endpoint],
        streams=endpoint == _CHAT,
        position=position,
    )
    offering.full_clean()
    offering.save()


def _add_model(provider: Provider, name: str, on: date) -> Model:
    """Raises ValidationError."""
    model = Model(
        organisation=_organisation_of(provider),
        slug=_NO_SLUG.sub("-", name.lower()).strip("-._:+")[:120],
        name=name[:150],
        input_types=["text"],
        output_types=[_EMBEDDINGS if "embed" in name.lower() else "text"],
        source=f"Listed by {provider.name} on {on.isoformat()}.",
    )
    with transaction.atomic():
        model.full_clean(exclude=["public_id"])
        model.save()
        _offer(model, provider, name)
    return model


def _organisation_of(provider: Provider) -> Organisation:
    """One's own server is who makes its models known; its slug is the first half of their ids."""
    fields = {"name": provider.name}
    organisation_id = provider.slug.replace("_", "-").lower().strip("-")
    return Organisation.objects.get_or_create(id=organisation_id, defaults=fields)[0]
