"""What a client of this format said goes to a provider of it word for word, but for what the provider refuses."""

from collections.abc import Mapping, Sequence
from typing import Any

from providers.formats.responses.seals import ORIGIN, read_seal

_Object = Mapping[str, Any]
# The provider keeps nothing, and looks in vain for those that it named itself. Other items need theirs.
_NAMELESS = frozenset({"message", "function_call", "function_call_output"})


def own_words(said: _Object) -> dict[str, Any]:
    """`said` as in Conversation, without the ids of what was said and without thoughts of other formats' models."""
    items = said.get("input")
    return {**said, "input": _kept_items(items)} if isinstance(items, list) else dict(said)


def _kept_items(items: Sequence[_Object]) -> list[_Object]:
    return [_nameless(item) for item in items if not _is_foreign(item)]


def _nameless(item: _Object) -> _Object:
    if "id" not in item or item.get("type", "message") not in _NAMELESS:
        return item
    return {name: value for name, value in item.items() if name != "id"}


def _is_foreign(item: _Object) -> bool:
    """Thoughts that it cannot read are of no use to a provider, nor are names of those that it did not keep."""
    if item.get("type") != "reasoning":
        return False
    seal = read_seal("", item.get("encrypted_content"), item.get("id"))
    return seal.origin != ORIGIN or not (seal.encrypted or item.get("content"))
