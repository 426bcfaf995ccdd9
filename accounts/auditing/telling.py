"""An entry of the audit as it is told: over REST, in an export, and to a SIEM. Near OpenAI's audit log.

Source: https://platform.openai.com/docs/api-reference/audit-logs. Where OpenAI has a field named as the event, there
are `target`, what the act was on, and `changes`, the fields before and after.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from accounts.auditing.events import kind_of, name_event
from accounts.models import AuditEntry, Key, Team

_NAMED_BY = {"key": (Key, "public_id"), "team": (Team, "slug")}
"""Of which kinds the API knows rows by another id than their number."""


def tell_all(entries: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    """For a fixed number of queries. Teams come with the entries."""
    names = {
        kind: model._default_manager.in_bulk([entry.object_id for entry in entries if _kind(entry) == kind])
        for kind, (model, _) in _NAMED_BY.items()
    }
    return [_tell(entry, names) for entry in entries]


def as_lines(entries: Sequence[AuditEntry]) -> str:
    """Each as JSON on a line of its own."""
    return "".join(f"{orjson.dumps(told).decode()}\n" for told in tell_all(entries))


def tell_changes(changes: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    """By field: before and after. What rows were added or removed is a list."""
    return {name: _pair(change) for name, change in sorted((changes or {}).items())}


def _tell(entry: AuditEntry, names: Mapping[str, Mapping[Any, Any]]) -> dict[str, Any]:
    kind = _kind(entry)
    row = names.get(kind, {}).get(entry.object_id)
    return {
        "id": f"aud_{entry.pk}",
        "object": "audit_entry",
        "type": event_of(entry),
        "effective_at": int(entry.timestamp.timestamp()),
        "actor": _actor(entry),
        "team": entry.team.slug if entry.team else None,
        "request_id": entry.request_id or None,
        "target": {
            "type": kind,
            "id": getattr(row, _NAMED_BY[kind][1]) if row else entry.object_pk,
            "name": entry.object_repr,
        },
        "changes": tell_changes(entry.changes),
    }


def event_of(entry: AuditEntry) -> str:
    return entry.event or name_event(entry.content_type.name, entry.action, entry.changes)


def _kind(entry: AuditEntry) -> str:
    return kind_of(entry.content_type.name)


def _actor(entry: AuditEntry) -> dict[str, Any]:
    """People act in sessions, as OpenAI says it."""
    match entry.actor_kind:
        case AuditEntry.Kind.KEY:
            return {
                "type": "api_key",
                "api_key": {"id": entry.key, "name": entry.actor_name},
                "ip_address": entry.remote_addr,
            }
        case AuditEntry.Kind.PERSON:
            user = {"id": entry.actor_name, "email": entry.actor_email or None}
            return {"type": "session", "session": {"user": user, "ip_address": entry.remote_addr}}
    kind = entry.actor_kind or AuditEntry.Kind.GATEWAY.value
    return {"type": kind, "name": entry.actor_name or None, "ip_address": entry.remote_addr}


def _pair(change: Any) -> dict[str, Any]:
    if isinstance(change, dict):
        rows, is_added = change.get("objects", []), change.get("operation") == "add"
        return {"before": [], "after": rows} if is_added else {"before": rows, "after": []}
    before, after = change if isinstance(change, list | tuple) and len(change) == 2 else (None, change)
    return {"before": _value(before), "after": _value(after)}


def _value(value: Any) -> Any:
    """The library writes None as a word."""
    return None if value == "None" else value
