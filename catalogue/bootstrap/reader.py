"""Reading the bootstrap files into values. Nothing is written before all of them were read and checked."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from catalogue.bootstrap.check import ALWAYS, FEATURES, complaints
from catalogue.bootstrap.entries import (
    Bootstrap,
    BootstrapError,
    ModelEntry,
    OfferingEntry,
    OrganisationEntry,
    PriceEntry,
    ProviderEntry,
)
from catalogue.bootstrap.table import Table, read_table

FOLDER = Path(__file__).parent
CHAT = ("chat.completions",)

Params = Mapping[str, tuple[str, ...]]


def read_bootstrap(folder: Path = FOLDER) -> Bootstrap:
    """Raises BootstrapError, with every contradiction that was found, one a line."""
    providers = tuple(_read_providers(read_table(folder, folder / "providers.toml")))
    params = {provider.slug: provider.params for provider in providers}
    bootstrap = Bootstrap(
        organisations=tuple(_read_organisations(read_table(folder, folder / "organisations.toml"))),
        providers=providers,
        models=tuple(_read_models(folder, params)),
    )
    found = list(complaints(bootstrap))
    if found:
        raise BootstrapError("\n".join(found))
    return bootstrap


def _read_organisations(file: Table) -> Iterator[OrganisationEntry]:
    for name, table in file.named_tables():
        yield OrganisationEntry(
            id=name,
            name=table.take("name", str),
            country=table.take_or("country", ""),
            colour=table.take_or("colour", ""),
        )
        table.close()


def _read_providers(file: Table) -> Iterator[ProviderEntry]:
    for name, table in file.named_tables():
        yield ProviderEntry(
            slug=name,
            name=table.take("name", str),
            base_url=table.take("base_url", str),
            variable=table.take_or("variable", ""),
            website=table.take_or("website", ""),
            is_probed=table.take_or("probed", default=True),
            wire_format=table.take_or("wire_format", "openai"),
            is_enabled=table.take_or("enabled", default=True),
            quirks=table.words("quirks"),
            params=table.table("params").word_lists(),
            zero_retention=table.flag("zero_retention"),
            collects_data=table.flag("collects_data"),
        )
        table.close()


def _read_models(folder: Path, params: Mapping[str, Params]) -> Iterator[ModelEntry]:
    for path in sorted((folder / "models").glob("*.toml")):
        file = read_table(folder, path)
        organisation = file.take("organisation", str)
        for table in file.tables("model"):
            yield _read_model(organisation, table, params)
        file.close()


def _read_model(organisation: str, table: Table, params: Mapping[str, Params]) -> ModelEntry:
    slug = table.take("slug", str)
    cutoff = table.day("knowledge_cutoff")
    takes = _read_features(table, ())
    model = ModelEntry(
        place=f"{table.place} ({slug})",
        organisation=organisation,
        slug=slug,
        name=table.take("name", str),
        aliases=table.words("aliases"),
        release_at=table.day("released"),
        deprecation_at=table.day("deprecated"),
        retirement_at=table.day("retired"),
        successor=table.take_or("successor", ""),
        follows=table.take_or("follows", ""),
        context_length=table.count("context"),
        max_output_tokens=table.count("max_output"),
        input_types=table.words("input"),
        output_types=table.words("output"),
        reasoning_tier=table.take_or("reasoning_tier", ""),
        open_weights=table.flag("open_weights"),
        licence=table.take_or("licence", ""),
        knowledge_cutoff=cutoff.date() if cutoff else None,
        source=table.prose("source"),
        offerings=tuple(_read_offering(row, takes, params) for row in table.tables("offering")),
    )
    table.close()
    return model


def _read_offering(table: Table, takes: tuple[str, ...], params: Mapping[str, Params]) -> OfferingEntry:
    """`takes` are the model's features, for offerings that do not say their own."""
    provider = table.take("provider", str)
    endpoints = table.words("endpoints", CHAT)
    features = _read_features(table, takes)
    known = _params_of(params.get(provider, {}), features) if endpoints == CHAT else ()
    offering = OfferingEntry(
        provider=provider,
        upstream_name=table.take("upstream", str),
        endpoints=endpoints,
        params=table.words("params", known),
        streams=table.take_or("streams", default=True),
        context_length=table.count("context"),
        max_output_tokens=table.count("max_output"),
        regions=table.words("regions"),
        quantization=table.take_or("quantization", ""),
        zero_retention=table.flag("zero_retention"),
        collects_data=table.flag("collects_data"),
        effective_to=table.day("until"),
        prices=tuple(price for row in table.tables("prices") for price in _read_prices(row)),
    )
    table.close()
    return offering


def _read_features(table: Table, default: tuple[str, ...]) -> tuple[str, ...]:
    features = table.words("takes", default)
    for feature in features:
        if feature not in FEATURES:
            raise BootstrapError(f"{table.place}: {feature} is not one of {', '.join(sorted(FEATURES))}.")
    return features


def _params_of(params: Params, features: Iterable[str]) -> tuple[str, ...]:
    names = (name for feature in (ALWAYS, *features) for name in params.get(feature, ()))
    return tuple(dict.fromkeys(names))


def _read_prices(table: Table) -> Iterator[PriceEntry]:
    begins, ends = table.day("from"), table.day("until")
    when = table.table("when")
    above = when.count("input_tokens_above")
    when.close()
    for meter, amount in table.amounts().items():
        yield PriceEntry(
            meter=meter, amount=amount, valid_from=begins, valid_to=ends, input_tokens_above=above
        )
