"""Carries what proves thoughts in Gemini's one field for it, also for thoughts that another format's model had."""

import base64
import binascii
from typing import Any

import orjson

from providers.wire.events import ReasoningSigned

ORIGIN = "gemini"
UNSIGNED = "skip_thought_signature_validator"
"""Stands in for the signature of a call that Gemini did not make itself; Gemini 3 refuses a call without any.

Source: https://ai.google.dev/gemini-api/docs/thought-signatures (November 2026).
"""
_FOREIGN = b"foreign:"


def read_signature(text: str) -> ReasoningSigned | None:
    """None for the stand-in, which proves nothing."""
    if text == UNSIGNED:
        return None
    foreign = _read_foreign(text)
    if foreign is None:
        return ReasoningSigned(text, origin=ORIGIN)
    origin, signature, encrypted, name = foreign
    return ReasoningSigned(signature, encrypted, origin, name)


def write_signature(signed: ReasoningSigned) -> str | None:
    """For a client, who gives it back unread. Wrapped where it is not Gemini's own, so that Gemini never gets it."""
    if signed.origin == ORIGIN:
        return signed.signature
    if not signed.signature and not signed.encrypted:
        return None
    inside = orjson.dumps([signed.origin, signed.signature, signed.encrypted, signed.id])
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
