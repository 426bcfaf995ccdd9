"""What becomes of a client's own fields that have no place in the format between all formats."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from providers.formats.base import CannotTranslate
from providers.formats.wording import in_order
from providers.wire.conversation import Conversation

# OpenAI's two formats have these in common.
_CACHE_SETTINGS = ("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention")
_CHOICES = frozenset({"n", "candidateCount", "candidate_count"})


def refuse_choices(conversation: Conversation) -> None:
    """Where an answer is written anew, it is one. Raises CannotTranslate for a request of several."""
    for path, value in conversation.extra.items():
        if path.rpartition(".")[2] in _CHOICES and value is not None and value != 1:
            raise CannotTranslate(f"The chosen provider gives one answer only: '{path}'.", param=path)


def in_place(
    body: dict[str, Any],
    conversation: Conversation,
    said: Mapping[str, Any] = MappingProxyType({}),
    *,
    rename: Callable[[str], str] = str,
) -> dict[str, Any]:
    """For a writer of the same format: with what of `extra` only that knows, all in its client's order.

    `rename` makes a client's path the writer's; `said` are members that it wrote itself from what is in `extra` too.
    """
    for path, value in conversation.extra.items():
        _put(body, rename(path).split("."), value)
    body |= said
    return in_order(body, conversation.wording.value) if conversation.wording else body


def _put(members: dict[str, Any], path: list[str], value: Any) -> None:
    *parents, last = path
    for name in parents:
        members = members.setdefault(name, {})
    members[last] = value


def cache_settings(conversation: Conversation) -> dict[str, Any]:
    """For a writer of either of OpenAI's formats: where a prompt is looked for that was kept, and how long it is."""
    return {name: value for name, value in conversation.extra.items() if name in _CACHE_SETTINGS}
