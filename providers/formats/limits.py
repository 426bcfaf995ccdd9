"""What each wire format takes of names, ids and schemas of tools: the one table of it. Pure.

Sources: OpenAI's errors (`string_above_max_length` for ids of calls; "must have type 'object' and not have 'oneOf' …
at the top level"), https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use and Anthropic's
errors ("does not support oneOf, allOf, or anyOf at the top level", "Property keys should match pattern", both of the
root alone, and ids of `^[a-zA-Z0-9_-]+$`), and FunctionDeclaration in https://ai.google.dev/api/caching (November
2026). The shorter one stands where models or editions of an API differ.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.formats.answer_tool import ANSWER_TOOL

LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Limits:
    """`names` and `ids` are taken as they are, `longest_id` is in characters.

    The schema of a tool's arguments is an object's; `roots` are words that may not stand in it itself, `members` the
    names that its own members may have, None: any.
    """

    names: re.Pattern[str]
    ids: re.Pattern[str]
    longest_id: int
    roots: frozenset[str]
    members: re.Pattern[str] | None = None

    def take_name(self, name: str) -> bool:
        return name != ANSWER_TOOL and self.names.fullmatch(name) is not None

    def take_id(self, call_id: str) -> bool:
        return self.ids.fullmatch(call_id) is not None

    def take_root(self, schema: Mapping[str, Any] | None) -> bool:
        if not schema:
            return True
        if schema.get("type", "object") != "object" or not self.roots.isdisjoint(schema):
            return False
        members = schema.get("properties")
        return (
            self.members is None or not isinstance(members, dict) or all(map(self.members.fullmatch, members))
        )


_WORD = re.compile(rf"[A-Za-z0-9_-]{{1,{LONGEST_NAME}}}")
_UNIONS = frozenset({"oneOf", "anyOf", "allOf", "$ref"})
_OF_OPENAI = _UNIONS | {"enum", "not"}

LIMITS: Mapping[str, Limits] = {
    "openai": Limits(_WORD, re.compile(r".{1,40}", re.DOTALL), 40, _OF_OPENAI),
    "responses": Limits(_WORD, re.compile(r".{1,64}", re.DOTALL), 64, _OF_OPENAI),
    "anthropic": Limits(_WORD, _WORD, 64, _UNIONS, re.compile(r"[a-zA-Z0-9_.-]{1,64}")),
    "gemini": Limits(
        re.compile(rf"[A-Za-z_][A-Za-z0-9_.:-]{{0,{LONGEST_NAME - 1}}}"),
        re.compile(r".{1,128}", re.DOTALL),
        128,
        frozenset({"$ref"}),
    ),
}
_HASH_CHARS = 8
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")


def shortened(word: str, seed: str, longest: int) -> str:
    """What every format takes as a name or an id: the beginning of `word`, told apart by a hash of `seed`."""
    digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_CHARS]
    kept = _UNFIT.sub("_", word) or "call"
    kept = kept if kept[0].isalpha() or kept[0] == "_" else f"_{kept}"
    return f"{kept[: longest - _HASH_CHARS - 1]}_{digest}"
