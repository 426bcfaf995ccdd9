"""Writes the system prompt and messages, and their content blocks."""

import base64
import binascii
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import takewhile
from operator import attrgetter
from typing import Any

from providers.formats.anthropic.cache_marks import write_cache_mark
from providers.formats.anthropic.signatures import ORIGIN
from providers.formats.anthropic.system_turns import place_system
from providers.formats.base import no_object
from providers.formats.notes import Notes
from providers.formats.turns import merge_turns
from providers.formats.wording import in_wording, wording_in
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
from providers.wire.json_text import read_object

Block = dict[str, Any]
_name_of = attrgetter("name")
_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_PDF = "application/pdf"


def write_messages(
    conversation: Conversation, notes: Notes, *, takes_later_system: bool | None
) -> dict[str, Any]:
    """`system`, where there is any, and `messages`. Raises CannotTranslate.

    `takes_later_system` as in KnownModel: what is not known is left to clients of Anthropic's format.
    """
    messages = conversation.messages
    leading = list(takewhile(_stands_in_front, messages))
    rest = messages[len(leading) :]
    if conversation.source == ORIGIN:
        turns = [turn for message in rest if (turn := _write_own(message, notes))["content"]]
        if takes_later_system is False:
            turns = place_system(turns, notes, takes_later_system=False)
    else:
        _refuse_names(messages, notes)
        turns = _write_turns(merge_turns(rest), notes)
        turns = place_system(turns, notes, takes_later_system=takes_later_system is True)
        _strip_end(turns)
    if not turns:
        raise notes.refuse(
            "messages", "The chosen provider needs at least one message that is not the system's."
        )
    system = _write_system(leading, notes)
    return ({"system": system} if system else {}) | {"messages": turns}


def _stands_in_front(message: Message) -> bool:
    """Whether it is what `system` is for; clients of Anthropic's format may have others among the messages."""
    wording = wording_in(message, ORIGIN)
    return message.role is Role.SYSTEM and not (wording and isinstance(wording.value, dict))


def _write_system(messages: Sequence[Message], notes: Notes) -> str | list[Block]:
    if len(messages) == 1 and (wording := wording_in(messages[0], ORIGIN)):
        text: Any = wording.value
        if _says(messages[0], text) and _says_something(text, notes):
            return str(text)
    return [block for message in messages for block in write_blocks(message.parts, Role.SYSTEM, notes)]


def _write_own(message: Message, notes: Notes) -> dict[str, Any]:
    """One message for each. Its content is empty where Anthropic does without all that it says."""
    wording = wording_in(message, ORIGIN)
    original = wording.value if wording else {}
    content = original.get("content")
    if not (_says(message, content) and _says_something(str(content), notes)):
        content = write_blocks(message.parts, message.role, notes)
    return {**original, "role": str(message.role), "content": content}


def _says(message: Message, text: object) -> bool:
    """Whether this is all."""
    return isinstance(text, str) and (message.parts == (Text(text),) if text else not message.parts)


def _write_turns(messages: Sequence[Message], notes: Notes) -> list[dict[str, Any]]:
    """A turn that is empty in this format is left out, and its neighbours become one."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        blocks: list[Block] = write_blocks(message.parts, message.role, notes)
        if not blocks:
            continue
        role = str(message.role)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return turns


def _strip_end(turns: Sequence[dict[str, Any]]) -> None:
    """An answer that the model is to go on with may not end in white space."""
    if turns and turns[-1]["role"] == "assistant" and (last := turns[-1]["content"][-1])["type"] == "text":
        last["text"] = last["text"].rstrip()


def _refuse_names(messages: Sequence[Message], notes: Notes) -> None:
    if any(map(_name_of, messages)):
        raise notes.refuse("name", "The chosen provider has no names for those who speak.")


def write_blocks(parts: Iterable[Part], role: Role, notes: Notes) -> list[Block]:
    """Raises CannotTranslate for the first part that cannot be said, or not by this role.

    Without what Anthropic refuses, and does without: empty texts, and thoughts that it did not sign.
    """
    blocks = []
    for part in parts:
        if isinstance(part, Text):
            if _says_something(part.text, notes):
                blocks.append(in_wording(part, ORIGIN, _write_text))
        elif (block := _write_part(part, role, notes)) is not None:
            blocks.append(block)
    return blocks


def _write_part(part: Part, role: Role, notes: Notes) -> Block | None:
    """What is no text. None for thoughts that Anthropic did not sign, and refusals without words."""
    if isinstance(part, Native):
        native: Block = part.value
        return native
    if role is Role.SYSTEM:
        raise notes.refuse("messages", "The chosen provider takes nothing but text in system messages.")
    if isinstance(part, Audio):
        raise notes.refuse("audio", "The chosen provider takes no audio.")
    if isinstance(part, Reasoning):
        return _write_reasoning(part, notes)
    if isinstance(part, Refusal):
        notes.note("messages", "text (a refusal)")
        return {"type": "text", "text": part.text} if _says_something(part.text, notes) else None
    if isinstance(part, ToolCall):
        return in_wording(_own_call(part), ORIGIN, lambda call: _write_call(call, notes))
    if isinstance(part, ToolResult):
        return in_wording(part, ORIGIN, lambda result: _write_result(result, notes))
    return in_wording(part, ORIGIN, lambda media: _write_media(media, notes))


def _says_something(text: str, notes: Notes) -> bool:
    """Anthropic takes no texts of nothing but white space."""
    if text.isspace():
        notes.note("messages", "without texts of white space")
        return False
    return bool(text)


def _write_text(text: Text) -> Block:
    block = {"type": "text", "text": text.text}
    return block if text.cache is None else block | write_cache_mark(text.cache)


def _write_media(part: Image | File, notes: Notes) -> Block:
    block = _write_image(part, notes) if isinstance(part, Image) else _write_file(part, notes)
    return block | write_cache_mark(part.cache)


def _write_image(image: Image, notes: Notes) -> Block:
    # How closely an image is looked at cannot be asked for; Anthropic always looks as closely as it can.
    if image.detail not in {None, "auto", "high", "original"}:
        notes.lose("image_detail", "")
    if image.url is not None:
        return {"type": "image", "source": {"type": "url", "url": image.url}}
    if image.media_type not in _IMAGES:
        raise notes.refuse("messages", f"The chosen provider takes no images of type '{image.media_type}'.")
    source = {"type": "base64", "media_type": image.media_type, "data": image.data}
    return {"type": "image", "source": source}


def _write_file(file: File, notes: Notes) -> Block:
    title = {"title": file.name} if file.name else {}
    return {"type": "document", "source": _source(file, notes)} | title


def _source(file: File, notes: Notes) -> Block:
    if file.text is not None:
        return {"type": "text", "media_type": "text/plain", "data": file.text}
    if file.url is not None:
        return {"type": "url", "url": file.url}
    if file.file_id is not None:
        if file.origin != ORIGIN:
            raise notes.refuse("file", "The chosen provider does not have the file of this id.")
        return {"type": "file", "file_id": file.file_id}
    return _base64_source(file.data or "", file.media_type, notes)


def _base64_source(data: str, media_type: str | None, notes: Notes) -> Block:
    is_pdf = data.startswith("JVBERi0")  # `%PDF-` in base64
    if media_type == _PDF or (media_type is None and is_pdf):
        return {"type": "base64", "media_type": _PDF, "data": data}
    if media_type != "text/plain":
        raise notes.refuse("file", f"The chosen provider takes PDF and plain text, not '{media_type}'.")
    try:
        text = base64.b64decode(data).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise notes.refuse("file", "The plain text of a file has to be UTF-8 in base64.") from None
    return {"type": "text", "media_type": "text/plain", "data": text}


def _write_reasoning(part: Reasoning, notes: Notes) -> Block | None:
    """Anthropic takes its own signed thoughts and no others: those of other models are left out."""
    if part.origin == ORIGIN and (part.encrypted is not None or part.signature is not None):
        return in_wording(part, ORIGIN, _write_thoughts)
    notes.lose("reasoning", "")
    return None


def _write_thoughts(part: Reasoning) -> Block:
    if part.encrypted is not None:
        return {"type": "redacted_thinking", "data": part.encrypted}
    return {"type": "thinking", "thinking": part.text, "signature": part.signature}


def _own_call(call: ToolCall) -> ToolCall:
    """As Anthropic takes it: without a signature."""
    return call if call.signature is None else replace(call, signature=None, origin="")


def _write_call(call: ToolCall, notes: Notes) -> Block:
    arguments = read_object(call.arguments)
    if arguments is None:
        raise notes.refuse("tool_arguments", no_object(call.id))
    block = {"type": "tool_use", "id": call.id, "name": call.name}
    return block | {"input": arguments} | write_cache_mark(call.cache)


def _write_result(result: ToolResult, notes: Notes) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": result.call_id}
    if content := write_blocks(result.parts, Role.USER, notes):
        block["content"] = content
    if result.is_error:
        block["is_error"] = True
    return block | write_cache_mark(result.cache)
