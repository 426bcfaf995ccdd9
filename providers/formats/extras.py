"""What becomes of a client's own fields that have no place in the format between all formats."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from providers.formats.base import CannotTranslate
from providers.formats.wording import in_order, natives_of
from providers.wire.conversation import Conversation

# OpenAI's two formats have these in common.
_CACHE_SETTINGS = ("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention")
# These say how the provider keeps, finds again or delivers a request, and nothing about the answer itself.
_HARMLESS = frozenset(
    {
        "store",
        "stream_options",
        *_CACHE_SETTINGS,
        # It limits built-in tools, which are refused by their own name.
        "max_tool_calls",
        # Anthropic's: where a cached prompt ends, what is told about the cache, and how the provider shortens a
        # prompt that has grown too long.
        "cache_control",
        "diagnostics",
        "context_management",
    }
)
# What a provider does anyway when it is not asked.
_DEFAULTS: Mapping[str, Any] = {
    "n": 1,
    "modalities": ["text"],
    "truncation": "disabled",
    "background": False,
    "include_reasoning": True,
    # OpenRouter's: every answer tells its usage.
    "usage": {"include": True},
    "echo": False,
    "best_of": 1,
    "speed": "standard",
    "mcp_servers": [],
}


_CHOICES = frozenset({"n", "candidateCount", "candidate_count"})


def refuse_extras(conversation: Conversation, written: Collection[str] = ()) -> None:
    """For a writer of another format. Raises CannotTranslate for the first field that would change the answer.

    `written` are those that the writer says itself.
    """
    for name, value in natives_of(conversation):
        if name not in written and not is_harmless(name, value):
            what = f"'{str(value)[:60]}' for '{name}'" if name.endswith(".type") else f"'{name}'"
            raise CannotTranslate(f"The chosen provider has no {what}.", param=name)


def refuse_choices(conversation: Conversation) -> None:
    """Where an answer is written anew, it is one. Raises CannotTranslate for a request of several."""
    for path, value in conversation.extra.items():
        if path.rpartition(".")[2] in _CHOICES and value is not None and value != 1:
            raise CannotTranslate(f"The chosen provider gives one answer only: '{path}'.", param=path)


def in_place(
    body: dict[str, Any], conversation: Conversation, rename: Callable[[str], str] = str
) -> dict[str, Any]:
    """For a writer of the same format: with what of `extra` only that knows, all in its client's order.

    `rename` makes a client's path the writer's.
    """
    for path, value in conversation.extra.items():
        _put(body, rename(path).split("."), value)
    return in_order(body, conversation.wording.value) if conversation.wording else body


def _put(members: dict[str, Any], path: list[str], value: Any) -> None:
    *parents, last = path
    for name in parents:
        members = members.setdefault(name, {})
    members[last] = value


def cache_settings(conversation: Conversation) -> dict[str, Any]:
    """For a writer of either of OpenAI's formats: where a prompt is looked for that was kept, and how long it is."""
    return {name: value for name, value in conversation.extra.items() if name in _CACHE_SETTINGS}


def left_out(conversation: Conversation, written: Mapping[str, Any]) -> list[str]:
    """What a writer of another format left out, for WrittenRequest.translated: of what is harmless, what is said."""
    extra = conversation.extra.items()
    return [
        f"{name} -> left out"
        for name, value in extra
        if name in _HARMLESS and value and written.get(name) != value
    ]


def is_harmless(name: str, value: object) -> bool:
    """Of the default's type too: true is 1 in Python, and not in JSON."""
    if name in _HARMLESS:
        return True
    return name in _DEFAULTS and type(value) is type(_DEFAULTS[name]) and value == _DEFAULTS[name]
