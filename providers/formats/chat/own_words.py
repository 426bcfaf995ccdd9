"""What a client of this format said goes to a provider of it word for word, but for thoughts that it would refuse."""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from providers.formats.chat.reasoning import MEMBERS, thoughts_for

_QUIRKS = frozenset({"reasoning_input", "no_reasoning_input", "wants_reasoning_input"})


def own_messages(
    messages: Sequence[Mapping[str, Any]], quirks: Set[str], translated: list[str]
) -> Sequence[Mapping[str, Any]]:
    """Clients send thoughts back under the name by which they came, whoever had them. `translated` is added to."""
    if _QUIRKS.isdisjoint(quirks):
        return messages
    own = []
    for message in messages:
        kept = thoughts_for(quirks, message) if message.get("role") == "assistant" else {}
        translated += (note for note in _notes(message, kept) if note not in translated)
        own.append(_without_thoughts(message) | kept)
    return own


def _without_thoughts(message: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in message.items() if name not in MEMBERS}


def _notes(message: Mapping[str, Any], kept: Mapping[str, Any]) -> list[str]:
    words = f"messages.{next(iter(kept))}" if kept else "left out"
    return [f"messages.{name} -> {words}" for name in MEMBERS if message.get(name) and name not in kept]
