"""The first tool call of an answer and no other: for clients that take one, at providers that cannot be told so."""

from collections.abc import Iterable, Mapping
from typing import Any

from providers.formats.sse_events import ReaderAround
from providers.wire.events import Event, ToolArguments, ToolCallStarted


def takes_one_call(body: Mapping[str, Any]) -> bool:
    """What the client said, in OpenAI's words or Anthropic's; Gemini has none for it."""
    choice = body.get("tool_choice")
    is_disabled = isinstance(choice, Mapping) and choice.get("disable_parallel_tool_use") is True
    return is_disabled or body.get("parallel_tool_calls") is False


def keep_first_call(events: Iterable[Event]) -> list[Event]:
    """Readers number calls from 0."""
    return [
        event for event in events if not isinstance(event, ToolCallStarted | ToolArguments) or not event.index
    ]


class OneCallReader(ReaderAround):
    """See formats.base.EventReader."""

    def feed(self, data: bytes) -> list[Event]:
        return keep_first_call(self._reader.feed(data))

    def finish(self) -> list[Event]:
        return keep_first_call(self._reader.finish())
