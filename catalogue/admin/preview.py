"""The record as it would be published, beside the one that is live. Pure."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from catalogue.changes.differences import FieldChange
from catalogue.changes.price_text import readable_differences
from catalogue.facts import ModelFacts
from catalogue.models import Model
from catalogue.published.content import facts_from_content
from catalogue.published.record import record
from catalogue.published.snapshot import Snapshot
from catalogue.publishing.compile import compile_model

_short_list = re.compile(r"\[\n\s+([^\[\]{}]*?)\n\s*\]")
_between = re.compile(r",\n\s+")


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the record as JSON. `live` is what clients see there now; None where that is the same."""

    text: str
    live: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """`changes` are the facts that publishing would change; empty where it is live as edited."""

    members: Sequence[Member]
    changes: Sequence[FieldChange]


def preview(model: Model, snapshot: Snapshot, at: datetime) -> Preview:
    """Of a model fetched by complete() that has no problems; the switches are as they are now."""
    facts, live = facts_of(model), snapshot.models.get(model.public_id)
    edited = replace(snapshot, models={**snapshot.models, facts.id: facts})
    before = record(live, snapshot, at) if live else {}
    return Preview(
        members=_members(record(facts, edited, at), before),
        changes=list(readable_differences(live, facts)) if live else [],
    )


def facts_of(model: Model) -> ModelFacts:
    """As publishing would make them, with the offerings' switches."""
    facts = facts_from_content(compile_model(model))
    if model.is_route:
        return facts
    on = {offering.pk: offering.is_enabled for offering in model.offerings.all()}
    offerings = (replace(offering, is_enabled=on[offering.id]) for offering in facts.offerings)
    return replace(facts, offerings=tuple(offerings))


def _members(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[Member]:
    last = list(new)[-1]
    return [
        Member(
            text=_json(name, value) + ("" if name == last else ","),
            live=_json(name, old[name]) if name in old and old[name] != value else None,
        )
        for name, value in new.items()
    ]


def _json(name: str, value: Any) -> str:
    """`"name": value`, its further lines indented as inside an object."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return f'"{name}": {_short_list.sub(_on_one_line, text)}'


def _on_one_line(found: re.Match[str]) -> str:
    # No string of JSON holds a line's end.
    return f"[{_between.sub(', ', found[1])}]"
