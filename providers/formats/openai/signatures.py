"""Signatures of tool calls, in the member in which Google's chat endpoint sends and wants them.

Source: ai.google.dev/gemini-api/docs/thought-signatures (November 2026): `extra_content.google.thought_signature`.
"""

from collections.abc import Mapping
from typing import Any

_FAMILIES = {"gemini": "google"}
_ORIGINS = {family: origin for origin, family in _FAMILIES.items()}


def read_signature(content: object) -> tuple[str | None, str]:
    """The signature, and the format that can read it. Of the value of `extra_content`."""
    families: Mapping[str, Any] = content if isinstance(content, Mapping) else {}
    for family, members in families.items():
        signature = members.get("thought_signature") if isinstance(members, Mapping) else None
        if isinstance(signature, str) and signature:
            return signature, _ORIGINS.get(family, family)
    return None, ""


def write_signature(signature: str | None, origin: str) -> dict[str, Any]:
    """The members to add to a call."""
    if not signature:
        return {}
    return {"extra_content": {_FAMILIES.get(origin, origin): {"thought_signature": signature}}}
