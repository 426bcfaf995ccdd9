"""Writing the bootstrap catalogue into the database: what is missing is made, what is there is left alone."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts.revision import Part, take_revision
from catalogue.bootstrap.entries import (
    Bootstrap,
    BootstrapError,
    ModelEntry,
    OfferingEntry,
    OrganisationEntry,
    PriceEntry,
    ProviderEntry,
)
from catalogue.bootstrap.reader import read_bootstrap
from catalogue.models import Alias, Model, Offering, Organisation, Price, PublishedModel
from catalogue.pricing.meters import CACHED_READ_TEXT, CACHED_WRITE_TEXT, INPUT_TEXT, OUTPUT_TEXT
from catalogue.publishing.editions import publish
from catalogue.words import settle
from providers.models import Credential, Provider
from providers.services import ensure_demo_providers

NOTE = "Bootstrap catalogue"
METERS = {
    "input": INPUT_TEXT,
    "output": OUTPUT_TEXT,
    "cached_read": CACHED_READ_TEXT,
    "cached_write": CACHED_WRITE_TEXT,
}
_placeholder = re.compile(r"\{([A-Z_]+)\}")
_address_part = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class LoadReport:
    """How many rows were made. `edition` is None when nothing was published.

    `skipped` are aliases that were not made because staff had given the name to another model.
    """

    organisations: int = 0
    providers: int = 0
    models: int = 0
    edition: int | None = None
    skipped: tuple[str, ...] = ()


def load_bootstrap(*, demo_port: int) -> LoadReport:
    """Make what is missing and publish it, all or nothing. A second run changes nothing.

    A model that is there, or ever was published, is not touched: what staff changed stays, and what they
    deleted does not come back. A provider is made with a model that it serves; those of which no model is known here
    come with the first load. Raises BootstrapError.
    """
    bootstrap = read_bootstrap()
    with transaction.atomic():
        return _load(bootstrap, demo_port)


def _load(bootstrap: Bootstrap, demo_port: int) -> LoadReport:
    missing = _missing_models(bootstrap.models)
    providers = _create_providers(_needed_providers(bootstrap, missing))
    _complete_addresses(bootstrap.providers)
    ensure_demo_providers(demo_port)
    organisations = _create_organisations(bootstrap.organisations)
    models, skipped = _create_models(missing)
    edition = publish(models, author=None, note=NOTE)
    return LoadReport(
        organisations=organisations,
        providers=providers,
        models=len(models),
        edition=edition.number if edition else None,
        skipped=tuple(skipped),
    )


def _missing_models(entries: Iterable[ModelEntry]) -> list[ModelEntry]:
    known = set(Model.objects.values_list("public_id", flat=True))
    known.update(PublishedModel.objects.values_list("public_id", flat=True))
    known.update(Alias.objects.values_list("name", flat=True))
    return [entry for entry in entries if entry.public_id not in known]


def _needed_providers(bootstrap: Bootstrap, missing: Sequence[ModelEntry]) -> list[ProviderEntry]:
    needed = {offering.provider for model in missing for offering in model.offerings}
    is_first_load = len(missing) == len(bootstrap.models)
    return [entry for entry in bootstrap.providers if is_first_load or entry.slug in needed]


def _create_organisations(entries: Iterable[OrganisationEntry]) -> int:
    known = set(Organisation.objects.values_list("pk", flat=True))
    created = Organisation.objects.bulk_create(
        Organisation(id=entry.id, name=entry.name, country_code=entry.country, colour=entry.colour)
        for entry in entries
        if entry.id not in known
    )
    return len(created)


def _create_providers(entries: Sequence[ProviderEntry]) -> int:
    """Each opened by its environment variable, so that setting that is enough, or by nothing where it needs none."""
    known = set(Provider.objects.values_list("slug", flat=True))
    missing = {entry.slug: entry for entry in entries if entry.slug not in known}
    if not missing:
        return 0
    take_revision(Part.PROVIDERS)
    created = Provider.objects.bulk_create(_provider(entry) for entry in missing.values())
    Credential.objects.bulk_create(
        _credential(provider, missing[provider.slug].variable) for provider in created
    )
    return len(created)


def _credential(provider: Provider, variable: str) -> Credential:
    kind = Credential.Kind.ENVIRONMENT if variable else Credential.Kind.NONE
    return Credential(provider=provider, kind=kind, variable=variable)


def _provider(entry: ProviderEntry) -> Provider:
    """Switched off while its address lacks something that only the environment knows."""
    address = _filled(entry.base_url, os.environ)
    return Provider(
        slug=entry.slug,
        name=entry.name,
        base_url=address or _unfilled(entry.base_url),
        website=entry.website,
        is_probed=entry.is_probed,
        wire_format=entry.wire_format,
        quirks=list(entry.quirks),
        is_enabled=entry.is_enabled and address is not None,
        zero_retention=entry.zero_retention,
        collects_data=entry.collects_data,
    )


def _complete_addresses(entries: Iterable[ProviderEntry]) -> None:
    """Switch on what was made before the environment named the missing part of its address."""
    for entry in entries:
        address = _filled(entry.base_url, os.environ)
        if address is None or address == entry.base_url:
            continue
        waiting = Provider.objects.filter(slug=entry.slug, base_url=_unfilled(entry.base_url))
        if waiting.exists():
            take_revision(Part.PROVIDERS)
            waiting.update(base_url=address, is_enabled=True)


def _filled(base_url: str, environ: Mapping[str, str]) -> str | None:
    """The address with its placeholders replaced. None: the environment lacks one. Raises BootstrapError."""
    for name in _placeholder.findall(base_url):
        value = environ.get(name, "").strip()
        if not value:
            return None
        if not _address_part.fullmatch(value):
            raise BootstrapError(f"{name} holds more than letters, digits, dashes and underscores.")
        base_url = base_url.replace(f"{{{name}}}", value)
    return base_url


def _unfilled(base_url: str) -> str:
    """A valid address that shows what has to be put in."""
    return _placeholder.sub(r"\1", base_url)


def _create_models(entries: Sequence[ModelEntry]) -> tuple[list[Model], list[str]]:
    """The new models, and the aliases that they did not get because staff had taken them."""
    models = {entry.public_id: _model(entry) for entry in entries}
    Model.objects.bulk_create(models.values())
    _link_models(entries, models)
    skipped = _create_aliases(entries, models)
    _create_offerings(entries, models)
    return list(models.values()), skipped


def _model(entry: ModelEntry) -> Model:
    return Model(
        organisation_id=entry.organisation,
        slug=entry.slug,
        public_id=entry.public_id,
        name=entry.name,
        release_at=entry.release_at,
        deprecation_at=entry.deprecation_at,
        retirement_at=entry.retirement_at,
        input_types=settle("input_types", entry.input_types)[0],
        output_types=settle("output_types", entry.output_types)[0],
        context_length=entry.context_length,
        max_output_tokens=entry.max_output_tokens,
        reasoning_tier=entry.reasoning_tier,
        open_weights=entry.open_weights,
        licence=entry.licence,
        knowledge_cutoff=entry.knowledge_cutoff,
        source=entry.source,
    )


def _link_models(entries: Sequence[ModelEntry], models: Mapping[str, Model]) -> None:
    named = {name for entry in entries for name in (entry.successor, entry.follows) if name}
    others = {model.public_id: model for model in Model.objects.filter(public_id__in=named)}
    linked = []
    for entry in entries:
        model = models[entry.public_id]
        model.successor, model.previous = others.get(entry.successor), others.get(entry.follows)
        if model.successor or model.previous:
            linked.append(model)
    Model.objects.bulk_update(linked, ["successor", "previous"])


def _create_aliases(entries: Iterable[ModelEntry], models: Mapping[str, Model]) -> list[str]:
    wanted = {alias: models[entry.public_id] for entry in entries for alias in entry.aliases}
    taken = set(Alias.objects.filter(name__in=wanted).values_list("name", flat=True))
    taken.update(Model.objects.filter(public_id__in=wanted).values_list("public_id", flat=True))
    Alias.objects.bulk_create(
        Alias(name=name, model=model) for name, model in wanted.items() if name not in taken
    )
    return sorted(taken)


def _create_offerings(entries: Iterable[ModelEntry], models: Mapping[str, Model]) -> None:
    providers = {provider.slug: provider for provider in Provider.objects.all()}
    priced = [
        (_offering(offering, models[entry.public_id], providers[offering.provider], position), offering)
        for entry in entries
        for position, offering in enumerate(entry.offerings)
    ]
    Offering.objects.bulk_create(row for row, _ in priced)
    Price.objects.bulk_create(price for row, offering in priced for price in _prices(row, offering))


def _offering(entry: OfferingEntry, model: Model, provider: Provider, position: int) -> Offering:
    return Offering(
        model=model,
        provider=provider,
        upstream_name=entry.upstream_name,
        endpoints=settle("endpoints", entry.endpoints)[0],
        params=settle("params", entry.params)[0],
        streams=entry.streams,
        context_length=entry.context_length,
        max_output_tokens=entry.max_output_tokens,
        regions=list(entry.regions),
        quantization=entry.quantization,
        zero_retention=entry.zero_retention,
        collects_data=entry.collects_data,
        position=position,
        effective_to=entry.effective_to,
    )


def _prices(row: Offering, entry: OfferingEntry) -> list[Price]:
    return [
        Price(
            offering=row,
            meter=METERS[price.meter],
            amount=price.amount,
            conditions=_conditions(price),
            valid_from=price.valid_from,
            valid_to=price.valid_to,
        )
        for price in entry.prices
    ]


def _conditions(price: PriceEntry) -> list[dict[str, Any]]:
    if price.input_tokens_above is None:
        return []
    return [{"path": "input_tokens", "op": "gt", "value": price.input_tokens_above}]
