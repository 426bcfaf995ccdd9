"""Reads a whole answer of a provider that speaks Anthropic Messages."""

from collections.abc import Mapping
from typing import Any

import orjson

from providers.formats.answer_tool import ANSWER_TOOL
from providers.formats.anthropic.failures import read_inner_failure
from providers.formats.anthropic.finish import read_finish, read_tier
from providers.formats.anthropic.signatures import ORIGIN, read_signature
from providers.formats.anthropic.tool_names import read_name
from providers.formats.anthropic.usage import read_usage
from providers.wire.events import (
    CitationAdded,
    Event,
    Native,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    TextDelta,
    ToolArguments,
    ToolCallStarted,
    UsageSeen,
)
from providers.wire.failure import bad_response


def read_answer(value: Any) -> list[Event]:
    """Raises UpstreamFailure."""
    if not isinstance(value, Mapping) or value.get("type") == "error" or value.get("error"):
        raise read_inner_failure(value)
    content = value.get("content")
    if not isinstance(content, list):
        raise bad_response()
    events: list[Event] = [Started(text_of(value, "id"), read_tier(value.get("usage")))]
    calls = 0
    for block in content:
        events += _read_block(block, calls)
        calls += is_call(block)
    events += _read_end(value, has_calls=calls > 0)
    return events


def is_call(block: object) -> bool:
    """A call for the client: the structured answer by a tool is none."""
    is_tool = isinstance(block, Mapping) and block.get("type") == "tool_use"
    return is_tool and isinstance(block, Mapping) and block.get("name") != ANSWER_TOOL


def text_of(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    return text if isinstance(text, str) else ""


def read_citation(value: object) -> CitationAdded:
    """`native` is left out where the provider sent something else."""
    citation: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
    return CitationAdded(
        url=text_of(citation, "url") or None,
        title=text_of(citation, "title") or text_of(citation, "document_title") or None,
        cited_text=text_of(citation, "cited_text") or None,
        native=citation or None,
    )


def start_call(block: Mapping[str, Any], index: int) -> ToolCallStarted:
    return ToolCallStarted(index, text_of(block, "id"), read_name(text_of(block, "name")))


def _read_end(value: Mapping[str, Any], *, has_calls: bool) -> list[Event]:
    finish = read_finish(value, has_calls=has_calls)
    if not finish:
        raise bad_response("The provider's answer does not say why it ended.")
    usage = read_usage(value.get("usage"))
    return [*finish, UsageSeen(usage)] if usage else finish


def _read_block(block: object, index: int) -> list[Event]:
    if not isinstance(block, Mapping):
        raise bad_response()
    kind = block.get("type")
    if kind == "text":
        citations = block.get("citations")
        cited = map(read_citation, citations) if isinstance(citations, list) else ()
        return [*([TextDelta(text)] if (text := text_of(block, "text")) else []), *cited]
    if kind == "thinking":
        signed = read_signature(text_of(block, "signature"))
        return [ReasoningDelta(text), signed] if (text := text_of(block, "thinking")) else [signed]
    if kind == "redacted_thinking":
        return [ReasoningSigned(encrypted=text_of(block, "data"), origin=ORIGIN)]
    return _read_call(block, index) if kind == "tool_use" else read_unknown(block)


def read_unknown(block: Mapping[str, Any]) -> list[Event]:
    """What Anthropic's own tools did, for its own clients; nothing of a block without a kind."""
    kind = text_of(block, "type")
    return [Native(ORIGIN, dict(block), f"content.{kind}")] if kind else []


def _read_call(block: Mapping[str, Any], index: int) -> list[Event]:
    arguments = orjson.dumps(block.get("input") or {}).decode()
    if not is_call(block):
        return [TextDelta(arguments)]
    return [start_call(block, index), ToolArguments(index, arguments)]
