"""Writes a whole answer, made of the same blocks as a stream."""

from collections.abc import Mapping, Sequence
from typing import Any

from providers.formats.anthropic.answer_blocks import EMPTY, AnswerBlocks, Member
from providers.formats.anthropic.finish import write_tier
from providers.formats.anthropic.usage import write_usage
from providers.formats.base import AnswerFacts
from providers.wire.events import Event
from providers.wire.json_text import read_object
from providers.wire.usage import Usage

_SAID_IN = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


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
    said: list[str] = []
    for member in members:
        if member["type"] == "content_block_start":
            content.append(dict(member["content_block"]))
            said = []
        elif member["type"] == "content_block_delta":
            _add(content[-1], said, member["delta"])
        else:
            _end(content[-1], "".join(said))
    return content


def _add(block: Member, said: list[str], delta: Member) -> None:
    if delta["type"] == "signature_delta":
        block["signature"] = delta["signature"]
    elif delta["type"] == "citations_delta":
        block.setdefault("citations", []).append(delta["citation"])
    else:
        said.append(delta[_SAID_IN[delta["type"]]])


def _end(block: Member, said: str) -> None:
    if block["type"] == "tool_use":
        block["input"] = _read_input(said)
    elif block["type"] in EMPTY:
        block[block["type"]] = said


def _read_input(arguments: str) -> Any:
    """Broken arguments are the model's mistake, and still have to reach whoever can tell it so."""
    value = read_object(arguments)
    return {"invalid_json": arguments} if value is None else value
