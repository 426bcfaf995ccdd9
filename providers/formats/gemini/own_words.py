"""What a client of this format said goes to a provider of it word for word, but for signatures of other makers."""

from collections.abc import Mapping
from typing import Any

from providers.formats.gemini.config_reader import SCHEMA
from providers.formats.gemini.signatures import ORIGIN, UNSIGNED, read_signature

_Object = Mapping[str, Any]
_SIGNATURES = frozenset({"thoughtSignature", "thought_signature"})
_CALLS = frozenset({"functionCall", "function_call"})


def own_words(said: _Object, *, needs_signatures: bool) -> dict[str, Any]:
    """`said` as in Conversation, but for the answer's schema. `needs_signatures` as in ContentsWriter."""
    contents = [own for content in _listed(said["contents"]) if (own := _own_content(content))["parts"]]
    if needs_signatures:
        contents = [_with_signature(content) for content in contents]
    return {name: value for name, value in said.items() if name != SCHEMA} | {"contents": contents}


def _own_content(content: _Object) -> dict[str, Any]:
    parts = [own for part in _listed(content["parts"]) if (own := _own_part(part))]
    return {**content, "parts": parts}


def _own_part(part: _Object) -> _Object:
    """Empty where there was nothing but a signature of another maker."""
    return {name: value for name, value in part.items() if name not in _SIGNATURES or not _is_foreign(value)}


def _is_foreign(signature: Any) -> bool:
    """None at all, too. What is no text is for Google to refuse."""
    if not signature:
        return True
    seal = read_signature(signature) if isinstance(signature, str) else None
    return seal is not None and seal.origin != ORIGIN


def _with_signature(content: dict[str, Any]) -> dict[str, Any]:
    """The first call of a turn bears one."""
    parts = list(content["parts"])
    for number, part in enumerate(parts):
        if not _CALLS.isdisjoint(part):
            if _SIGNATURES.isdisjoint(part):
                parts[number] = {**part, "thoughtSignature": UNSIGNED}
            break
    return {**content, "parts": parts}


def _listed(value: Any) -> list[_Object]:
    """A single object stands for an array of one, as it does at Google."""
    return value if isinstance(value, list) else [value]
