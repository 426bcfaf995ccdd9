"""Writes a conversation as a request to a provider that speaks Anthropic Messages."""

from typing import Any

from providers.formats.anthropic.cache_marks import MOST_MARKS, has_other_ttl
from providers.formats.anthropic.messages_writer import write_messages
from providers.formats.anthropic.output_writer import is_structured, write_answer_tool, write_format
from providers.formats.anthropic.reasoning_writer import ReasoningWriter
from providers.formats.anthropic.sampling_writer import write_sampling
from providers.formats.anthropic.signatures import ORIGIN
from providers.formats.anthropic.tools_writer import write_tools
from providers.formats.base import Upstream, WrittenRequest
from providers.formats.extras import in_place
from providers.formats.marks import marks_of
from providers.formats.notes import Notes, leave_natives
from providers.formats.sampling import fit_reasoning
from providers.wire.conversation import ChoiceMode, Conversation, ReasoningConfig

_PATH = "/messages"
_VERSION, _NEW_VERSION = "2023-06-01", "2026-10-21"


def write_request(conversation: Conversation, upstream: Upstream) -> WrittenRequest:
    """`metadata` is left out: it labels a request for its sender, and Anthropic has no place for labels."""
    notes = Notes(conversation.source)
    if conversation.source != ORIGIN:
        conversation = leave_natives(conversation, notes)
    if conversation.metadata:
        notes.lose("metadata", "")
    is_new = "version_2026_10_21" in upstream.quirks
    body: dict[str, Any] = {"model": upstream.name, "max_tokens": _max_tokens(conversation, upstream, notes)}
    body |= write_messages(conversation, notes)
    body |= _write_reasoning(conversation, upstream, body["max_tokens"], notes)
    body |= _write_tools_or_format(conversation, upstream, body, notes)
    body |= write_sampling(conversation, upstream, notes, is_new=is_new, is_thinking=_is_thinking(body))
    body |= _write_rest(conversation, upstream, notes)
    if conversation.source == ORIGIN:
        body = in_place(body, conversation)
    else:
        _check_marks(conversation, notes)
    version = _NEW_VERSION if is_new else _VERSION
    return notes.written(_PATH, body, {"anthropic-version": version})


def _max_tokens(conversation: Conversation, upstream: Upstream, notes: Notes) -> int:
    tokens = conversation.max_output_tokens
    tokens = upstream.max_output_tokens if tokens is None else tokens
    if tokens is None:
        message = "The chosen provider needs the most tokens of an answer, and neither the request nor the catalogue"
        raise notes.refuse("max_output_tokens", f"{message} says it.")
    return tokens


def _write_reasoning(
    conversation: Conversation, upstream: Upstream, max_tokens: int, notes: Notes
) -> dict[str, Any]:
    writer = ReasoningWriter(notes, max_tokens, upstream)
    asked = fit_reasoning(conversation.reasoning, upstream, notes)
    if asked is not None and _yields(conversation, asked, upstream):
        notes.lose("effort" if asked.effort else "budget_tokens", "")
        asked = None
    reasoning, effort = writer.write(asked or ReasoningConfig())
    written: dict[str, Any] = {"thinking": reasoning} if reasoning else {}
    return written | ({"output_config": {"effort": effort}} if effort else {})


def _write_tools_or_format(
    conversation: Conversation, upstream: Upstream, body: dict[str, Any], notes: Notes
) -> dict[str, Any]:
    if is_structured(conversation.output) and "schema_by_tool" in upstream.quirks:
        return write_answer_tool(conversation, notes)
    written = write_tools(conversation, notes)
    if answer_format := write_format(conversation.output, notes):
        written["output_config"] = body.get("output_config", {}) | {"format": answer_format}
    return written


def _yields(conversation: Conversation, asked: ReasoningConfig, upstream: Upstream) -> bool:
    """Whether a tool has to be called: Anthropic's models do not think then, and the call is what counts."""
    if asked.effort == "none" or (conversation.source == ORIGIN and not asked.budget_tokens):
        return False
    choice = conversation.tool_choice
    is_forced = choice is not None and choice.mode is ChoiceMode.REQUIRED
    return is_forced or (is_structured(conversation.output) and "schema_by_tool" in upstream.quirks)


def _is_thinking(body: dict[str, Any]) -> bool:
    return body.get("thinking", {}).get("type") in {"enabled", "adaptive"}


def _write_rest(conversation: Conversation, upstream: Upstream, notes: Notes) -> dict[str, Any]:
    written: dict[str, Any] = {"stream": True} if upstream.is_streamed else {}
    if upstream.user_id is not None:
        written["metadata"] = {"user_id": upstream.user_id}
    if conversation.verbosity not in {None, "medium"}:
        notes.lose("verbosity", "")
    return written | _write_tier(conversation.service_tier, notes)


def _write_tier(tier: str | None, notes: Notes) -> dict[str, str]:
    """Which tiers an account has is agreed with Anthropic: `auto` uses the best of them."""
    if tier is None or tier == "auto":
        return {"service_tier": tier} if tier else {}
    if tier == "fast":
        notes.note("service_tier", "speed=fast")
        return {"speed": "fast"}
    words = {"default": "standard_only", "priority": "auto"}
    if tier not in words:
        raise notes.refuse("service_tier", f"The chosen provider has no service tier '{tier}'.")
    if notes.source != ORIGIN:
        notes.note("service_tier", f"service_tier={words[tier]}")
    return {"service_tier": words[tier]}


def _check_marks(conversation: Conversation, notes: Notes) -> None:
    if len(marks_of(conversation)) > MOST_MARKS:
        raise notes.refuse("cache", f"The chosen provider takes at most {MOST_MARKS} marks for its cache.")
    if has_other_ttl(conversation):
        notes.note("cache", "cache_control.ttl=1h")
