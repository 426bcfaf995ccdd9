"""Reads what a provider's message or delta holds, repairing what servers are known to get wrong."""

from collections.abc import Iterator, Mapping
from typing import Any

from providers.formats.openai.images import read_image, read_images
from providers.formats.openai.reasoning import ORIGIN
from providers.wire.events import CitationAdded, Event, Native, ReasoningDelta, RefusalDelta, TextDelta
from providers.wire.failure import bad_response

# What is read here or by those who read calls and thoughts. Pictures are too rare to be asked for each time.
_USUAL = frozenset(
    {
        "role",
        "content",
        "refusal",
        "annotations",
        "tool_calls",
        "function_call",
        "reasoning",
        "reasoning_content",
        "reasoning_details",
    }
)


def read_text(message: Mapping[str, Any], logprobs: object) -> Iterator[Event]:
    """Thoughts and texts of the content, refusal, citations and pictures, in this order; then what only chat knows."""
    yield from _read_content(message.get("content"), _entries(logprobs))
    refusal = message.get("refusal")
    if refusal and isinstance(refusal, str):
        yield RefusalDelta(refusal)
    annotations = message.get("annotations")
    for annotation in annotations if isinstance(annotations, list) else ():
        if isinstance(annotation, Mapping):
            yield read_citation(annotation)
    if not message.keys() <= _USUAL:
        yield from read_images(message)
        yield from _read_unknown(message)


def _read_content(content: object, logprobs: tuple[Any, ...]) -> Iterator[Event]:
    if content is None:
        return
    if isinstance(content, str):
        if content or logprobs:
            yield TextDelta(content, logprobs)
        return
    if not isinstance(content, list):
        raise bad_response("The provider's answer has a message of the wrong type.")
    for part in content:
        yield from _read_part(part)


def _read_part(part: object) -> Iterator[Event]:
    """Mistral answers in parts, thoughts among them (its SDK's types, November 2026)."""
    if not isinstance(part, Mapping):
        return
    kind = part.get("type")
    if kind == "thinking":
        thoughts = part.get("thinking")
        for thought in thoughts if isinstance(thoughts, list) else ():
            if isinstance(thought, Mapping) and thought.get("text"):
                yield ReasoningDelta(str(thought["text"]))
    elif isinstance(part.get("text"), str):
        yield from [TextDelta(part["text"])] if part["text"] else []
    elif kind == "image_url":
        yield from read_image(part)
    elif isinstance(kind, str):
        yield Native(ORIGIN, {"content": [part]}, f"message.content.{kind}")


def _read_unknown(message: Mapping[str, Any]) -> Iterator[Event]:
    """Members with something in them."""
    for name, value in message.items():
        if value and name not in _USUAL and name != "images":
            yield Native(ORIGIN, {name: value}, f"message.{name}")


def read_citation(annotation: Mapping[str, Any]) -> CitationAdded:
    inner = annotation.get("url_citation")
    place = inner if isinstance(inner, Mapping) else annotation
    native = {name: value for name, value in annotation.items() if name != "index"}
    return CitationAdded(_text(place, "url"), _text(place, "title"), native=native)


def _entries(logprobs: object) -> tuple[Any, ...]:
    content = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    return tuple(content) if isinstance(content, list) else ()


def _text(value: Mapping[str, Any], name: str) -> str | None:
    text = value.get(name)
    return text if isinstance(text, str) else None
