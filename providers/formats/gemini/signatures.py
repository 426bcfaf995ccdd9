"""Carries what proves thoughts in Gemini's one field for it, also for thoughts that another format's model had."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import orjson

ORIGIN = "gemini"
UNSIGNED = "skip_thought_signature_validator"
"""Stands in for the signature of a call that Gemini did not make itself; Gemini 3 refuses a call without any.

Source: https://ai.google.dev/gemini-api/docs/thought-signatures (November 2026).
"""
_FOREIGN = b"foreign:"


@dataclass(frozen=True, slots=True)
class Seal:
    """See conversation.Reasoning."""

    signature: str | None = None
    encrypted: str | None = None
    origin: str = ""
    id: str | None = None


def read_signature(text: str) -> Seal | None:
    """None for the stand-in, which proves nothing."""
    if text == UNSIGNED:
        return None
    foreign = _read_foreign(text)
    if foreign is None:
        return Seal(text, origin=ORIGIN)
    origin, signature, encrypted, name = foreign
    return Seal(signature, encrypted, origin, name)


def write_signature(seal: Seal) -> str | None:
    """For a client, who gives it back unread. Wrapped where it is not Gemini's own, so that Gemini never gets it."""
    if seal.origin == ORIGIN:
        return seal.signature
    if not seal.signature and not seal.encrypted:
        return None
    inside = orjson.dumps([seal.origin, seal.signature, seal.encrypted, seal.id])
    return base64.b64encode(_FOREIGN + inside).decode()


def _read_foreign(text: str) -> Any:
    # Google's SDK reads the field as bytes and writes it again in the URL-safe alphabet.
    if not text.startswith("Zm9yZWlnbj"):
        return None
    try:
        data = base64.b64decode(standard_base64(text), validate=True)
        inside = orjson.loads(data.removeprefix(_FOREIGN)) if data.startswith(_FOREIGN) else None
    except (binascii.Error, orjson.JSONDecodeError):
        return None
    is_ours = (
        isinstance(inside, list) and len(inside) == 4 and all(isinstance(each, str | None) for each in inside)
    )
    return inside if is_ours else None


def standard_base64(text: str) -> str:
    """In the alphabet, and with the padding, that every other format expects."""
    text = text.rstrip("=").replace("-", "+").replace("_", "/")
    return text + "=" * (-len(text) % 4)
