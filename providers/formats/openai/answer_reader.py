"""Reads a provider's chat answer, whole or streamed, repairing what servers are known to get wrong; measures it.

Pictures that a model made stand as OpenRouter has them, in `images` of a message or a delta:
https://openrouter.ai/docs/features/multimodal/image-generation (November 2026).
"""

from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any

from providers.formats.call_order import CallOrder
from providers.formats.data_url import split_data_url
from providers.formats.openai.finish import read_finish
from providers.formats.openai.signatures import ORIGIN, read_details, read_reasoning, read_signature
from providers.formats.openai.vendors import (
    CallNumbers,
    Finishes,
    arguments_of,
    choices_of,
    delta_of,
    finish_of,
    function_of,
    is_one_text,
    message_of,
    more_text,
    refuse_error,
    usage_in,
    visible_reasoning,
)
from providers.formats.sse_events import SseEventReader
from providers.wire.conversation import Reasoning
from providers.wire.estimate import FILE_CHARS
from providers.wire.events import (
    CitationAdded,
    Event,
    FileGenerated,
    Native,
    ReasoningDelta,
    ReasoningSigned,
    RefusalDelta,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from providers.wire.failure import bad_response
from providers.wire.usage import read_openai_usage

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
_LEGACY = -1
"""The index of a `function_call`, which is one of its own."""
_TEXT = (str, NoneType)
_TEXT_TYPES = frozenset(_TEXT)
_TEXTS, _PARTS = ("role", "content", "refusal"), ("annotations", "tool_calls", "function_call")
_PLAIN = frozenset({*_TEXTS, *_PARTS})


def read_answer(value: Any) -> list[Event]:
    if not isinstance(value, Mapping):
        raise bad_response()
    if is_one_text(value) and not (choice := value["choices"][0]).get("logprobs"):
        text = choice["message"]["content"]
        told = [TextDelta(text)] if text else []
        finished = read_finish("stop", choice.get("native_finish_reason"), has_calls=False)
        return _with_usage([read_start(value), *told, finished], value)
    refuse_error(value)
    choice = choices_of(value)[0]
    events: list[Event] = [read_start(value)]
    events += _read_message(choice, message_of(choice), f"call_{value['id']}" if value.get("id") else "call")
    return _with_usage(events, value)


def _with_usage(events: list[Event], value: Mapping[str, Any]) -> list[Event]:
    usage = read_openai_usage(usage_in(value), value.get("service_tier"))
    return events if usage is None else [*events, UsageSeen(usage)]


def read_start(value: Mapping[str, Any]) -> Started:
    tier = value.get("service_tier")
    return Started(str(value.get("id") or ""), tier if isinstance(tier, str) else None)


def sign(thought: Reasoning) -> list[ReasoningSigned]:
    """The end of a block of thoughts, where there is something to give back with it."""
    if not (thought.signature or thought.encrypted):
        return []
    return [ReasoningSigned(thought.signature, thought.encrypted, thought.origin, thought.id)]


def _read_message(choice: Mapping[str, Any], message: Mapping[str, Any], prefix: str) -> Iterator[Event]:
    """`prefix` as in CallReader."""
    for thought in read_reasoning(message):
        if thought.text:
            yield ReasoningDelta(thought.text)
        yield from sign(thought)
    yield from read_text(message, choice.get("logprobs"))
    has_calls = False
    if message.get("tool_calls") or message.get("function_call"):
        calls = CallReader(prefix)
        yield from calls.read(message, is_whole=True)
        has_calls = calls.has_calls
    word = choice.get("finish_reason")
    if not word or not isinstance(word, str):
        raise bad_response("The provider's answer does not say why it ended.")
    yield read_finish(word, choice.get("native_finish_reason"), has_calls=has_calls)


class OpenAIStreamReader(SseEventReader):
    """See providers.formats.base.EventReader. Of several choices only the first is read."""

    ends_with_done = True

    def __init__(self) -> None:
        super().__init__()
        self._calls = CallReader()
        self._order = CallOrder()
        self._thought = ""
        self._has_started = False
        self._finishes = Finishes()

    def _end(self) -> list[Event]:
        """What was held goes out also where no finish came, since the provider did say it."""
        held = self._order.end()
        return held if self.reported is None else [*held, UsageSeen(self.reported)]

    def _read_value(self, chunk: Mapping[str, Any]) -> list[Event]:
        text = more_text(chunk, self._finishes.running)
        if text is not None and not chunk["choices"][0].get("logprobs"):
            return [*self._order.put(TextDelta(text))] if text else []
        refuse_error(chunk)
        self._report(read_openai_usage(usage_in(chunk), chunk.get("service_tier")))
        events = self._start(chunk)
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, Mapping) and not choice.get("index"):
                events += self._read_choice(choice)
        return events

    def _start(self, chunk: Mapping[str, Any]) -> list[Event]:
        if self._has_started:
            return []
        self._has_started = True
        started = read_start(chunk)
        self._calls.prefix = f"call_{started.id}" if started.id else "call"
        return [started]

    def _read_choice(self, choice: Mapping[str, Any]) -> list[Event]:
        word = finish_of(choice)
        if self._finishes.are_all:
            # Events have one end, so whatever comes after it says nothing more.
            return []
        self._finishes.take(0, word)
        events = self._read_delta(delta_of(choice), choice.get("logprobs"))
        if word is None:
            return events
        finished = read_finish(word, choice.get("native_finish_reason"), has_calls=self._calls.has_calls)
        return [*events, *self._order.end(), finished]

    def _read_delta(self, delta: Mapping[str, Any], logprobs: object) -> list[Event]:
        events = [*self._read_thoughts(delta), *read_text(delta, logprobs), *self._calls.read(delta)]
        return [passed for event in events for passed in self._order.put(event)]

    def _read_thoughts(self, delta: Mapping[str, Any]) -> list[Event]:
        visible, thoughts = visible_reasoning(delta), read_details(delta.get("reasoning_details"))
        events = self._think(visible)
        for thought in thoughts:
            # Some give the text in both members, some the whole of it once more beside its signature.
            if not visible and thought.text != self._thought:
                events += self._think(thought.text)
            events += self._sign(sign(thought))
        return events

    def _think(self, text: str) -> list[Event]:
        self._thought += text
        return [ReasoningDelta(text)] if text else []

    def _sign(self, signed: list[ReasoningSigned]) -> list[Event]:
        if signed:
            self._thought = ""
        return list(signed)


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


class CallReader:
    """`prefix` makes ids where the provider gives none."""

    def __init__(self, prefix: str = "call") -> None:
        self.prefix = prefix
        self._numbers = CallNumbers()

    @property
    def has_calls(self) -> bool:
        return bool(self._numbers)

    def read(self, message: Mapping[str, Any], *, is_whole: bool = False) -> Iterator[Event]:
        calls = message.get("tool_calls")
        for position, call in enumerate(calls if isinstance(calls, list) else ()):
            if isinstance(call, Mapping):
                # The calls of a whole message are all different, whatever they say.
                yield from self._read_call(
                    {**call, "index": position} if is_whole else call, is_whole=is_whole
                )
        legacy = message.get("function_call")
        if isinstance(legacy, Mapping):
            yield from self._read_call({"function": legacy, "index": _LEGACY}, is_whole=is_whole)

    def _read_call(self, call: Mapping[str, Any], *, is_whole: bool) -> Iterator[Event]:
        number, is_first = self._numbers.take(call)
        function = function_of(call)
        if is_first:
            call_id = call.get("id") or f"{self.prefix}_{number}"
            signature, origin = read_signature(call.get("extra_content"))
            name = str(function.get("name") or "")
            yield ToolCallStarted(number, str(call_id), name, signature, origin)
        if arguments := arguments_of(function) or ("{}" if is_whole else ""):
            yield ToolArguments(number, arguments)


def read_images(message: Mapping[str, Any]) -> Iterator[FileGenerated]:
    images = message.get("images")
    for image in images if isinstance(images, list) else ():
        if isinstance(image, Mapping):
            yield from read_image(image)


def read_image(image: Mapping[str, Any]) -> Iterator[FileGenerated]:
    """One entry, or a part of the content of the same shape."""
    place = image.get("image_url")
    url = place.get("url") if isinstance(place, Mapping) else place or image.get("url")
    if not isinstance(url, str) or not url:
        return
    native = dict(image)
    if inline := split_data_url(url):
        media_type, data = inline
        yield FileGenerated(media_type, data, origin=ORIGIN, native=native)
    else:
        yield FileGenerated(url=url, origin=ORIGIN, native=native)


def is_text(message: Mapping[str, Any]) -> bool:
    """Whether it is text and nothing else, as most are: none of it is a proof."""
    return (
        message.keys() <= _PLAIN
        and not any(map(message.get, _PARTS))
        and set(map(type, map(message.get, _TEXTS))) <= _TEXT_TYPES
    )


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
