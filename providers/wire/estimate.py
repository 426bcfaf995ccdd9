"""How many tokens a request will take, as far as that can be told without the model's own tokeniser. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, assert_never

import orjson

from providers.wire.conversation import (
    Audio,
    Conversation,
    File,
    Image,
    Part,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from providers.wire.usage import Usage

CHARS_PER_TOKEN = 4
_IMAGE_TOKENS = 1_024
FILE_CHARS = _IMAGE_TOKENS * CHARS_PER_TOKEN
"""What a file that was generated counts as, where the provider does not say."""
_MESSAGE_TOKENS = 4
"""What marks a message's beginning and end."""
_BYTES_PER_TOKEN = 64
"""Of an encoded sound or document: a page is some 100 KB and 1,500 tokens, a minute of sound 100 KB and 1,900."""

_FILE_TOKENS = 1_500
"""Of a file that is only named: a page."""

# Where the surfaces keep what was said, and inside it the text.
_SAID = ("messages", "input", "prompt", "contents", "system", "systemInstruction", "instructions")
_IMAGES = frozenset({"image_url", "input_image", "image"})
_FILES = frozenset({"input_audio", "file", "input_file", "document"})
_GOOGLE_MEDIA = ("inlineData", "inline_data", "fileData", "file_data")
_TEXTS = ("content", "text", "parts", "tool_calls", "function", "arguments", "output")


def estimate_usage(body: Mapping[str, Any], output_chars: int) -> Usage:
    """What a call used whose provider did not say: characters of text, by the request of any surface. Marked."""
    said = sum(_count_chars(body.get(name)) for name in _SAID)
    tools = body.get("tools")
    chars = said + (len(orjson.dumps(tools, default=str)) if tools else 0)
    return Usage(-(-chars // CHARS_PER_TOKEN), -(-output_chars // CHARS_PER_TOKEN), is_estimated=True)


def missing_usage(body: Mapping[str, Any], output_chars: int, *, has_output: bool) -> Usage:
    """What is told and billed where a provider reports nothing: of what it did not generate, nothing."""
    return estimate_usage(body, output_chars) if has_output else Usage(is_estimated=True)


@dataclass(slots=True)
class UsageReport:
    """How many characters a provider had generated when it last told its usage.

    `is_early`: none, and nothing else either, so that it said nothing of what was generated.
    """

    chars: int = 0
    is_early: bool = False

    def note(self, chars: int, *, has_output: bool) -> None:
        self.chars, self.is_early = chars, not has_output

    def complete(self, usage: Usage | None, chars: int) -> Usage | None:
        """What was told, with an estimate of what was generated since; None where nothing was told."""
        if usage is None or chars == self.chars:
            return usage
        generated = -(-(chars - self.chars) // CHARS_PER_TOKEN)
        return replace(usage, output_tokens=usage.output_tokens + generated, is_estimated=True)


def _count_chars(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(map(_count_chars, value))
    if isinstance(value, Mapping):
        texts = sum(_count_chars(value[name]) for name in _TEXTS if name in value)
        return texts + CHARS_PER_TOKEN * _media_tokens(value)
    # A token number counts as a token.
    return CHARS_PER_TOKEN if isinstance(value, int) else 0


def _media_tokens(part: Mapping[str, Any]) -> int:
    """Of an image, a file or a sound, as any surface has it; 0 for what is none."""
    media = next((part[name] for name in _GOOGLE_MEDIA if isinstance(part.get(name), Mapping)), None)
    if media is not None:
        kind = str(media.get("mimeType") or media.get("mime_type"))
        return _IMAGE_TOKENS if kind.startswith("image/") else _file_tokens(media)
    match part.get("type"):
        case str(kind) if kind in _IMAGES:
            return _IMAGE_TOKENS
        case str(kind) if kind in _FILES:
            media = part.get(kind) or part.get("source")
            return _file_tokens(media if isinstance(media, Mapping) else part)
    return 0


def _file_tokens(media: Mapping[str, Any]) -> int:
    data = media.get("data") or media.get("file_data")
    if media.get("type") in {"text", "content"}:
        # Anthropic's documents of plain text and of blocks.
        return -(-_count_chars(data or media.get("content")) // CHARS_PER_TOKEN)
    return len(data) // _BYTES_PER_TOKEN if isinstance(data, str) else _FILE_TOKENS


def estimate_input_tokens(conversation: Conversation) -> int:
    """Never 0."""
    told = sum(_MESSAGE_TOKENS + sum(map(_part, message.parts)) for message in conversation.messages)
    schema = conversation.output.schema if conversation.output else None
    return max(1, told + sum(map(_tool, conversation.tools)) + (_json(schema) if schema else 0))


def _part(part: Part) -> int:
    match part:
        case Text() | Refusal() | Reasoning():
            return _text(part.text)
        case Image():
            return _IMAGE_TOKENS
        case Audio():
            return len(part.data) // _BYTES_PER_TOKEN
        case File():
            if part.text:
                return _text(part.text)
            return len(part.data) // _BYTES_PER_TOKEN if part.data else _FILE_TOKENS
        case ToolCall():
            return _text(part.name) + _text(part.arguments)
        case ToolResult():
            return sum(map(_part, part.parts))
    assert_never(part)


def _tool(tool: Tool) -> int:
    return _text(tool.name) + _text(tool.description or "") + _json(tool.parameters or {})


def _json(value: object) -> int:
    return _text(orjson.dumps(value).decode())


def _text(text: str) -> int:
    return -(-len(text) // CHARS_PER_TOKEN)
