"""Writes a request for a provider that speaks Responses."""

from dataclasses import replace
from typing import Any

from providers.formats.answer_tool import ask_by_tool
from providers.formats.base import Upstream, WrittenRequest
from providers.formats.extras import cache_settings, in_place
from providers.formats.marks import leave_marks
from providers.formats.notes import Notes, leave_natives
from providers.formats.openai.cache_marks import BREAKPOINT
from providers.formats.responses.messages_writer import ItemWriter
from providers.formats.responses.request_reader import ENCRYPTED, LOGPROBS
from providers.formats.responses.signatures import ORIGIN
from providers.formats.responses.tools import write_tool, write_tool_choice
from providers.formats.sampling import USUAL_EFFORTS, effort_of, fit_reasoning, fit_sampling, refused_thinking
from providers.formats.turns import merge_turns
from providers.formats.wording import in_wording, unchanged, wording_in
from providers.wire.conversation import (
    Conversation,
    Message,
    OutputFormat,
    OutputKind,
    Reasoning,
    Role,
    Text,
    Tool,
)
from providers.wire.effort import effort_for

_TIERS = {"standard": "default", "standard_only": "default"}
_OUTPUT_TYPES = {OutputKind.TEXT: "text", OutputKind.JSON: "json_object"}
# The members of a request that say this, and what they are read into.
_MEMBERS = {
    "tools": ("tools",),
    "tool_choice": ("tools", "tool_choice"),
    "text": ("output", "verbosity"),
    "reasoning": ("reasoning",),
}
_UNKNOWN_SAMPLING = frozenset({"top_k", "frequency_penalty", "presence_penalty", "seed", "logit_bias"})


def write_request(conversation: Conversation, upstream: Upstream) -> WrittenRequest:
    notes = Notes(conversation.source)
    if conversation.source != ORIGIN:
        said = cache_settings(conversation) if conversation.extra else ()
        conversation = leave_natives(conversation, notes, said)
    conversation = _fitted(conversation, upstream, notes)
    conversation = ask_by_tool(conversation, upstream, notes.translated)
    body: dict[str, Any] = {"model": upstream.name}
    body |= _write_settings(conversation, upstream)
    body |= _write_tools(conversation)
    body |= _write_text(conversation)
    body |= _write_reasoning(conversation, notes)
    body |= unchanged(conversation, ORIGIN, _MEMBERS)
    body |= _write_input(conversation, upstream, notes)
    if conversation.source != ORIGIN:
        body |= cache_settings(conversation)
        if BREAKPOINT not in upstream.quirks:
            leave_marks(conversation, notes)
    if upstream.is_streamed:
        body["stream"] = True
    if conversation.source == ORIGIN:
        body = in_place(body, conversation, _write_include(conversation))
    else:
        body |= _write_include(conversation)
    return notes.written("/responses", body)


def _fitted(conversation: Conversation, upstream: Upstream, notes: Notes) -> Conversation:
    """With what the model takes of sampling and effort. Raises CannotTranslate."""
    if conversation.sampling.stop:
        raise notes.refuse("stop", "The chosen provider has no stop.")
    missing = _UNKNOWN_SAMPLING | refused_thinking(upstream, effort_of(conversation.reasoning))
    sampling = fit_sampling(conversation.sampling, upstream, notes, missing)
    usual = () if conversation.source == ORIGIN else USUAL_EFFORTS
    reasoning = fit_reasoning(conversation.reasoning, upstream, notes, usual)
    if sampling is conversation.sampling and reasoning is conversation.reasoning:
        return conversation
    return replace(conversation, sampling=sampling, reasoning=reasoning)


def _write_input(conversation: Conversation, upstream: Upstream, notes: Notes) -> dict[str, Any]:
    writer = ItemWriter(notes, upstream.quirks)
    is_own = conversation.source == ORIGIN
    turns = conversation.messages if is_own else merge_turns(conversation.messages)
    instructions, messages = _split_instructions(turns)
    written: dict[str, Any] = {} if instructions is None else {"instructions": instructions}
    if len(messages) == 1 and (text := _plain_text(messages[0])) is not None:
        return written | {"input": text}
    items = [item for message in messages for item in writer.write(message)]
    return written | ({"input": items} if items or not is_own else {})


def _plain_text(message: Message) -> str | None:
    """Of a message that a client said in one text, and that still says it."""
    wording = wording_in(message, ORIGIN)
    text: object = wording.value if wording else None
    if not isinstance(text, str):
        return None
    return text if message.parts == ((Text(text),) if text else ()) else None


def _split_instructions(messages: tuple[Message, ...]) -> tuple[str | None, tuple[Message, ...]]:
    """A first system message of one plain text is what `instructions` are for, unless it was an item."""
    match messages:
        case (Message(role=Role.SYSTEM, parts=()) as first, *rest) if _plain_text(first) == "":
            return "", tuple(rest)
        case (Message(role=Role.SYSTEM, parts=(Text(text=text, cache=None),), name=None) as first, *rest):
            wording = wording_in(first, ORIGIN)
            if wording is None or isinstance(wording.value, str):
                return text, tuple(rest)
    return None, messages


def _write_settings(conversation: Conversation, upstream: Upstream) -> dict[str, Any]:
    tier, sampling = conversation.service_tier, conversation.sampling
    return _given(
        {
            "max_output_tokens": conversation.max_output_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_logprobs": sampling.top_logprobs,
            "service_tier": None if tier is None else _TIERS.get(tier, tier),
            "metadata": conversation.metadata,
            "safety_identifier": upstream.user_id,
            "store": False,
        }
    )


def _write_tools(conversation: Conversation) -> dict[str, Any]:
    source, choice = conversation.source, conversation.tool_choice

    def write(tool: Tool) -> dict[str, Any]:
        return write_tool(tool, source)

    tools = [in_wording(tool, ORIGIN, write) for tool in conversation.tools]
    return _given(
        {
            "tools": tools or None,
            "tool_choice": None if choice is None else write_tool_choice(choice),
            "parallel_tool_calls": conversation.parallel_tool_calls,
        }
    )


def _write_text(conversation: Conversation) -> dict[str, Any]:
    members = _given({"format": _write_output(conversation.output), "verbosity": conversation.verbosity})
    return {"text": members} if members else {}


def _write_output(output: OutputFormat | None) -> dict[str, Any] | None:
    if output is None:
        return None
    if output.kind is not OutputKind.SCHEMA:
        return {"type": _OUTPUT_TYPES[output.kind]}
    members = {"description": output.description, "schema": output.schema, "strict": output.strict}
    return {"type": "json_schema", "name": output.name or "answer"} | _given(members)


def _write_reasoning(conversation: Conversation, notes: Notes) -> dict[str, Any]:
    reasoning = conversation.reasoning
    if reasoning is None:
        return {}
    effort = reasoning.effort
    if effort is None and reasoning.budget_tokens is not None:
        effort = effort_for(reasoning.budget_tokens)
        notes.note("budget_tokens", "reasoning.effort")
    written = _given({"effort": effort, "summary": "auto" if reasoning.is_included else None})
    return {"reasoning": written} if written else {}


def _write_include(conversation: Conversation) -> dict[str, Any]:
    """As the client asked, and what it has to be asked for besides."""
    wording = wording_in(conversation, ORIGIN)
    asked_by_client = (wording.value.get("include") if wording else conversation.extra.get("include")) or ()
    asked = {ENCRYPTED: _thinks(conversation), LOGPROBS: bool(conversation.sampling.logprobs)}
    names = [
        *asked_by_client,
        *(name for name, is_asked in asked.items() if is_asked and name not in asked_by_client),
    ]
    return {"include": names} if names else {}


def _thinks(conversation: Conversation) -> bool:
    """Whether there will be thoughts, which the provider then has to hand over, since nobody keeps them."""
    if conversation.reasoning is not None:
        return conversation.reasoning.effort != "none"
    parts = [part for message in conversation.messages for part in message.parts if type(part) is Reasoning]
    return any(part.encrypted and part.origin == ORIGIN for part in parts)


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
