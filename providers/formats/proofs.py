"""What proves reasoning is told with who issued it, and given back to nobody else. Pure.

A proof is a signature, or thoughts that are encrypted. It means something to its issuer only: a provider, or the
family that its row declares. Clients give back what they were told, so the issuer stands in front of it; those of
Google stay base64, for its SDK decodes them. A proof without an issuer is from before that, and taken as it is.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from providers.formats.gemini.signatures import ORIGIN as GEMINI
from providers.formats.gemini.signatures import standard_base64
from providers.wire.conversation import Conversation, Message, Part, Reasoning, ToolCall
from providers.wire.events import Event, ReasoningSigned, ToolCallStarted

_MARK = "gh2."
_WRAPPED, _WRAPPED_BEGINS = b"issued:", "aXNzdWVkO"
# By member: the types of object whose member is a proof; of any object where there are none.
_MEMBERS: Mapping[str, frozenset[str]] = {
    "signature": frozenset({"thinking", "signature_delta", "reasoning.text"}),
    "data": frozenset({"redacted_thinking", "reasoning.encrypted"}),
    "encrypted_content": frozenset({"reasoning"}),
    "thoughtSignature": frozenset(),
    "thought_signature": frozenset(),
}
# What a model wrote is its own, whatever its members are called.
_NEVER_INSIDE = frozenset({"input", "args", "arguments", "text"})


def seal(proof: str, issuer: str, *, is_base64: bool = False) -> str:
    """The proof as clients are told it."""
    if not (proof and issuer):
        return proof
    if is_base64:
        return base64.b64encode(_WRAPPED + f"{issuer}:{proof}".encode()).decode()
    return f"{_MARK}{issuer}.{proof}"


def unseal(sealed: str) -> tuple[str, str]:
    """The proof, and its issuer; empty where none is told."""
    if sealed.startswith(_MARK):
        issuer, dot, proof = sealed.removeprefix(_MARK).partition(".")
        return (proof, issuer) if dot else (sealed, "")
    if sealed.startswith(_WRAPPED_BEGINS):
        try:
            told = base64.b64decode(standard_base64(sealed), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return sealed, ""
        issuer, colon, proof = told.removeprefix(_WRAPPED.decode()).partition(":")
        return (proof, issuer) if colon else (sealed, "")
    return sealed, ""


def may_have_issuers(raw: bytes) -> bool:
    """Whether a client's body may hold a proof that tells its issuer, itself or inside of what a format carries."""
    # Of each call: four searches for one text take less than half as long as one for any of them.
    return b"gh2." in raw or b"gh1." in raw or b"aXNzdWVkO" in raw or b"Zm9yZWlnbj" in raw


def own_proofs(conversation: Conversation, issuer: str, *, drops_all: bool = False) -> Conversation:
    """The conversation with the issuer's own proofs as it issued them, and without those of others, or without any."""
    messages = tuple(_own_in(message, issuer, drops_all) for message in conversation.messages)
    is_same = all(new is old for new, old in zip(messages, conversation.messages, strict=True))
    return conversation if is_same else replace(conversation, messages=messages)


def _own_in(message: Message, issuer: str, drops_all: bool) -> Message:
    parts = tuple(_own(part, issuer, drops_all) for part in message.parts)
    is_same = all(new is old for new, old in zip(parts, message.parts, strict=True))
    return message if is_same else replace(message, parts=parts)


def _own(part: Part, issuer: str, drops_all: bool) -> Part:
    if isinstance(part, ToolCall) and part.signature:
        signature = _proof(part.signature, issuer, drops_all)
        return replace(part, signature=signature, origin=part.origin if signature else "")
    if isinstance(part, Reasoning) and (part.signature or part.encrypted):
        signature, encrypted = (
            proof and _proof(proof, issuer, drops_all) for proof in (part.signature, part.encrypted)
        )
        is_left = bool(signature or encrypted)
        return replace(part, signature=signature, encrypted=encrypted, origin=part.origin if is_left else "")
    return part


def _proof(sealed: str, issuer: str, drops_all: bool) -> str | None:
    proof, who = unseal(sealed)
    return None if drops_all or who not in ("", issuer) else proof


def with_issuer(events: Sequence[Event], issuer: str) -> Sequence[Event]:
    """An answer's events, for a writer."""
    if not issuer or not any(isinstance(event, (ReasoningSigned, ToolCallStarted)) for event in events):
        return events
    return [_issued(event, issuer) for event in events]


def _issued(event: Event, issuer: str) -> Event:
    if isinstance(event, ToolCallStarted) and event.signature:
        return replace(event, signature=seal(event.signature, issuer, is_base64=event.origin == GEMINI))
    if isinstance(event, ReasoningSigned):
        is_base64 = event.origin == GEMINI
        return replace(
            event,
            signature=event.signature and seal(event.signature, issuer, is_base64=is_base64),
            encrypted=event.encrypted and seal(event.encrypted, issuer, is_base64=is_base64),
        )
    return event


def seal_json(value: Mapping[str, Any], data: bytes, issuer: str) -> bytes:
    """The JSON of an object of an answer, the very same where it holds no proof."""
    return orjson.dumps(_sealed(value, issuer)) if issuer and _may_hold_proof(data) else data


def seal_bytes(data: bytes, issuer: str) -> bytes:
    """The same of an object that is known as its JSON alone."""
    return seal_json(orjson.loads(data), data, issuer) if issuer and _may_hold_proof(data) else data


def _may_hold_proof(data: bytes) -> bool:
    """Of each chunk of a stream: so not by one expression for all the names, which takes three times as long."""
    return (
        b'ignature"' in data
        or b'encrypted_content"' in data
        or b'redacted_thinking"' in data
        or b'reasoning.encrypted"' in data
    )


def _sealed(value: Any, issuer: str) -> Any:
    if isinstance(value, list):
        return [_sealed(item, issuer) for item in value]
    if not isinstance(value, Mapping):
        return value
    kind = value.get("type")
    return {
        name: inner if name in _NEVER_INSIDE else _sealed_member(name, inner, kind, issuer)
        for name, inner in value.items()
    }


def _sealed_member(name: str, value: Any, kind: object, issuer: str) -> Any:
    kinds = _MEMBERS.get(name)
    if kinds is None or not isinstance(value, str) or (kinds and kind not in kinds):
        return _sealed(value, issuer)
    return seal(value, issuer, is_base64=not kinds)
