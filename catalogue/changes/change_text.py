"""Changes of models in sentences for people. Pure."""

from collections.abc import Mapping
from typing import Any

from catalogue.changes.differences import FieldChange
from catalogue.changes.model_changes import Change, Kind
from catalogue.facts import ModelFacts
from catalogue.instants import date_text

_FIELDS_TOLD = 5
_VALUE_SHOWN = 80
_TOLD: Mapping[Kind, str] = {
    Kind.ADDED: "is in the catalogue",
    Kind.ANNOUNCED: "is announced",
    Kind.RELEASED: "is released",
    Kind.DEPRECATED: "is deprecated",
    Kind.RETIRED: "is retired",
    Kind.WITHDRAWN: "is withdrawn from the catalogue",
}


def tell_change(change: Change, successor: ModelFacts | None) -> str:
    """One sentence, as news of the day on which it happens."""
    model = change.model
    if change.kind in {Kind.REPRICED, Kind.CHANGED}:
        told = "; ".join(map(tell_field, change.fields[:_FIELDS_TOLD]))
        more = len(change.fields) - _FIELDS_TOLD
        news = "has new prices" if change.kind is Kind.REPRICED else "changed"
        return f"{model.noun} '{model.id}' {news}: {told}{f'; and {more} more' if more > 0 else ''}."
    advice = f"; use '{successor.id}'" if successor else ""
    return f"{model.noun} '{model.id}' {_TOLD[change.kind]}{_upcoming(change)}{advice}."


def tell_field(change: FieldChange) -> str:
    return f"{change.field} {_shown(change.before)} → {_shown(change.after)}"


def _upcoming(change: Change) -> str:
    model = change.model
    if change.kind is Kind.ANNOUNCED:
        return f" for {date_text(model.release_at)}"
    if change.kind is Kind.DEPRECATED and model.retirement_at:
        return f" and will be retired on {date_text(model.retirement_at)}"
    return ""


def _shown(value: Any) -> str:
    if value is None or value in ([], {}):
        return "none"
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _VALUE_SHOWN else f"{text[:_VALUE_SHOWN]}…"
