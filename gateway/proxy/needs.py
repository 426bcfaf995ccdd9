"""What a request needs from an offering, read from the request. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from providers.formats.embeddings.client import read_request
from providers.formats.endpoints import EMBEDDINGS
from providers.formats.spelling import spelt
from providers.wire.conversation import (
    Audio,
    Conversation,
    Image,
    OutputKind,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)
from providers.wire.embedding import EmbeddingRequest

_ROUGH_CHARS_PER_TOKEN = 4
_FORMS: Mapping[Any, str] = {"json_object": "response_format", "json_schema": "structured_outputs"}
_SPELT_IN_CHAT = {"structured_outputs": "response_format"}


@dataclass(slots=True)
class Needs:
    """What a request needs from an offering. `params` are those without which the answer would be another one.

    `spelling` tells how the client writes parameters, where that is otherwise than their names in the catalogue.
    """

    endpoint: str
    is_streamed: bool = False
    params: frozenset[str] = frozenset()
    input_types: frozenset[str] = frozenset()
    input_tokens: int = 0
    """A rough count, for context windows."""
    requires_all: bool = False
    """An offering has to declare all of `params`: one that declares nothing does not do."""
    embedding: EmbeddingRequest | None = None
    """The request itself, where it is one for embeddings: each provider's format says what it cannot do of it."""
    spelling: Mapping[str, str] = field(default_factory=dict, compare=False)
    conversation: Conversation | None = field(default=None, compare=False, repr=False)
    """The request itself, where its format has read it."""

    def requiring(self, used: Mapping[str, str]) -> "Needs":
        """The same with every parameter that is used: the catalogue's name → the client's."""
        return replace(self, params=frozenset(used), spelling={**self.spelling, **used}, requires_all=True)


def read_needs(endpoint: str, body: Mapping[str, Any]) -> Needs:
    """What this request needs, read from its body (OpenAI's form). Raises BadRequest."""
    if endpoint == EMBEDDINGS:
        return Needs(endpoint, embedding=read_request(body))
    params = {name for name in ("tools", "logprobs") if body.get(name)}
    form = _FORMS.get((body.get("response_format") or {}).get("type"))
    if form:
        params.add(form)
    chars, kinds = _measure(body["messages"])
    return Needs(
        endpoint,
        is_streamed=bool(body.get("stream")),
        params=frozenset(params),
        input_types=frozenset(kinds),
        input_tokens=chars // _ROUGH_CHARS_PER_TOKEN,
        spelling=_SPELT_IN_CHAT if form else {},
    )


def needs_of_conversation(conversation: Conversation, endpoint: str, *, is_streamed: bool) -> Needs:
    """The same, of a request in any format."""
    parts = list(_parts(part for message in conversation.messages for part in message.parts))
    kind = conversation.output.kind if conversation.output else OutputKind.TEXT
    asked = {
        "tools": bool(conversation.tools),
        "response_format": kind is OutputKind.JSON,
        "structured_outputs": kind is OutputKind.SCHEMA,
        "logprobs": bool(conversation.sampling.logprobs),
    }
    form = spelt(conversation.source, "output")
    kinds = {"image": Image, "audio": Audio}
    return Needs(
        endpoint,
        is_streamed=is_streamed,
        params=frozenset(name for name, is_asked in asked.items() if is_asked),
        input_types=frozenset(
            name for name, kind in kinds.items() if any(isinstance(part, kind) for part in parts)
        ),
        input_tokens=sum(map(_chars, parts)) // _ROUGH_CHARS_PER_TOKEN,
        spelling={
            "response_format": form,
            "structured_outputs": form,
            "logprobs": spelt(conversation.source, "logprobs"),
            "messages": spelt(conversation.source, "messages"),
        },
        conversation=conversation,
    )


def _parts(parts: Iterator[Part]) -> Iterator[Part]:
    """With those inside the results of tools."""
    for part in parts:
        yield part
        if isinstance(part, ToolResult):
            yield from part.parts


def _chars(part: Part) -> int:
    match part:
        case Text() | Refusal() | Reasoning():
            return len(part.text)
        case ToolCall():
            return len(part.arguments)
    return 0


def _measure(messages: Sequence[Mapping[str, Any]]) -> tuple[int, set[str]]:
    """Characters of text, and the kinds of input besides text."""
    chars, kinds = 0, set()
    for message in messages:
        content = message.get("content")
        if isinstance(content, str):
            chars += len(content)
            continue
        for part in content or ():
            chars += len(part.get("text") or "")
            if part["type"] == "image_url":
                kinds.add("image")
            elif part["type"] == "input_audio":
                kinds.add("audio")
    return chars, kinds
