"""Reads a client's request for a response."""

from collections.abc import Mapping
from typing import Any

from providers.formats.base import BadRequest
from providers.formats.chat.settings import read_effort, read_plain_output, read_schema
from providers.formats.fields import Fields
from providers.formats.responses.read_items import ItemReader
from providers.formats.responses.seals import ORIGIN
from providers.formats.responses.tools import read_tool_choice, read_tools
from providers.formats.turns import merge_turns
from providers.wire.conversation import Conversation, Message, OutputFormat, Role, Sampling, Text, Thinking

ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"
# `store` is for the gateway: no provider keeps anything.
_NOT_TRANSLATED = ("model", "stream", "stream_options", "store")
# These stand for items that the provider or the gateway keeps.
_KEPT = ("previous_response_id", "conversation", "prompt")


def read_request(body: Mapping[str, Any]) -> Conversation:
    """`extra` holds the whole `input` under the path of the first item that only Responses has."""
    fields = Fields(body)
    fields.skip(*_NOT_TRANSLATED)
    messages, foreign = _read_input(fields)
    tools, other_tools = read_tools(fields)
    choice, other_choice = read_tool_choice(fields)
    include = _read_include(fields)
    output, verbosity, other_text = _read_text(fields)
    thinking, other_reasoning = _read_thinking(fields, wants_encrypted=ENCRYPTED in include)
    user, user_before = fields.text("safety_identifier"), fields.text("user")
    other_include = [name for name in include if name not in {ENCRYPTED, LOGPROBS}]
    return Conversation(
        messages=messages,
        source=ORIGIN,
        max_output_tokens=fields.integer("max_output_tokens"),
        sampling=_read_sampling(fields, has_logprobs=LOGPROBS in include),
        tools=tools,
        tool_choice=choice,
        parallel_tool_calls=fields.flag("parallel_tool_calls"),
        output=output,
        thinking=thinking,
        verbosity=verbosity,
        service_tier=fields.text("service_tier"),
        user_id=user or user_before,
        metadata=fields.mapping("metadata"),
        extra=foreign
        | other_tools
        | other_choice
        | other_text
        | other_reasoning
        | ({"include": other_include} if other_include else {})
        | fields.rest(),
    )


def _read_input(fields: Fields) -> tuple[tuple[Message, ...], dict[str, Any]]:
    """The turns, and the whole input if some of it is none."""
    instructions, value = fields.text("instructions"), fields.any("input")
    messages = [Message(Role.SYSTEM, (Text(instructions),))] if instructions else []
    kept = {name: fields.any(name) for name in _KEPT if fields.any(name) is not None}
    reader = ItemReader(needs_calls=not kept)
    if isinstance(value, str):
        messages.append(Message(Role.USER, (Text(value),) if value else ()))
    else:
        messages += reader.read(fields.parts("input"))
    turns = merge_turns(messages)
    if not turns and not kept and reader.foreign is None:
        raise BadRequest("'input' has to hold something.", param="input")
    return turns, kept | ({reader.foreign: value} if reader.foreign else {})


def _read_sampling(fields: Fields, *, has_logprobs: bool) -> Sampling:
    return Sampling(
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        logprobs=True if has_logprobs else None,
        top_logprobs=fields.integer("top_logprobs"),
    )


def _read_include(fields: Fields) -> list[str]:
    names = [value for value, _ in fields.items("include")]
    if not all(isinstance(name, str) for name in names):
        raise fields.wrong("include", "has to be a list of strings")
    return names


def _read_text(fields: Fields) -> tuple[OutputFormat | None, str | None, dict[str, Any]]:
    text = fields.part("text")
    if text is None:
        return None, None, {}
    wanted, verbosity = text.part("format"), text.text("verbosity")
    return None if wanted is None else _read_output(wanted), verbosity, _nested(text)


def _read_output(wanted: Fields) -> OutputFormat:
    kind = wanted.needed("type")
    return read_schema(wanted) if kind == "json_schema" else read_plain_output(wanted, kind)


def _read_thinking(fields: Fields, *, wants_encrypted: bool) -> tuple[Thinking | None, dict[str, Any]]:
    """Whoever asks for encrypted thoughts has said that there shall be thoughts, if not how many."""
    reasoning = fields.part("reasoning")
    if reasoning is None:
        return (Thinking() if wants_encrypted else None), {}
    effort = read_effort(reasoning, "effort")
    summary = reasoning.text("summary") or reasoning.text("generate_summary")
    reasoning.skip("generate_summary")
    is_shown = None if summary is None else summary != "none"
    return Thinking(effort, is_shown=is_shown), _nested(reasoning)


def _nested(fields: Fields) -> dict[str, Any]:
    return {fields.at(name): value for name, value in fields.rest().items()}
