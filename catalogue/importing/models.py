"""Reading organisations, models and aliases."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from catalogue.importing.entries import AliasEntry, ModelEntry, OrganisationEntry
from catalogue.importing.findings import Kind
from catalogue.importing.source import Row
from catalogue.importing.translation import RETIRED, UNRELEASED

_MONTH = re.compile(r"\d{4}-\d{2}")
_DATES = ("announced_date", "release_date", "deprecation_date", "retirement_date")
_LIVES = {
    "release_at": "release_date",
    "deprecation_at": "deprecation_date",
    "retirement_at": "retirement_date",
}


def read_organisation(row: Row) -> OrganisationEntry:
    entry = OrganisationEntry(
        row.place,
        id=row.required("id"),
        name=row.required("name"),
        colour=row.text("colour"),
        website=row.text("website"),
        country_code=row.text("country_code"),
    )
    row.close()
    return entry


def read_alias(row: Row) -> AliasEntry | None:
    """None for one that is switched off there, which is reported."""
    entry = AliasEntry(row.place, row.required("alias"), row.required("target_model_id"))
    is_enabled = row.flag("enabled")
    row.skip("target_known")
    row.close()
    if is_enabled is False:
        row.note(Kind.NOT_KEPT, "enabled", "The alias is switched off.")
        return None
    return entry


def read_model(row: Row) -> ModelEntry:
    public_id, organisation_id, status = (
        row.required("id"),
        row.required("organisation_id"),
        row.text("status"),
    )
    prefix = public_id.partition("/")[0]
    if prefix != organisation_id:
        row.note(
            Kind.OTHER_ORGANISATION, "organisation_id", f"{organisation_id!r}; the id counts: {prefix!r}."
        )
    dates = {name: row.moment(name) for name in _DATES}
    life = _life(row, dates)
    entry = ModelEntry(
        row.place,
        id=public_id,
        organisation_id=prefix,
        name=row.required("name"),
        facts={name: value for name, value in {**life, **_facts(row)}.items() if value not in (None, "", [])},
        successor_id=row.text("replacement_model_id"),
        previous_id=row.text("previous_model_id"),
        is_withheld=_is_withheld(row, status, dates),
    )
    row.close()
    return entry


def _facts(row: Row) -> Mapping[str, Any]:
    return {
        "input_types": list(row.words("input_types")),
        "output_types": list(row.words("output_types")),
        "context_length": row.count("context_length"),
        "max_output_tokens": row.count("max_output_tokens"),
        "open_weights": row.flag("open_weights"),
        "licence": row.text("license"),
        "knowledge_cutoff": _cutoff(row),
    }


def _cutoff(row: Row) -> date | None:
    """A month counts until its first day; what is not a day at all is not kept."""
    text = row.text("knowledge_cutoff")
    if not text:
        return None
    try:
        return date.fromisoformat(f"{text}-01" if _MONTH.fullmatch(text) else text[:10])
    except ValueError:
        row.note(Kind.UNCLEAR_DAY, "knowledge_cutoff", f"{text!r} is not a day.")
        return None


def _life(row: Row, dates: Mapping[str, datetime | None]) -> Mapping[str, datetime | None]:
    """The dates that are kept. Where two contradict each other the earlier stage is left out, for the later binds."""
    known = [(name, at) for name, at in dates.items() if at is not None]
    wrong = [earlier for (earlier, begins), (_later, ends) in pairwise(known) if ends < begins]
    if wrong:
        row.note(
            Kind.DATES_OUT_OF_ORDER, wrong[0], f"{dates[wrong[0]]:%Y-%m-%d} is after the date that follows."
        )
    return {column: None if name in wrong else dates[name] for column, name in _LIVES.items()}


def _is_withheld(row: Row, status: str, dates: Mapping[str, datetime | None]) -> bool:
    if status == RETIRED and dates["retirement_date"] is None:
        row.note(
            Kind.RETIRED_WITHOUT_DATE, "status", "Retired, and nobody knows since when: offerings are off."
        )
        return True
    if status in UNRELEASED and dates["release_date"] is None:
        row.note(
            Kind.UNRELEASED_WITHOUT_DATE,
            "status",
            f"{status}, and nobody knows until when: offerings are off.",
        )
        return True
    return False


def check_references(models: Mapping[str, tuple[ModelEntry, Row]]) -> Iterator[ModelEntry]:
    """The models, each with only those references that lead somewhere."""
    for entry, row in models.values():
        successor, previous = entry.successor_id, entry.previous_id
        if previous and previous not in models:
            row.note(Kind.UNKNOWN_PREVIOUS, "previous_model_id", f"There is no model {previous!r}.")
            previous = ""
        if successor and successor not in models:
            row.note(Kind.UNKNOWN_SUCCESSOR, "replacement_model_id", f"There is no model {successor!r}.")
            successor = ""
        yield replace(entry, successor_id=successor, previous_id=previous)
