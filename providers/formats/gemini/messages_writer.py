"""Writes messages as contents and systemInstruction."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from providers.formats.base import CannotTranslate, no_object
from providers.formats.field_names import client_field
from providers.formats.gemini.media import write_audio, write_file, write_image
from providers.formats.gemini.members import camel
from providers.formats.gemini.signatures import ORIGIN, UNSIGNED, write_signature
from providers.formats.notes import Notes
from providers.formats.turns import merge_turns
from providers.formats.wording import is_as_read, members_of, merged, wording_in
from providers.wire.conversation import (
    Audio,
    Conversation,
    File,
    Image,
    Message,
    Native,
    Part,
    Reasoning,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
)
from providers.wire.events import ReasoningSigned
from providers.wire.json_text import read_object
from providers.wire.parts import of_kind, said_in

_CALLS = frozenset({"functionCall", "function_call"})
_SIGNATURES = frozenset({"thoughtSignature", "thought_signature"})
_WORDS = frozenset({Text, Refusal})
_ROLES = {Role.USER: "user", Role.SYSTEM: "user", Role.ASSISTANT: "model"}


class PartList:
    """Gemini signs texts and calls, not its thoughts.

    Other formats know signed thoughts only, so that with them the signature stands before the text or the call that it
    came with; what bears only a signature belongs to the text before it, if that is its neighbour. With `keeps_places`
    (a client of Gemini's own format) a signature stays on the thoughts that bear it.
    """

    def __init__(self, *, keeps_places: bool) -> None:
        self._keeps_places = keeps_places
        self._parts: list[dict[str, Any]] = []
        self._waiting: str | None = None

    def add_text(self, text: str) -> None:
        if text:
            self._parts.append(self._signed({"text": text}))

    def add_call(self, call: dict[str, Any]) -> None:
        if self._keeps_places or "thoughtSignature" in call:
            self.add(call)
        else:
            self._parts.append(self._signed(call))

    def add_reasoning(self, thoughts: Reasoning) -> None:
        signed = ReasoningSigned(thoughts.signature, thoughts.encrypted, thoughts.origin, thoughts.id)
        signature = write_signature(signed)
        if thoughts.text:
            self.add({"text": thoughts.text, "thought": True})
        if signature and (self._keeps_places if thoughts.text else self._follows_text()):
            self._parts[-1]["thoughtSignature"] = signature
        elif signature:
            self._release()
            self._waiting = signature

    def add(self, part: dict[str, Any]) -> None:
        self._release()
        self._parts.append(part)

    def finish(self) -> list[dict[str, Any]]:
        self._release()
        return self._parts

    def _follows_text(self) -> bool:
        return bool(self._parts) and self._waiting is None and self._parts[-1].keys() == {"text"}

    def _signed(self, part: dict[str, Any]) -> dict[str, Any]:
        signature, self._waiting = self._waiting, None
        return part | {"thoughtSignature": signature} if signature else part

    def _release(self) -> None:
        """A signature that nothing of its kind followed stands alone."""
        if self._waiting:
            self._parts.append({"text": "", "thoughtSignature": self._waiting})
            self._waiting = None


class ContentsWriter:
    """`needs_signatures`: the model refuses a turn whose first call bears none.

    Without `takes_media_in_results` what a tool gave beside text stands beside its result.
    """

    def __init__(
        self,
        conversation: Conversation,
        notes: Notes,
        *,
        needs_signatures: bool,
        takes_media_in_results: bool,
    ) -> None:
        self._notes = notes
        self._source = conversation.source
        self._needs_signatures = needs_signatures
        self._is_own = conversation.source == ORIGIN
        self._takes_media = takes_media_in_results or self._is_own
        messages = conversation.messages
        self._messages = messages if self._is_own else merge_turns(messages)
        calls = of_kind(said_in(conversation.messages), ToolCall)
        self._names = {call.id: call.name for call in calls}

    def write(self) -> dict[str, Any]:
        """Raises CannotTranslate."""
        leading = _count_leading(self._messages)
        rest = self._messages[leading:]
        contents = self._own_contents(rest) if self._is_own else self._contents(rest)
        if not contents:
            raise self._refusal("messages", "This provider needs a turn of the user.")
        return {"contents": contents} | self._instruction(self._messages[:leading])

    def _own_contents(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """One for each, but for those of which nothing is left."""
        written = [self._own_content(message) for message in messages]
        return [content for content in written if content["parts"]]

    def _own_content(self, message: Message) -> dict[str, Any]:
        wording = wording_in(message, ORIGIN)
        original = wording.value if wording else {}
        is_same_role = is_as_read(message, ORIGIN, "role")
        role = {} if is_same_role else {"role": _ROLES[message.role]}
        return {**original, **role, "parts": self._own_parts(message)}

    def _own_parts(self, message: Message) -> list[dict[str, Any]]:
        written = [
            part
            for _, group in groupby(message.parts, _wording_number)
            for part in self._own_group(self._fitted(group))
        ]
        return _with_signature(written) if self._needs_signatures else written

    def _own_group(self, parts: tuple[Part, ...]) -> list[dict[str, Any]]:
        """The parts of one wording: of its client, a text and the signature of it, say, are one."""
        match parts:
            case () | (Native(),):
                return [part.value for part in parts if isinstance(part, Native)]
        wording = wording_in(parts[0], ORIGIN)
        if wording is None:
            return self._anew(parts)
        if wording.read == tuple(map(members_of, parts)):
            return [wording.value]
        read = [kind(*members) for kind, *members in wording.read]
        before, now = self._anew(read), self._anew(parts)
        if len(before) != 1 or len(now) != 1:
            return now
        original = {camel(name): value for name, value in wording.value.items()}
        return [merged(original, before[0], now[0])]

    def _fitted(self, parts: Iterable[Part]) -> tuple[Part, ...]:
        """Without signatures of other makers, which Google refuses."""
        fitted = (self._fitted_part(part) for part in parts)
        return tuple(part for part in fitted if part is not None)

    def _fitted_part(self, part: Part) -> Part | None:
        if not isinstance(part, Reasoning | ToolCall) or not _is_foreign(part):
            return part
        if isinstance(part, ToolCall):
            return replace(part, signature=None, origin="")
        if part.encrypted and not self._is_own:
            self._notes.lose("reasoning", "")
        return replace(part, signature=None, encrypted=None, origin="") if part.text else None

    def _contents(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        contents: list[dict[str, Any]] = []
        for message in messages:
            role, parts = _ROLES[message.role], self._parts(message)
            if contents and contents[-1]["role"] == role:
                contents[-1]["parts"] += parts
            elif parts:
                contents.append({"role": role, "parts": parts})
        for content in contents:
            if len(content["parts"]) > 1:
                content["parts"].sort(key=lambda part: "functionResponse" not in part)
        return contents

    def _instruction(self, messages: Sequence[Message]) -> dict[str, Any]:
        """All that the system says in front, which is one content."""
        if len(messages) == 1 and is_as_read(messages[0], ORIGIN, "role", "parts"):
            wording = wording_in(messages[0], ORIGIN)
            return {"systemInstruction": wording.value} if wording else {}
        written: dict[str, Any] = {}
        for message in messages:
            self._refuse_name(message)
            wording = wording_in(message, ORIGIN)
            parts = self._own_parts(message) if self._is_own else [*map(self._system_part, message.parts)]
            written |= (wording.value if wording else {}) | {"parts": [*written.get("parts", ()), *parts]}
        return {"systemInstruction": written} if written.get("parts") else {}

    def _parts(self, message: Message) -> list[dict[str, Any]]:
        self._refuse_name(message)
        if message.role is Role.SYSTEM:
            path = f"{client_field(self._source, 'messages')} of the system"
            self._notes.tell_path(path, "contents of the user")
        if _WORDS.issuperset(map(type, message.parts)):
            # Nothing of these is signed.
            words: Iterable[Any] = message.parts
            return [{"text": part.text} for part in words if part.text]
        written = self._anew(self._fitted(message.parts))
        return _with_signature(written) if self._needs_signatures else written

    def _anew(self, parts: Iterable[Part]) -> list[dict[str, Any]]:
        written = PartList(keeps_places=self._is_own)
        for part in parts:
            self._append(written, part)
        return written.finish()

    def _append(self, parts: PartList, part: Part) -> None:
        match part:
            case Text() | Refusal():
                parts.add_text(part.text)
            case Reasoning():
                parts.add_reasoning(part)
            case ToolCall():
                parts.add_call(self._call(part))
            case Image() | Audio() | File():
                parts.add(self._media(part))
            case ToolResult():
                self._append_result(parts, part)

    def _append_result(self, parts: PartList, result: ToolResult) -> None:
        response = self._result(result)
        media = [self._media(part) for part in result.parts if isinstance(part, Image | File)]
        if not media or self._takes_media:
            parts.add({"functionResponse": response | ({"parts": media} if media else {})})
            return
        self._notes.note("tool_result", "attachments beside it")
        parts.add({"functionResponse": response})
        parts.add_text(f"Attached to the result of the call {result.call_id}:")
        for part in media:
            parts.add(part)

    def _media(self, part: Image | Audio | File) -> dict[str, Any]:
        match part:
            case Image():
                return write_image(part)
            case Audio():
                return write_audio(part)
            case File():
                return write_file(part, client_field(self._source, "file"))

    def _call(self, call: ToolCall) -> dict[str, Any]:
        function = {"id": call.id, "name": call.name, "args": self._arguments(call)}
        signature = write_signature(ReasoningSigned(call.signature, origin=call.origin))
        return {"functionCall": function} | ({"thoughtSignature": signature} if signature else {})

    def _arguments(self, call: ToolCall) -> dict[str, Any]:
        arguments = read_object(call.arguments)
        if arguments is None:
            raise self._refusal("tool_arguments", no_object(call.id))
        return arguments

    def _result(self, result: ToolResult) -> dict[str, Any]:
        if result.call_id not in self._names:
            raise self._refusal("tool_result", f"There is no tool call '{result.call_id}' for this result.")
        texts = [part.text for part in result.parts if isinstance(part, Text)]
        return {
            "id": result.call_id,
            "name": self._names[result.call_id],
            "response": {"error" if result.is_error else "result": "\n".join(texts)},
        }

    def _system_part(self, part: Part) -> dict[str, Any]:
        if not isinstance(part, Text):
            raise self._refusal("messages", "This provider takes system messages of text only.")
        return {"text": part.text}

    def _refuse_name(self, message: Message) -> None:
        if message.name:
            raise self._refusal("name", "This provider has no names for those who speak.")

    def _refusal(self, field: str, message: str) -> CannotTranslate:
        return CannotTranslate(message, param=client_field(self._source, field))


def _with_signature(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first call of a turn bears one. Both are written as clients may."""
    first = next((place for place, part in enumerate(parts) if not _CALLS.isdisjoint(part)), None)
    if first is not None and _SIGNATURES.isdisjoint(parts[first]):
        parts[first] = {**parts[first], "thoughtSignature": UNSIGNED}
    return parts


def _is_foreign(part: Reasoning | ToolCall) -> bool:
    is_signed = part.signature or (isinstance(part, Reasoning) and part.encrypted)
    return bool(is_signed) and part.origin != ORIGIN


def _wording_number(part: Part) -> int:
    """The same for all parts that were read from one, and for all that were not read."""
    if isinstance(part, Native):
        return id(part)
    return 0 if part.wording is None else id(part.wording)


def _count_leading(messages: Iterable[Message]) -> int:
    count = 0
    for message in messages:
        if message.role is not Role.SYSTEM:
            break
        count += 1
    return count
