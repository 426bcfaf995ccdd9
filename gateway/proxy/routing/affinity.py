"""Which way holds the cache of a prompt's beginning: calls that share it stay there, while it does well."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

import orjson

from providers.facts import Way

LEAST_TOKENS = 1_024
"""Shorter prompts are kept by no provider (OpenAI's and Anthropic's guides of prompt caching, November 2026)."""
KEPT_S = 300.0
"""So long providers keep a prompt that nobody asks for again; likewise."""
_MOST = 10_000
_BEGINNING_BYTES = 4 * LEAST_TOKENS
_IN_ORDER = (
    *("tools", "system", "instructions", "systemInstruction", "system_instruction"),
    *("messages", "input", "contents", "prompt"),
)
"""Members of the bodies of all formats that make up a prompt, as providers put them together."""


class Affinity:
    """Of this process. Keeps the marks used last; times are monotonic."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._kept: OrderedDict[bytes, tuple[Way, float]] = OrderedDict()

    def find(self, mark: bytes, at: float) -> Way | None:
        kept = self._kept.get(mark)
        return kept[0] if kept is not None and at < kept[1] else None

    def learn(self, mark: bytes, way: Way, at: float) -> None:
        """A prompt with this mark was answered there."""
        self._kept[mark] = way, at + KEPT_S
        self._kept.move_to_end(mark)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def __len__(self) -> int:
        return len(self._kept)


def prompt_mark(team_id: int, name: str, body: Mapping[str, Any]) -> bytes:
    """The same for a team's prompts to a model that have their first thousand tokens in common."""
    digest = blake2b(f"{team_id}\n{name}\n".encode(), digest_size=16)
    room = _BEGINNING_BYTES
    for piece in _pieces(body):
        digest.update(piece[:room])
        room -= len(piece)
        if room <= 0:
            break
    return digest.digest()


def _pieces(body: Mapping[str, Any]) -> Iterator[bytes]:
    """One by one, so that what follows the beginning is never written."""
    for name in _IN_ORDER:
        value = body.get(name)
        if value is not None:
            yield name.encode()
            for each in value if isinstance(value, list) else (value,):
                yield orjson.dumps(each)
