"""Reads a client's request for a response."""

from collections.abc import Mapping
from typing import Any

from providers.formats.base import BadRequest
from providers.formats.fields import Fields
from providers.formats.openai.request_reader import read_effort, read_plain_output, read_schema
from providers.formats.responses.messages_reader import ItemReader
from providers.formats.responses.signatures import ORIGIN
from providers.formats.responses.tools import read_tool_choice, read_tools
from providers.formats.turns import says_something
from providers.formats.wording import as_read
from providers.wire.conversation import (
    Conversation,
    Message,
    OutputFormat,
    ReasoningConfig,
    Role,
    Sampling,
    Text,
)

ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"
# That something is stored is for the gateway: no provider keeps anything. That nothing is, others are told.
_NOT_TRANSLATED = ("model", "stream")
# These stand for items that the provider or the gateway keeps.
_KEPT = ("previous_response_id", "conversation", "prompt")


def read_request(body: Mapping[str, Any]) -> Conversation:
    fields = Fields(body)
    fields.skip(*_NOT_TRANSLATED)
    messages = _read_input(fields)
    include = _read_include(fields)
    output, verbosity = _read_text(fields)
    user, user_before = fields.text("safety_identifier"), fields.text("user")
    own = {
        "store": False if fields.flag("store") is False else None,
        "include": [name for name in include if name not in {ENCRYPTED, LOGPROBS}] or None,
    }
    conversation = Conversation(
        messages=messages,
        source=ORIGIN,
        max_output_tokens=fields.integer("max_output_tokens"),
        sampling=_read_sampling(fields, has_logprobs=LOGPROBS in include),
        tools=read_tools(fields),
        tool_choice=read_tool_choice(fields),
        parallel_tool_calls=fields.flag("parallel_tool_calls"),
        output=output,
        reasoning=_read_reasoning_config(fields, wants_encrypted=ENCRYPTED in include),
        verbosity=verbosity,
        service_tier=fields.text("service_tier"),
        user_id=user or user_before,
        metadata=fields.mapping("metadata"),
        extra=fields.own | {name: value for name, value in own.items() if value is not None} | fields.rest(),
    )
    return as_read(conversation, ORIGIN, body, {})


def _read_input(fields: Fields) -> tuple[Message, ...]:
    instructions, value = fields.text("instructions"), fields.any("input")
    messages = [] if instructions is None else [_plain(Role.SYSTEM, instructions)]
    kept = [name for name in _KEPT if fields.any(name) is not None]
    for name in kept:
        fields.set_aside(name)
    reader = ItemReader(needs_calls=not kept)
    if isinstance(value, str):
        messages.append(_plain(Role.USER, value))
    else:
        messages += reader.read(fields)
    if not kept and not any(map(says_something, messages)):
        raise BadRequest("'input' has to hold something.", param="input")
    return tuple(messages)


def _plain(role: Role, text: str) -> Message:
    return as_read(Message(role, (Text(text),) if text else ()), ORIGIN, text, {})


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


def _read_text(fields: Fields) -> tuple[OutputFormat | None, str | None]:
    text = fields.part("text")
    if text is None:
        return None, None
    wanted, verbosity = text.part("format"), text.text("verbosity")
    text.end()
    return None if wanted is None else _read_output(wanted), verbosity


def _read_output(wanted: Fields) -> OutputFormat:
    kind = wanted.needed("type")
    return read_schema(wanted) if kind == "json_schema" else read_plain_output(wanted, kind)


def _read_reasoning_config(fields: Fields, *, wants_encrypted: bool) -> ReasoningConfig | None:
    """Whoever asks for encrypted thoughts has said that there shall be thoughts, if not how many."""
    reasoning = fields.part("reasoning")
    if reasoning is None:
        return ReasoningConfig() if wants_encrypted else None
    effort = read_effort(reasoning, "effort")
    summary = reasoning.text("summary") or reasoning.text("generate_summary")
    reasoning.skip("generate_summary")
    reasoning.end()
    return ReasoningConfig(effort, is_included=None if summary is None else summary != "none")
