"""Gathers events into the parts of a content: texts and thoughts as they come, calls when they are whole."""

from dataclasses import dataclass, field
from typing import Any

from providers.formats.base import CannotTranslate
from providers.formats.gemini.media import write_image
from providers.formats.gemini.signatures import ORIGIN, write_signature
from providers.formats.gemini.tool_names import write_name
from providers.wire.conversation import Image
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
from providers.wire.json_text import read_object


@dataclass(slots=True)
class _OpenCall:
    started: ToolCallStarted
    arguments: list[str] = field(default_factory=list)


class AnswerParts:
    """Parts not yet let go are added to: a stream lets go after every read, a whole answer at its end."""

    def __init__(self) -> None:
        self._parts: list[dict[str, Any]] = []
        self._text: list[str] = []
        """What is to be added to the last part."""
        self._call: _OpenCall | None = None
        self._is_thinking = False
        """The last of what came were thoughts, so that a signature is theirs."""

    def take(self, event: Event) -> None:
        match event:
            case TextDelta() | RefusalDelta():
                self._add_text(event.text, is_thought=False)
            case ReasoningDelta():
                self._add_text(event.text, is_thought=True)
            case ReasoningSigned():
                self._sign(event)
            case ToolCallStarted():
                self.close()
                self._call = _OpenCall(event)
            case ToolArguments():
                if self._call is not None:
                    self._call.arguments.append(event.text)
            case FileGenerated() | Native():
                self._add_whole(event)

    def close(self) -> None:
        """The call that is open, if one is, is whole."""
        if self._call is None:
            return
        self._join()
        self._parts.append(_call_part(self._call))
        self._call = None
        self._is_thinking = False

    def let_go(self) -> list[dict[str, Any]]:
        self._join()
        parts, self._parts = self._parts, []
        return parts

    def _add_text(self, text: str, *, is_thought: bool) -> None:
        if not text:
            return
        self.close()
        kind: dict[str, Any] = {"thought": True} if is_thought else {}
        last = self._parts[-1] if self._parts else {}
        if last.keys() != {"text", *kind}:
            self._join()
            self._parts.append({"text": "", **kind})
        self._text.append(text)
        self._is_thinking = is_thought

    def _add_whole(self, event: FileGenerated | Native) -> None:
        self.close()
        self._join()
        self._parts.append(dict(event.value) if isinstance(event, Native) else _file_part(event))
        self._is_thinking = False

    def _join(self) -> None:
        """At once, since a text may come letter by letter."""
        if self._text:
            self._parts[-1]["text"] += "".join(self._text)
            self._text = []

    def _sign(self, event: ReasoningSigned) -> None:
        signature = write_signature(event)
        if signature is None:
            return
        self.close()
        self._join()
        kind: dict[str, Any] = {"thought": True} if self._is_thinking else {}
        last = self._parts[-1] if self._parts else {}
        is_file = event.origin == ORIGIN and "inlineData" in last and "thoughtSignature" not in last
        if not is_file and last.keys() != {"text", *kind}:
            last = {"text": "", **kind}
            self._parts.append(last)
        last["thoughtSignature"] = signature
        self._is_thinking = False


def _file_part(file: FileGenerated) -> dict[str, Any]:
    if file.origin == ORIGIN:
        return dict(file.native)
    thought = {"thought": True} if file.is_thought else {}
    return write_image(Image(file.url, file.data, file.media_type)) | thought


def _name(name: str) -> str:
    """One that is too long to be escaped is Gemini's client's own, which takes any."""
    try:
        return write_name(name, "gemini")
    except CannotTranslate:
        return name


def _call_part(call: _OpenCall) -> dict[str, Any]:
    started = call.started
    part: dict[str, Any] = {
        "functionCall": {
            "id": started.id,
            "name": _name(started.name),
            "args": _arguments("".join(call.arguments)),
        }
    }
    signature = write_signature(ReasoningSigned(started.signature, origin=started.origin))
    return part | ({"thoughtSignature": signature} if signature else {})


def _arguments(text: str) -> dict[str, Any]:
    """An object, whatever the model wrote: what is none is handed on under a name that says so."""
    arguments = read_object(text)
    return {"invalid_arguments": text} if arguments is None else arguments
