"""Events as golden files hold them."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from providers.wire.events import Event
from providers.wire.usage import Usage


def told(events: Sequence[Event]) -> list[list[Any]]:
    """The kind of each, and the members that are not at their default."""
    return [[type(event).__name__, _members(event)] for event in events]


def _members(value: Any) -> dict[str, Any]:
    shown = {field.name: getattr(value, field.name) for field in fields(value)}
    shown = {name: member for name, member in shown.items() if member not in (None, "", (), 0, False)}
    return {name: _plain(member) for name, member in shown.items()}


def _plain(member: Any) -> Any:
    if isinstance(member, Usage):
        return _members(member)
    return list(member) if isinstance(member, tuple) else member
