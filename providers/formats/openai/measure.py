"""How much a model generated, as far as a message or a delta of chat shows it."""

from collections.abc import Mapping
from types import NoneType
from typing import Any

from providers.formats.openai.delta_reader import read_text
from providers.formats.openai.vendors import arguments_of, function_of, visible_reasoning
from providers.wire.estimate import FILE_CHARS
from providers.wire.events import FileGenerated, ReasoningDelta, RefusalDelta, TextDelta

_TEXT = (str, NoneType)
_PLAIN = frozenset({"role", "content", "refusal", "annotations", "tool_calls", "function_call"})


def generated(message: Mapping[str, Any]) -> tuple[int, bool]:
    """Characters of text, thoughts and tool arguments, a file counted as some; and whether there was any of it.

    Raises UpstreamFailure for what is no message.
    """
    content, refusal, calls = message.get("content"), message.get("refusal"), message.get("tool_calls")
    if isinstance(content, _TEXT) and isinstance(refusal, _TEXT) and message.keys() <= _PLAIN:
        chars = len(content or "") + len(refusal or "")
    else:
        chars = _read_length(message)
    if not calls or not isinstance(calls, list):
        return chars, chars > 0
    return chars + sum(map(_arguments_length, calls)), True


def _read_length(message: Mapping[str, Any]) -> int:
    """Of what is rare, by those who read it."""
    return len(visible_reasoning(message)) + sum(map(_event_length, read_text(message, None)))


def _event_length(event: object) -> int:
    if isinstance(event, FileGenerated):
        return FILE_CHARS
    return len(event.text) if isinstance(event, TextDelta | RefusalDelta | ReasoningDelta) else 0


def _arguments_length(call: Any) -> int:
    return len(arguments_of(function_of(call))) if isinstance(call, Mapping) else 0
