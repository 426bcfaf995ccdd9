"""What stands against writing a folder: values that no column takes, and names that are taken here."""

from typing import Any

from django.core.exceptions import ValidationError

from catalogue.importing.entries import Folder, Origin
from catalogue.importing.findings import Findings, Kind
from catalogue.importing.rows import new_model, organisation_fields, price_row, provider_row
from catalogue.models import Alias, Model, Offering, Organisation


def check_folder(folder: Folder, findings: Findings) -> None:
    """Adds errors, and irregularities that only this catalogue knows. Nothing is locked."""
    for (file, line), row in _rows(folder):
        try:
            row.clean_fields(exclude={each.name for each in row._meta.fields if each.is_relation})
        except ValidationError as error:
            for name, texts in error.message_dict.items():
                findings.add(Kind.ERROR, file, line, name, " ".join(texts))
    _check_names(folder, findings)


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
    ids.update(Model.objects.values_list("public_id", flat=True))
    for alias in folder.aliases:
        holder = alias.name if alias.name in ids else aliases.get(alias.name, alias.model_id)
        if holder != alias.model_id:
            findings.add(
                Kind.ALIAS_TAKEN, *alias.place, "alias", f"{alias.name!r} means {holder!r} here, and stays."
            )
