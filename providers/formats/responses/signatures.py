"""Carries other formats' signatures in `encrypted_content`, the one member that Responses clients give back.

What the provider of Responses itself encrypted is bound to its item's id, so that travels inside as well.
"""

import base64
import binascii
from typing import Any

import orjson

from providers.wire.conversation import Reasoning
from providers.wire.events import ReasoningSigned

ORIGIN = "responses"
OF_CALL = "call_signature"
"""The id of a signature that belongs to the call behind it: calls have none of their own here."""
_MARK = "gh1."
_MEMBERS = ("signature", "encrypted", "origin", "id")


def write_signature(signed: ReasoningSigned) -> str | None:
    """For a client. None where there is nothing to give back."""
    if not (signed.signature or signed.encrypted):
        return None
    members = {name: getattr(signed, name) for name in _MEMBERS if getattr(signed, name)}
    return _MARK + base64.urlsafe_b64encode(orjson.dumps(members)).decode()


def read_signature(text: str, encrypted: str | None, item_id: str | None) -> Reasoning:
    """Of a client's reasoning item with this `text`."""
    members = _open(encrypted)
    if members is None:
        return Reasoning(text, encrypted=encrypted, origin=ORIGIN, id=item_id)
    given = {name: members[name] for name in _MEMBERS if isinstance(members.get(name), str)}
    return Reasoning(text, **given)


def _open(encrypted: str | None) -> dict[str, Any] | None:
    """None for what is not ours, or was changed on its way."""
    if encrypted is None or not encrypted.startswith(_MARK):
        return None
    try:
        members = orjson.loads(base64.urlsafe_b64decode(encrypted.removeprefix(_MARK)))
    except (binascii.Error, ValueError):
        return None
    return members if isinstance(members, dict) else None
