"""Carries what signs thoughts of other formats through Anthropic's one field for it, the signature.

A foreign signature is `origin:kind:id:value`; Anthropic's own are base64 and have no colon.
"""

import re

from providers.wire.conversation import Reasoning
from providers.wire.events import ReasoningSigned

ORIGIN = "anthropic"
OF_CALL = "call_signature"
"""The id of a signature that belongs to the tool call behind it: Anthropic's calls have none of their own."""
_FOREIGN = re.compile(r"([a-z_.]+):([se]):([^:]*):(.*)", re.DOTALL)


def write_signature(signed: ReasoningSigned | Reasoning) -> str:
    """The signature of a thinking block, empty where nothing has to be given back."""
    if signed.origin == ORIGIN or not (signed.signature or signed.encrypted or signed.id):
        return signed.signature or ""
    kind, value = ("e", signed.encrypted) if signed.encrypted else ("s", signed.signature or "")
    return f"{signed.origin}:{kind}:{signed.id or ''}:{value}"


def read_signature(signature: str) -> ReasoningSigned:
    match = _FOREIGN.fullmatch(signature)
    if match is None:
        return ReasoningSigned(signature or None, origin=ORIGIN if signature else "")
    origin, kind, item, value = match.groups()
    if kind == "e":
        return ReasoningSigned(encrypted=value, origin=origin, id=item or None)
    return ReasoningSigned(value or None, origin=origin, id=item or None)
