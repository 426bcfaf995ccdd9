"""Reads the items of a provider's response."""

from collections.abc import Iterator, Mapping
from typing import Any

from providers.formats.openai.delta_reader import read_citation
from providers.formats.openai.tool_names import read_name
from providers.formats.openai.vendors import arguments_of
from providers.formats.responses.signatures import ORIGIN
from providers.wire.events import (
    Event,
    FileGenerated,
    Native,
    ReasoningDelta,
    ReasoningSigned,
    RefusalDelta,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
)

_KNOWN_PARTS = frozenset({"output_text", "text", "refusal", "reasoning_text", "summary_text"})
MEDIA_TYPES = {
    "png": "image/png",
    "webp": "image/webp",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "svg": "image/svg+xml",
}
"""By `output_format`."""


def read_item(item: Mapping[str, Any], number: int) -> Iterator[Event]:
    """A whole item; `number` is that of its call, if it is one."""
    match item.get("type"):
        case "message":
            yield from read_parts(item)
        case "reasoning":
            if text := reasoning_text(item):
                yield ReasoningDelta(text)
            yield read_signature(item)
        case "function_call":
            yield read_call(item, number)
            yield ToolArguments(number, arguments_of(item) or "{}")
        case str(kind):
            yield read_image(item) or Native(ORIGIN, dict(item), f"output.{kind}")


def read_parts(item: Mapping[str, Any]) -> Iterator[Event]:
    for part in _maps(item.get("content")):
        text, refusal = part.get("text"), part.get("refusal")
        if isinstance(text, str) and text:
            yield TextDelta(text, read_logprobs(part))
            yield from map(read_citation, _maps(part.get("annotations")))
        if isinstance(refusal, str) and refusal:
            yield RefusalDelta(refusal)
        yield from read_unknown_part(part, item)


def read_unknown_part(part: Mapping[str, Any], item: Mapping[str, Any]) -> Iterator[Native]:
    """In a message of its own."""
    kind = part.get("type")
    if isinstance(kind, str) and kind not in _KNOWN_PARTS:
        message = {"type": "message", "role": "assistant", "status": "completed", **item, "content": [part]}
        yield Native(ORIGIN, message, f"output.content.{kind}")


def read_image(item: Mapping[str, Any]) -> FileGenerated | None:
    """None for an item that holds no picture."""
    data = item.get("result")
    if item.get("type") != "image_generation_call" or not isinstance(data, str) or not data:
        return None
    media_type = MEDIA_TYPES.get(str(item.get("output_format")), "image/png")
    return FileGenerated(media_type, data, origin=ORIGIN, native=dict(item))


def reasoning_text(item: Mapping[str, Any]) -> str:
    for name in ("summary", "content"):
        texts = [part["text"] for part in _maps(item.get(name)) if isinstance(part.get("text"), str)]
        if texts:
            return "\n\n".join(texts)
    return ""


def read_signature(item: Mapping[str, Any]) -> ReasoningSigned:
    encrypted, item_id = item.get("encrypted_content"), item.get("id")
    return ReasoningSigned(
        encrypted=encrypted if isinstance(encrypted, str) else None,
        origin=ORIGIN,
        id=item_id if isinstance(item_id, str) else None,
    )


def read_call(item: Mapping[str, Any], number: int) -> ToolCallStarted:
    call_id = item.get("call_id") or item.get("id") or f"call_{number}"
    return ToolCallStarted(number, str(call_id), read_name(str(item.get("name") or "")))


def read_logprobs(value: Mapping[str, Any]) -> tuple[Any, ...]:
    logprobs = value.get("logprobs")
    return tuple(logprobs) if isinstance(logprobs, list) else ()


def _maps(values: object) -> Iterator[Mapping[str, Any]]:
    return (value for value in values if isinstance(value, Mapping)) if isinstance(values, list) else iter(())
