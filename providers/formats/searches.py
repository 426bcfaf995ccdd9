"""A provider's own web search in the place of another vendor's, for keys that allow it. Pure.

Sources: Anthropic's, OpenAI's and Google's references of their built-in web search (November 2026).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from providers.formats.losses import says_nothing
from providers.wire.conversation import ChoiceMode, Conversation, Native, Tool

METER = "web_searches"
"""What counts searches, and what an offering's are paid by."""
_COUNTERPARTS: Mapping[str, Mapping[str, Any]] = {
    "anthropic": {"type": "web_search_20250305", "name": "web_search"},
    "responses": {"type": "web_search"},
    "gemini": {"googleSearch": {}},
}
"""By wire format. Chat has none: its `web_search_options` are for models that search in any case."""
_OF_CHAT = "web_search_options"
_MOST_CALLS = "max_tool_calls"
"""Of Responses: how often its own tools may run in all, which no other vendor's can be told."""
_NAMES = frozenset({"type", "name"})
# They change where and how much is looked up, not what may be: whatever else is said of a search is relied on. Who
# wants what is cached alone (`external_web_access: false`) is not served by one that looks it up.
_HINTS = frozenset({"cache_control", "external_web_access", "search_context_size", "user_location"})


@dataclass(frozen=True, slots=True)
class StandIn:
    """The conversation with the provider's search in it; `lost` is what was said of the client's, by path → words."""

    conversation: Conversation
    lost: Mapping[str, str]


def stand_in(own: str, conversation: Conversation) -> StandIn | None:
    """For a provider that speaks `own`; None where no search is asked for, or not one that its own can stand in for."""
    counterpart, choice = _COUNTERPARTS.get(own), conversation.tool_choice
    is_free = choice is None or (choice.mode is ChoiceMode.AUTO and not choice.names)
    is_bound = conversation.extra.get(_MOST_CALLS) is not None
    # Many of Google's models search beside no functions.
    if counterpart is None or not is_free or is_bound or (own == "gemini" and conversation.functions):
        return None
    lost: dict[str, str] = {}
    tools: list[Tool | Native] = []
    for tool in conversation.tools:
        if isinstance(tool, Native) and (settings := _search_in(tool)) is not None:
            kind = tool.value.get("type", "googleSearch")
            lost |= _told(f"{tool.path}={kind}", own, settings)
        else:
            tools.append(tool)
    extra: Mapping[str, Any] = conversation.extra
    if (options := extra.get(_OF_CHAT)) is not None and isinstance(options, Mapping) and _are_hints(options):
        lost |= _told(_OF_CHAT, own, options)
        extra = {name: value for name, value in extra.items() if name != _OF_CHAT}
    if not lost:
        return None
    tools.append(Native(own, counterpart, "tools"))
    return StandIn(replace(conversation, tools=tuple(tools), extra=extra), lost)


def _search_in(tool: Native) -> Mapping[str, Any] | None:
    """What is said of a web search beside that it is one; None for other tools, and where that is relied on."""
    value = tool.value if isinstance(tool.value, Mapping) else {}
    if str(value.get("type", "")).startswith("web_search"):
        settings: Mapping[str, Any] = {name: said for name, said in value.items() if name not in _NAMES}
    elif value.keys() == {"googleSearch"} and isinstance(value["googleSearch"], Mapping):
        settings = value["googleSearch"]
    else:
        return None
    return settings if _are_hints(settings) else None


def _are_hints(settings: Mapping[str, Any]) -> bool:
    return settings.get("external_web_access") is not False and all(
        name in _HINTS or says_nothing(value) for name, value in settings.items()
    )


def _told(path: str, own: str, settings: Mapping[str, Any]) -> dict[str, str]:
    parent = path if path == _OF_CHAT else "tools"
    unsaid = {f"{parent}.{name}": "left out" for name, value in settings.items() if not says_nothing(value)}
    return {path: f"{own}'s web search", **unsaid}
