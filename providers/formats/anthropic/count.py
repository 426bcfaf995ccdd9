"""Estimates the input tokens of a conversation. Nothing here counts: the tokeniser is known to Anthropic alone."""

import math
from collections.abc import Iterable

import orjson

from providers.wire.conversation import (
    Audio,
    Conversation,
    File,
    Image,
    Native,
    Part,
    Tool,
    ToolCall,
    ToolResult,
)

# Claude's tokens are a little shorter than the four characters of an English rule of thumb.
_CHARACTERS_A_TOKEN = 3.5
_TOKENS_A_MESSAGE = 4
_TOKENS_A_TOOL = 8
# What Anthropic adds to the prompt as soon as there is a tool.
_TOKENS_OF_TOOL_USE = 346
# An image of one megapixel; its size is not known without decoding it.
_TOKENS_AN_IMAGE = 1_500
# A page of a PDF is some 3,000 tokens and 100 kB, which are 133 kB of base64.
_BASE64_A_TOKEN = 44
_LEAST_FOR_A_FILE = 1_500


def estimate_input_tokens(conversation: Conversation) -> int:
    """Right within a third or so for English prose; at least 1."""
    tokens = sum(
        _TOKENS_A_MESSAGE + _estimate_parts(message.parts) for message in conversation.messages
    ) + _estimate_tools(conversation.functions)
    if conversation.output is not None and conversation.output.schema is not None:
        tokens += _estimate_json(conversation.output.schema)
    return max(1, math.ceil(tokens))


def _estimate_parts(parts: Iterable[Part]) -> float:
    return sum(map(_estimate_part, parts))


def _estimate_part(part: Part) -> float:
    if isinstance(part, Image):
        return _TOKENS_AN_IMAGE
    if isinstance(part, File):
        return _estimate_file(part)
    if isinstance(part, Audio):
        return len(part.data) / _BASE64_A_TOKEN
    if isinstance(part, ToolResult):
        return _TOKENS_A_MESSAGE + _estimate_parts(part.parts)
    if isinstance(part, ToolCall):
        return _TOKENS_A_MESSAGE + _estimate_text(part.name + part.arguments)
    return 0 if isinstance(part, Native) else _estimate_text(part.text)


def _estimate_file(file: File) -> float:
    if file.text is not None:
        return _estimate_text(file.text)
    return max(_LEAST_FOR_A_FILE, len(file.data or "") / _BASE64_A_TOKEN)


def _estimate_tools(tools: Iterable[Tool]) -> float:
    counts = [
        _TOKENS_A_TOOL
        + _estimate_text(tool.name + (tool.description or ""))
        + _estimate_json(tool.parameters)
        for tool in tools
    ]
    return _TOKENS_OF_TOOL_USE + sum(counts) if counts else 0


def _estimate_json(value: object) -> float:
    return _estimate_text(orjson.dumps(value, default=dict).decode())


def _estimate_text(text: str) -> float:
    """Characters beyond Latin scripts are about a token each."""
    wide = 0 if text.isascii() else sum(character > "\u2e7f" for character in text)
    return wide + (len(text) - wide) / _CHARACTERS_A_TOKEN
