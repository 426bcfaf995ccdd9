"""Rows of the catalogue made from entries, and what an entry changes of a row. Nothing is saved here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError

from catalogue.importing.entries import (
    ModelEntry,
    OfferingEntry,
    OrganisationEntry,
    PriceEntry,
    ProviderEntry,
)
from catalogue.models import Model, Offering, Price
from providers.models import Provider

_SOURCE = "Imported "
IMPORTED = "Imported."
"""The source of a model that came by an import, and that nobody has written another one for."""
_LEAST = timedelta(microseconds=1)


def organisation_fields(entry: OrganisationEntry) -> dict[str, str]:
    return {
        "id": entry.id,
        "name": entry.name,
        "colour": entry.colour,
        "website": entry.website,
        "country_code": entry.country_code,
    }


def known_fields(entry: OrganisationEntry) -> dict[str, str]:
    return {name: value for name, value in organisation_fields(entry).items() if value}


def provider_row(entry: ProviderEntry) -> Provider:
    return Provider(
        slug=entry.slug,
        name=entry.name,
        website=entry.website,
        base_url=entry.base_url,
        is_enabled=bool(entry.base_url),
        zero_retention=entry.zero_retention,
        collects_data=entry.collects_data,
    )


def new_model(entry: ModelEntry) -> Model:
    model = Model(
        organisation_id=entry.organisation_id,
        slug=entry.slug,
        name=entry.name,
        source=IMPORTED,
        **entry.facts,
    )
    model.public_id = model.compose_public_id()
    return model


Changes = Mapping[str, tuple[Any, Any]]
"""By field: what it said, and what it says from now on."""


def take(model: Model, entry: ModelEntry, *, is_curated: bool) -> Changes:
    """What the folder does not know stays; its dates count if they agree with the rest."""
    before = {name: getattr(model, name) for name in ("name", *entry.facts)}
    set_facts(model, {"name": entry.name, **entry.facts}, is_curated=is_curated)
    try:
        model.check_dates()
    except ValidationError:
        set_facts(model, {name: value for name, value in before.items() if name.endswith("_at")})
    after = {name: getattr(model, name) for name in before}
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


def set_facts(row: Any, facts: Mapping[str, Any], *, is_curated: bool = False) -> Changes:
    """Of a curated row only what it leaves open is filled in."""
    changes = {
        name: (before, value)
        for name, value in facts.items()
        if (before := getattr(row, name)) != value and not (is_curated and _is_said(before))
    }
    for name, (_before, value) in changes.items():
        setattr(row, name, value)
    return changes


def refer(model: Model, entry: ModelEntry, models: Mapping[str, Model], *, is_curated: bool) -> Changes:
    wanted = {"successor_id": entry.successor_id, "previous_id": entry.previous_id}
    ids = {name: models[public_id].pk for name, public_id in wanted.items() if public_id in models}
    return set_facts(model, ids, is_curated=is_curated)


def _is_said(value: Any) -> bool:
    return value not in (None, "", [])


def new_offering(
    entry: OfferingEntry, ids: Mapping[str, int], providers: Mapping[str, int], positions: dict[int, int]
) -> Offering:
    model_id = ids[entry.key[0]]
    position = positions.get(model_id, 0)
    positions[model_id] = position + 1
    return Offering(
        model_id=model_id,
        provider_id=providers[entry.key[1]],
        upstream_name=entry.key[2],
        is_enabled=entry.is_enabled,
        position=position,
        **entry.facts,
    )


def price_row(offering: Offering, entry: PriceEntry, begins: datetime | None) -> Price:
    """`begins` where it takes the place of another one; else it holds from when the folder says."""
    return Price(
        offering=offering,
        meter=entry.meter,
        plan=entry.plan,
        unit_size=entry.unit_size,
        amount=entry.amount,
        currency=entry.currency,
        conditions=list(entry.conditions),
        valid_from=begins or entry.valid_from,
        valid_to=entry.valid_to,
        source=f"{_SOURCE}{entry.digest}",
    )


@dataclass(frozen=True, slots=True)
class PriceChanges:
    """Prices to add, rows that end now, and how many were left to what staff had set."""

    added: list[Price]
    ended: list[Price]
    left: int


def price_changes(offering: Offering, wanted: Sequence[PriceEntry], now: datetime) -> PriceChanges:
    """What the folder says in place of what it said. What staff priced is theirs."""
    rows = list(offering.prices.all())
    mine = [row for row in rows if row.source.startswith(_SOURCE)]
    running = {row.source: row for row in mine if _runs(row.valid_to, now)}
    said = {f"{_SOURCE}{entry.digest}": entry for entry in wanted}
    ended = [row for source, row in running.items() if source not in said]
    over, known = {_bought(row) for row in ended}, {row.source for row in mine}
    own = {
        _bought(row) for row in rows if row not in mine and _runs(row.valid_to, now) and not row.conditions
    }
    added, left = [], 0
    for source, entry in said.items():
        takes_over = source in known or _bought(entry) in over
        if source in running or (takes_over and not _runs(entry.valid_to, now)):
            continue
        if _bought(entry) in own and not entry.conditions:
            left += 1
        else:
            added.append(price_row(offering, entry, now if takes_over else None))
    for row in ended:
        row.valid_to = now if row.valid_from is None or row.valid_from < now else row.valid_from + _LEAST
    return PriceChanges(added, ended, left)


def _bought(price: Price | PriceEntry) -> tuple[str, str, str]:
    return price.meter, price.plan, price.currency


def _runs(ends: datetime | None, now: datetime) -> bool:
    return ends is None or ends > now
