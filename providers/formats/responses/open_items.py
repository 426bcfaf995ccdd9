"""The item of a response that is being written: a message, thoughts or a call. Each tells its steps.

Source of the steps' order: OpenAI's reference of streaming events, and the accumulator of its SDK.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from providers.formats.custom_tools import input_of
from providers.formats.openai.answer_writer import file_of, page_of
from providers.formats.responses.answer_reader import MEDIA_TYPES
from providers.formats.responses.own_tools import SEARCH, OwnTool
from providers.formats.responses.signatures import write_signature
from providers.wire.events import CitationAdded, FileGenerated, ReasoningSigned, TextDelta, ToolCallStarted
from providers.wire.json_text import read_object

Step = dict[str, Any]
"""An event as it is streamed, but for its sequence number."""
_MORE_TEXT = (
    b"event: response.output_text.delta\n"
    b'data: {"type":"response.output_text.delta","item_id":%b,"output_index":%d,"content_index":%d,'
    b'"delta":%b,"logprobs":[],"sequence_number":%d}\n\n'
)
_OUTPUT_FORMATS = {media_type: name for name, media_type in MEDIA_TYPES.items()}


class OpenItem:
    """`index` is the item's among the output, `prefix` that of its id."""

    prefix = ""

    def __init__(self, answer_id: str, index: int) -> None:
        self.id = f"{self.prefix}_{answer_id}_{index}"
        self._index = index

    def open(self) -> Iterator[Step]:
        yield self._item_step("added", "in_progress")

    def close(self, status: str) -> Iterator[Step]:
        yield from self._end_part()
        yield self._item_step("done", status)

    def item(self, status: str) -> dict[str, Any]:
        raise NotImplementedError

    def _end_part(self) -> Iterator[Step]:
        return iter(())

    def _item_step(self, step: str, status: str) -> Step:
        return {
            "type": f"response.output_item.{step}",
            "output_index": self._index,
            "item": self.item(status),
        }

    def _step(self, kind: str, **members: Any) -> Step:
        return {"type": f"response.{kind}", "item_id": self.id, "output_index": self._index, **members}


class OpenReasoning(OpenItem):
    prefix = "rs"

    def __init__(self, answer_id: str, index: int) -> None:
        super().__init__(answer_id, index)
        self._text: list[str] = []
        self._encrypted: str | None = None

    def add(self, text: str) -> Iterator[Step]:
        if not self._text:
            yield self._part("added", "")
        self._text.append(text)
        yield self._step("reasoning_summary_text.delta", summary_index=0, delta=text)

    def sign(self, signed: ReasoningSigned) -> None:
        self._encrypted = write_signature(signed)

    def item(self, status: str) -> dict[str, Any]:
        summary = [{"type": "summary_text", "text": "".join(self._text)}] if self._text else []
        item = {"id": self.id, "type": "reasoning", "summary": summary, "status": status}
        return item | ({"encrypted_content": self._encrypted} if self._encrypted else {})

    def _end_part(self) -> Iterator[Step]:
        if text := "".join(self._text):
            yield self._step("reasoning_summary_text.done", summary_index=0, text=text)
            yield self._part("done", text)

    def _part(self, step: str, text: str) -> Step:
        part = {"type": "summary_text", "text": text}
        return self._step(f"reasoning_summary_part.{step}", summary_index=0, part=part)


class OpenCall(OpenItem):
    """`own` is the tool as the client lists it, where that is in a namespace."""

    prefix = "fc"

    def __init__(
        self, answer_id: str, index: int, started: ToolCallStarted, own: OwnTool | None = None
    ) -> None:
        super().__init__(answer_id, index)
        self._started = started
        self._name = own.name if own else started.name
        self._namespace = {"namespace": own.namespace} if own and own.namespace else {}
        self._arguments: list[str] = []

    def add(self, text: str) -> Iterator[Step]:
        self._arguments.append(text)
        yield self._step("function_call_arguments.delta", delta=text)

    def item(self, status: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "function_call",
            "status": status,
            "call_id": self._started.id,
            "name": self._name,
            "arguments": "".join(self._arguments),
            **self._namespace,
        }

    def _end_part(self) -> Iterator[Step]:
        if not any(self._arguments):
            yield from self.add("{}")
        arguments = "".join(self._arguments)
        yield self._step("function_call_arguments.done", name=self._name, arguments=arguments)


class OpenCustomCall(OpenCall):
    """One of a tool that takes plain text, which its provider was told as a function of one string."""

    prefix = "ctc"

    def add(self, text: str) -> Iterator[Step]:
        """What the string says is known once its JSON is whole."""
        self._arguments.append(text)
        return iter(())

    def item(self, status: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "custom_tool_call",
            "status": status,
            "call_id": self._started.id,
            "name": self._name,
            "input": "" if status == "in_progress" else self._input(),
            **self._namespace,
        }

    def _input(self) -> str:
        return input_of("".join(self._arguments))

    def _end_part(self) -> Iterator[Step]:
        said = self._input()
        yield self._step("custom_tool_call_input.delta", delta=said)
        yield self._step("custom_tool_call_input.done", input=said)


class OpenSearchCall(OpenCall):
    """A search for tools that the client makes itself."""

    prefix = "tsc"

    def add(self, text: str) -> Iterator[Step]:
        self._arguments.append(text)
        return iter(())

    def item(self, status: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "tool_search_call",
            "status": status,
            "call_id": self._started.id,
            "execution": "client",
            "arguments": read_object("".join(self._arguments)) or {},
        }

    def _end_part(self) -> Iterator[Step]:
        return iter(())


_CALLS = {"custom": OpenCustomCall, SEARCH: OpenSearchCall}


def open_call(answer_id: str, index: int, started: ToolCallStarted, own: OwnTool | None) -> OpenCall:
    """As the client knows the tool."""
    return _CALLS.get(own.kind if own else "", OpenCall)(answer_id, index, started, own)


class OpenMessage(OpenItem):
    """Its parts are texts and refusals, each ended before the next begins."""

    prefix = "msg"

    def __init__(self, answer_id: str, index: int) -> None:
        super().__init__(answer_id, index)
        self._parts: list[dict[str, Any]] = []
        self._said: list[str] = []
        """What is to be added to the open part."""
        self._length = 0
        self._is_part_open = False
        self.is_text_open = False

    def add_text(self, event: TextDelta) -> Iterator[Step]:
        yield from self._begin({"type": "output_text", "text": "", "annotations": [], "logprobs": []})
        self._add(event.text)
        self._parts[-1]["logprobs"] += event.logprobs
        logprobs = list(event.logprobs)
        yield self._part_step("output_text.delta", delta=event.text, logprobs=logprobs)

    def more_text(self, text: str, number: int) -> bytes:
        """What add_text tells of a text without log probabilities, while one is open: the event of that number."""
        self._add(text)
        place = self._index, len(self._parts) - 1
        return _MORE_TEXT % (orjson.dumps(self.id), *place, orjson.dumps(text), number)

    def add_refusal(self, text: str) -> Iterator[Step]:
        yield from self._begin({"type": "refusal", "refusal": ""})
        self._add(text)
        yield self._part_step("refusal.delta", delta=text)

    def add_citation(self, event: CitationAdded) -> Iterator[Step]:
        """Pages and OpenAI's files; what is cited from another document stays in the text."""
        page = page_of(event, 0, self._length)
        annotation = file_of(event) if page is None else {"type": "url_citation", **page}
        if annotation is None or not self._is_part_open or "text" not in self._parts[-1]:
            return
        annotations = self._parts[-1]["annotations"]
        annotations.append(annotation)
        place = len(annotations) - 1
        yield self._part_step("output_text.annotation.added", annotation_index=place, annotation=annotation)

    def item(self, status: str) -> dict[str, Any]:
        parts = [_copy(part) for part in self._parts]
        return {"id": self.id, "type": "message", "status": status, "role": "assistant", "content": parts}

    def _begin(self, part: dict[str, Any]) -> Iterator[Step]:
        if self._is_part_open and self._parts[-1]["type"] == part["type"]:
            return
        yield from self._end_part()
        self._parts.append(part)
        self._is_part_open, self._length = True, 0
        self.is_text_open = part["type"] == "output_text"
        yield self._part_step("content_part.added", part=_copy(part))

    def _end_part(self) -> Iterator[Step]:
        if not self._is_part_open:
            return
        self._is_part_open = self.is_text_open = False
        self._join()
        part = _copy(self._parts[-1])
        if part["type"] == "refusal":
            yield self._part_step("refusal.done", refusal=part["refusal"])
        else:
            yield self._part_step("output_text.done", text=part["text"], logprobs=part["logprobs"])
        yield self._part_step("content_part.done", part=part)

    def _add(self, text: str) -> None:
        self._said.append(text)
        self._length += len(text)

    def _join(self) -> None:
        """At once, since a text may come letter by letter."""
        part, self._said, said = self._parts[-1], [], self._said
        part["refusal" if part["type"] == "refusal" else "text"] += "".join(said)

    def _part_step(self, kind: str, **members: Any) -> Step:
        return self._step(kind, content_index=len(self._parts) - 1, **members)


class NativeItem(OpenItem):
    """One that a provider of this format wrote: it is told whole, and as it ended."""

    def __init__(self, answer_id: str, index: int, item: Mapping[str, Any]) -> None:
        super().__init__(answer_id, index)
        self._item = dict(item)

    def item(self, status: str) -> dict[str, Any]:  # noqa: ARG002
        return self._item


class Picture(OpenItem):
    """Made elsewhere, and told as if the provider's own tool had drawn it."""

    prefix = "ig"

    def __init__(self, answer_id: str, index: int, file: FileGenerated) -> None:
        super().__init__(answer_id, index)
        self._file = file

    def item(self, status: str) -> dict[str, Any]:
        result = None if status == "in_progress" else self._file.data
        item = {"id": self.id, "type": "image_generation_call", "status": status, "result": result}
        form = _OUTPUT_FORMATS.get(self._file.media_type or "image/png")
        return item | ({"output_format": form} if form else {})

    def close(self, status: str) -> Iterator[Step]:  # noqa: ARG002  # it is whole, however the answer ended
        yield from super().close("completed")

    def _end_part(self) -> Iterator[Step]:
        for state in ("in_progress", "generating", "completed"):
            yield self._step(f"image_generation_call.{state}")


def _copy(part: dict[str, Any]) -> dict[str, Any]:
    """As it is now: lists go on growing."""
    return {name: list(value) if isinstance(value, list) else value for name, value in part.items()}
