"""Thoughts in chat messages and what proves them: `reasoning_content`, `reasoning`, `reasoning_details`; signed calls.

The first two are plain text as DeepSeek and Groq name it. Source of the third: OpenRouter's documentation
(https://openrouter.ai/docs/use-cases/reasoning-tokens, November 2026); `format` says who can read a signature.
Calls are signed in the member in which Google's chat endpoint sends and wants that, `extra_content.google.
thought_signature`: ai.google.dev/gemini-api/docs/thought-signatures (November 2026).
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from providers.formats.openai.vendors import visible_reasoning
from providers.wire.conversation import Reasoning
from providers.wire.quirks import quirk

ORIGIN = "openai"
_FORMATS = {
    "anthropic": "anthropic-claude-v1",
    "responses": "openai-responses-v1",
    "gemini": "google-gemini-v1",
}
_ORIGINS = {value: name for name, value in _FORMATS.items()}
MEMBERS = ("reasoning_content", "reasoning", "reasoning_details")
"""Of an assistant's message."""
_FAMILIES = {"gemini": "google"}
_ORIGINS_OF_CALLS = {family: origin for origin, family in _FAMILIES.items()}


DETAILS = quirk(
    "reasoning_details", "Takes reasoning of earlier turns back as OpenRouter's reasoning details"
)
"""Signed thoughts go back as they came, whoever made them."""
_NO_INPUT = quirk("no_reasoning_input", "Refuses reasoning of earlier turns")
_INPUT = quirk(
    "reasoning_input", "Takes reasoning of earlier turns back as reasoning, and refuses reasoning_content"
)
# An empty text is refused too (https://github.com/NousResearch/hermes-agent/pull/18263).
_WANTS_INPUT = quirk(
    "wants_reasoning_input", "Wants reasoning with every earlier turn of the model: a space stands for none"
)
INPUT_QUIRKS = frozenset({_INPUT, _NO_INPUT, _WANTS_INPUT})


def read_reasoning(message: Mapping[str, Any]) -> list[Reasoning]:
    """Of a message, whichever of the three conventions it follows."""
    visible = visible_reasoning(message)
    thoughts = read_details(message.get("reasoning_details"))
    if not thoughts:
        return [Reasoning(visible, origin=ORIGIN)] if visible else []
    if visible and not any(thought.text for thought in thoughts):
        thoughts[0] = replace(thoughts[0], text=visible)
    return thoughts


def read_details(details: object) -> list[Reasoning]:
    """One for each block of thoughts; an encrypted entry belongs to the text before it of the same index."""
    thoughts: list[Reasoning] = []
    last_index: object = None
    for entry in details if isinstance(details, list) else ():
        if not isinstance(entry, Mapping):
            continue
        thought, index = _read_entry(entry), entry.get("index")
        if thought.encrypted and thoughts and index is not None and index == last_index:
            thoughts[-1] = replace(thought, text=thoughts[-1].text)
        elif thought.text or thought.encrypted or thought.signature:
            thoughts.append(thought)
        last_index = index
    return thoughts


def _read_entry(entry: Mapping[str, Any]) -> Reasoning:
    text = entry.get("text") or entry.get("summary")
    # An unknown format stays itself, and so is never given to any other.
    maker = str(entry.get("format") or ORIGIN)
    return Reasoning(
        text if isinstance(text, str) else "",
        signature=_string(entry.get("signature")),
        encrypted=_string(entry.get("data")),
        origin=_ORIGINS.get(maker, maker),
        id=_string(entry.get("id")),
    )


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def thoughts_for(quirks: Set[str], members: Mapping[str, Any]) -> dict[str, Any]:
    """What of these members a provider of those quirks takes; `reasoning_content` alone where there are none."""
    if _NO_INPUT in quirks:
        return {}
    if DETAILS in quirks:
        return {name: members[name] for name in MEMBERS if name in members}
    name = "reasoning" if _INPUT in quirks else "reasoning_content"
    text = visible_reasoning(members) or (" " if _WANTS_INPUT in quirks else "")
    return {name: text} if text else {}


def write_reasoning(thoughts: Sequence[Reasoning]) -> dict[str, Any]:
    """The members of a message, none where there are no thoughts."""
    if not thoughts:
        return {}
    text = "".join(thought.text for thought in thoughts)
    members: dict[str, Any] = {"reasoning_content": text, "reasoning": text} if text else {}
    return members | {"reasoning_details": write_details(thoughts)}


def write_details(thoughts: Iterable[Reasoning], first_index: int = 0) -> list[dict[str, Any]]:
    return [
        entry
        for index, thought in enumerate(thoughts, first_index)
        for entry in _write_entries(thought, index)
    ]


def _write_entries(thought: Reasoning, index: int) -> list[dict[str, Any]]:
    members: dict[str, Any] = {"index": index}
    if thought.origin and thought.origin != ORIGIN:
        members["format"] = _FORMATS.get(thought.origin, thought.origin)
    if thought.id:
        members["id"] = thought.id
    entries = []
    if thought.text or thought.signature or not thought.encrypted:
        signature = {"signature": thought.signature} if thought.signature else {}
        entries.append({"type": "reasoning.text", "text": thought.text} | signature | members)
    if thought.encrypted:
        entries.append({"type": "reasoning.encrypted", "data": thought.encrypted} | members)
    return entries


def read_signature(content: object) -> tuple[str | None, str]:
    """The signature, and the format that can read it. Of the value of `extra_content`."""
    families: Mapping[str, Any] = content if isinstance(content, Mapping) else {}
    for family, members in families.items():
        signature = members.get("thought_signature") if isinstance(members, Mapping) else None
        if isinstance(signature, str) and signature:
            return signature, _ORIGINS_OF_CALLS.get(family, family)
    return None, ""


def write_signature(signature: str | None, origin: str) -> dict[str, Any]:
    """The members to add to a call."""
    if not signature:
        return {}
    return {"extra_content": {_FAMILIES.get(origin, origin): {"thought_signature": signature}}}
