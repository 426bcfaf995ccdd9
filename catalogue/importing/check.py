"""What stands against writing a folder: values that no column takes, and names that are taken here."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from catalogue.importing.entries import Folder, Origin
from catalogue.importing.findings import Findings, Kind
from catalogue.importing.rows import new_model, organisation_fields, price_row, provider_row
from catalogue.models import Alias, Model, Offering, Organisation, Route
from catalogue.publishing.compile import price_facts
from catalogue.services import doubt_of_price, price_references


def check_folder(folder: Folder, findings: Findings, *, are_prices_meant: bool = False) -> None:
    """Adds errors, and irregularities that only this catalogue knows. Nothing is locked.

    Prices far from those that are here are errors, or irregularities where they are meant.
    """
    for (file, line), row in _rows(folder):
        try:
            row.clean_fields(exclude={each.name for each in row._meta.fields if each.is_relation})
        except ValidationError as error:
            for name, texts in error.message_dict.items():
                findings.add(Kind.ERROR, file, line, name, " ".join(texts))
    _check_names(folder, findings)
    _check_prices(folder, findings, Kind.PRICE_FAR if are_prices_meant else Kind.ERROR)


def _check_prices(folder: Folder, findings: Findings, kind: Kind) -> None:
    """Beside prices that are here: of the same offering, and of others of its model."""
    at, ids = timezone.now(), dict(Model.objects.values_list("public_id", "pk"))
    here = price_references()
    own = {
        (id_, slug, name): pk
        for pk, id_, slug, name in Offering.objects.values_list(
            "pk", "model__public_id", "provider__slug", "upstream_name"
        )
    }
    for entry in folder.offerings:
        others = here.get(ids.get(entry.key[0], 0), [])
        offering = Offering(pk=own.get(entry.key))
        for price in entry.prices if others else ():
            facts = price_facts(price_row(offering, price, None))
            if doubt := doubt_of_price(offering, facts, others, at=at):
                findings.add(kind, *price.place, "price", f"{doubt} --confirm-prices takes it.")


def _rows(folder: Folder) -> list[tuple[Origin, Any]]:
    """As they would be made."""
    rows: list[tuple[Origin, Any]] = [
        *((entry.place, Organisation(**organisation_fields(entry))) for entry in folder.organisations),
        *((entry.place, new_model(entry)) for entry in folder.models),
        *((entry.place, provider_row(entry)) for entry in folder.providers),
        *((entry.place, Alias(name=entry.name)) for entry in folder.aliases),
    ]
    for entry in folder.offerings:
        offering = Offering(upstream_name=entry.key[2], **entry.facts)
        rows.append((entry.place, offering))
        rows += [(price.place, price_row(offering, price, None)) for price in entry.prices]
    return rows


def _check_names(folder: Folder, findings: Findings) -> None:
    """A name means one model, in the folder and here together."""
    ids = {model.id for model in folder.models}
    aliases = dict(Alias.objects.values_list("name", "model__public_id"))
    for model in folder.models:
        if model.id in aliases:
            findings.add(
                Kind.ERROR, *model.place, "id", f"{model.id!r} is an alias of {aliases[model.id]!r} here."
            )
    routes = set(Route.objects.values_list("public_id", flat=True))
    for model in folder.models:
        if model.id in routes:
            findings.add(Kind.ERROR, *model.place, "id", f"{model.id!r} is a named route here.")
    ids.update(Model.objects.values_list("public_id", flat=True))
    for alias in folder.aliases:
        holder = alias.name if alias.name in ids else aliases.get(alias.name, alias.model_id)
        if holder != alias.model_id:
            findings.add(
                Kind.ALIAS_TAKEN, *alias.place, "alias", f"{alias.name!r} means {holder!r} here, and stays."
            )
