"""Reading the bootstrap files into values. Nothing is written before all of them were read and checked."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from catalogue.bootstrap.check import complaints
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


def read_bootstrap(folder: Path = FOLDER) -> Bootstrap:
    """Raises BootstrapError, with every contradiction that was found, one a line."""
    bootstrap = Bootstrap(
        organisations=tuple(_read_organisations(read_table(folder, folder / "organisations.toml"))),
        providers=tuple(_read_providers(read_table(folder, folder / "providers.toml"))),
        models=tuple(_read_models(folder)),
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
            variable=table.take("variable", str),
            website=table.take_or("website", ""),
            is_probed=table.take_or("probed", default=True),
        )
        table.close()


def _read_models(folder: Path) -> Iterator[ModelEntry]:
    for path in sorted((folder / "models").glob("*.toml")):
        file = read_table(folder, path)
        organisation = file.take("organisation", str)
        for table in file.tables("model"):
            yield _read_model(organisation, table)
        file.close()


def _read_model(organisation: str, table: Table) -> ModelEntry:
    slug = table.take("slug", str)
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
        context_length=table.count("context"),
        max_output_tokens=table.count("max_output"),
        input_types=table.words("input"),
        output_types=table.words("output"),
        reasoning_tier=table.take_or("reasoning_tier", ""),
        source=table.take("source", str).strip(),
        offerings=tuple(map(_read_offering, table.tables("offering"))),
    )
    table.close()
    return model


def _read_offering(table: Table) -> OfferingEntry:
    offering = OfferingEntry(
        provider=table.take("provider", str),
        upstream_name=table.take("upstream", str),
        endpoints=table.words("endpoints", ("chat.completions",)),
        params=table.words("params"),
        streams=table.take_or("streams", default=True),
        context_length=table.count("context"),
        max_output_tokens=table.count("max_output"),
        effective_to=table.day("until"),
        prices=tuple(price for row in table.tables("prices") for price in _read_prices(row)),
    )
    table.close()
    return offering


def _read_prices(table: Table) -> Iterator[PriceEntry]:
    begins: datetime | None = table.day("from")
    ends: datetime | None = table.day("until")
    for meter, amount in table.amounts().items():
        yield PriceEntry(meter=meter, amount=amount, valid_from=begins, valid_to=ends)
