"""Writes a whole answer, made of the same blocks as a stream."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from providers.formats.anthropic.answer_blocks import AnswerBlocks, Member
from providers.formats.anthropic.finish import write_tier
from providers.formats.anthropic.usage import write_usage
from providers.formats.base import AnswerFacts
from providers.wire.events import Event
from providers.wire.usage import Usage


def write_answer(events: Sequence[Event], facts: AnswerFacts) -> Mapping[str, Any]:
    """`events` hold exactly one Finished. Usage that nobody reported is written as zero."""
    blocks = AnswerBlocks()
    members = blocks.put(events)
    message = write_message(facts, blocks.usage or Usage(), blocks.service_tier)
    return message | {"content": _fold(members)} | blocks.finish()


def write_message(facts: AnswerFacts, usage: Usage, service_tier: str | None) -> Member:
    """The answer around its content."""
    return {
        "id": f"msg_{facts.id}",
        "type": "message",
        "role": "assistant",
        "model": facts.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
        "usage": write_usage(usage) | write_tier(service_tier),
    }


def _fold(members: Sequence[Member]) -> list[Member]:
    """The blocks that a client would gather from a stream."""
    content: list[Member] = []
    arguments = ""
    for member in members:
        if member["type"] == "content_block_start":
            content.append(dict(member["content_block"]))
            arguments = ""
        elif member["type"] == "content_block_delta":
            arguments += member["delta"].get("partial_json", "")
            _add(content[-1], member["delta"])
        elif content[-1]["type"] == "tool_use":
            content[-1]["input"] = _read_input(arguments)
    return content


def _add(block: Member, delta: Member) -> None:
    kind = delta["type"]
    if kind == "text_delta":
        block["text"] += delta["text"]
    elif kind == "thinking_delta":
        block["thinking"] += delta["thinking"]
    elif kind == "signature_delta":
        block["signature"] = delta["signature"]
    elif kind == "citations_delta":
        block["citations"] = [*block.get("citations", []), delta["citation"]]


def _read_input(arguments: str) -> Any:
    """Broken arguments are the model's mistake, and still have to reach whoever can tell it so."""
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        value = None
    return value if isinstance(value, dict) else {"invalid_json": arguments}
