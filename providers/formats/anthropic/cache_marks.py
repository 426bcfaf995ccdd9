"""Marks up to which a prompt may be cached, both ways."""

from collections.abc import Iterable
from typing import Any

from providers.formats.fields import Fields
from providers.wire.conversation import CacheMark

MOST_MARKS = 4
_TTLS = frozenset({None, "5m", "1h"})


def read_cache_mark(fields: Fields) -> CacheMark | None:
    # Most have none, which is quickly seen.
    if "cache_control" not in fields.value or (control := fields.part("cache_control")) is None:
        return None
    if control.needed("type") != "ephemeral":
        raise control.wrong("type", "has to be 'ephemeral'")
    ttl = control.text("ttl")
    if ttl not in _TTLS:
        raise control.wrong("ttl", "has to be '5m' or '1h'")
    control.end()
    return CacheMark(ttl)


def write_cache_mark(mark: CacheMark | None) -> dict[str, Any]:
    """The member of a block. A time that Anthropic does not have becomes its longest."""
    if mark is None:
        return {}
    ttl = mark.ttl if mark.ttl in _TTLS else "1h"
    return {"cache_control": {"type": "ephemeral"} | ({"ttl": ttl} if ttl else {})}


def has_other_ttl(marks: Iterable[CacheMark]) -> bool:
    return any(mark.ttl not in _TTLS for mark in marks)
