"""Carries what seals thoughts of other formats through Anthropic's one field for it, the signature.

A foreign seal is `origin:kind:id:value`; Anthropic's own are base64 and have no colon.
"""

import re

from providers.wire.conversation import Reasoning
from providers.wire.events import ReasoningSealed

ORIGIN = "anthropic"
OF_CALL = "call_signature"
"""The id of a seal that belongs to the tool call behind it: Anthropic's calls have no signature of their own."""
_FOREIGN = re.compile(r"([a-z_.]+):([se]):([^:]*):(.*)", re.DOTALL)


def write_seal(seal: ReasoningSealed | Reasoning) -> str:
    """The signature of a thinking block, empty where nothing has to be given back."""
    if seal.origin == ORIGIN or not (seal.signature or seal.encrypted or seal.id):
        return seal.signature or ""
    kind, value = ("e", seal.encrypted) if seal.encrypted else ("s", seal.signature or "")
    return f"{seal.origin}:{kind}:{seal.id or ''}:{value}"


def read_seal(signature: str) -> ReasoningSealed:
    match = _FOREIGN.fullmatch(signature)
    if match is None:
        return ReasoningSealed(signature or None, origin=ORIGIN if signature else "")
    origin, kind, item, value = match.groups()
    if kind == "e":
        return ReasoningSealed(encrypted=value, origin=origin, id=item or None)
    return ReasoningSealed(value or None, origin=origin, id=item or None)
