"""Writes a request for a provider that speaks chat."""

from collections.abc import Sequence, Set
from typing import Any

from providers.formats.answer_tool import ask_by_tool
from providers.formats.base import Upstream, WrittenRequest
from providers.formats.extras import cache_settings, in_place
from providers.formats.marks import carriers_of, leave_marks
from providers.formats.notes import Notes, leave_natives
from providers.formats.openai.cache_marks import BREAKPOINT, MARK_QUIRKS, MARKS
from providers.formats.openai.fit import (
    IN_FRONT,
    REASONING_OBJECT,
    SYSTEM_IN_FRONT,
    USERS,
    ask_for_stream,
    fit,
    leave_tuning,
    limit_name,
    put_system_in_front,
)
from providers.formats.openai.messages_writer import ContentWriter, MessageWriter, OwnMessageWriter
from providers.formats.openai.signatures import ORIGIN
from providers.formats.openai.tools import write_tool, write_tool_choice
from providers.formats.sampling import USUAL_EFFORTS, effort_of, fit_reasoning, fit_sampling, refused_thinking
from providers.formats.turns import merge_turns
from providers.formats.wording import in_wording, is_as_read, unchanged, wording_in
from providers.wire.conversation import (
    Conversation,
    OutputFormat,
    OutputKind,
    ReasoningConfig,
    Sampling,
    Tool,
)
from providers.wire.effort import effort_for

# How other formats call the ordinary tier.
_TIERS = {"standard": "default", "standard_only": "default"}
# The members of a request, and what each is read into.
_SAMPLING = (
    *("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed", "stop"),
    *("logit_bias", "logprobs", "top_logprobs"),
)
_READ_INTO = {
    **dict.fromkeys(_SAMPLING, "sampling"),
    **dict.fromkeys(("max_tokens", "max_completion_tokens"), "max_output_tokens"),
    **dict.fromkeys(("tools", "functions"), "tools"),
    **dict.fromkeys(("tool_choice", "function_call"), "tool_choice"),
    "parallel_tool_calls": "parallel_tool_calls",
    "response_format": "output",
    **dict.fromkeys(("reasoning_effort", "reasoning", "thinking"), "reasoning"),
    **dict.fromkeys(("enable_thinking", "thinking_budget", "chat_template_kwargs"), "reasoning"),
    "verbosity": "verbosity",
    "service_tier": "service_tier",
    **dict.fromkeys(USERS, "user_id"),
    "metadata": "metadata",
}
_MEMBERS = {name: (field,) for name, field in _READ_INTO.items()}
_UNSAID = Sampling()
_NO_TOP_K = frozenset({"top_k"})
_OUTPUT_TYPES = {OutputKind.TEXT: "text", OutputKind.JSON: "json_object"}


def write_request(conversation: Conversation, upstream: Upstream) -> WrittenRequest:
    notes = Notes(conversation.source)
    if conversation.source != ORIGIN:
        said = _write_cache_settings(conversation, upstream) if conversation.extra else ()
        conversation = leave_natives(conversation, notes, said)
    conversation = ask_by_tool(conversation, upstream, notes.translated)
    if wording_in(conversation, ORIGIN):
        body = _write_own(conversation, upstream, notes)
        _note(fit(body, upstream), notes)
        leave_tuning(body, upstream, notes)
    else:
        body = _write_anew(conversation, upstream, notes)
        if SYSTEM_IN_FRONT in upstream.quirks:
            _note(put_system_in_front(body), notes)
        if upstream.is_streamed:
            ask_for_stream(body, upstream)
    return notes.written("/chat/completions", body)


def _note(translated: Sequence[str], notes: Notes) -> None:
    notes.translated += translated
    notes.told += [line for line in translated if line == IN_FRONT]


def _write_own(conversation: Conversation, upstream: Upstream, notes: Notes) -> dict[str, Any]:
    """For a client of chat: what it said, but for what was changed since."""
    wording = wording_in(conversation, ORIGIN)
    original: dict[str, Any] = wording.value if wording else {}
    changed = {name for name in _READ_INTO.values() if not is_as_read(conversation, ORIGIN, name)}
    body: dict[str, Any] = {"model": upstream.name}
    if changed:
        written = _write_settings(conversation, upstream, notes if "reasoning" in changed else Notes(ORIGIN))
        body |= {name: value for name, value in written.items() if _READ_INTO.get(name) in changed}
    body |= unchanged(conversation, ORIGIN, _MEMBERS)
    writer = OwnMessageWriter(_own_quirks(conversation, upstream))
    body["messages"] = [each for message in conversation.messages for each in writer.write_own(message)]
    body |= {name: original[name] for name in ("stream_options",) if original.get(name) is not None}
    return in_place(body, conversation)


def _own_quirks(conversation: Conversation, upstream: Upstream) -> Set[str]:
    """With the kind of mark that the client uses, since its provider is not known to take another."""
    if not MARK_QUIRKS.isdisjoint(upstream.quirks):
        return upstream.quirks
    wordings = (getattr(carrier, "wording", None) for carrier in carriers_of(conversation))
    originals = (wording.value for wording in wordings if wording is not None)
    return upstream.quirks | {name for value in originals for name in MARKS if name in value}


def _write_anew(conversation: Conversation, upstream: Upstream, notes: Notes) -> dict[str, Any]:
    body = {"model": upstream.name} | _write_settings(conversation, upstream, notes)
    body["messages"] = _write_messages(conversation, upstream, notes)
    _leave_out(conversation, upstream, body, notes)
    return in_place(body, conversation) if conversation.source == ORIGIN else body


def _write_settings(conversation: Conversation, upstream: Upstream, notes: Notes) -> dict[str, Any]:
    body = _write_limits(conversation, upstream)
    body |= _write_sampling(conversation, upstream, notes)
    body |= _write_tools(conversation, upstream)
    body |= _write_reasoning(conversation, upstream, notes)
    body |= _write_rest(conversation, upstream, notes)
    return body | _write_cache_settings(conversation, upstream)


def _write_messages(conversation: Conversation, upstream: Upstream, notes: Notes) -> list[dict[str, Any]]:
    writer = MessageWriter(ContentWriter(notes, upstream.quirks))
    messages = merge_turns(conversation.messages)
    return [written for message in messages for written in writer.write(message)]


def _write_limits(conversation: Conversation, upstream: Upstream) -> dict[str, Any]:
    most = conversation.max_output_tokens
    return {} if most is None else {limit_name(upstream.params): most}


def _write_sampling(conversation: Conversation, upstream: Upstream, notes: Notes) -> dict[str, Any]:
    source, sampling = conversation.source, conversation.sampling
    if sampling == _UNSAID:
        return {}
    if source != ORIGIN:
        # OpenAI itself has no top_k: it goes to providers that say they have it, and back where it came from.
        missing = _NO_TOP_K if "top_k" not in upstream.params else frozenset()
        missing |= refused_thinking(upstream, effort_of(conversation.reasoning))
        sampling = fit_sampling(sampling, upstream, notes, missing)
    written: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "seed": sampling.seed,
        "stop": list(sampling.stop) or None,
        "logit_bias": sampling.logit_bias,
        "logprobs": sampling.logprobs,
        # Elsewhere a number says nothing yet; here it is refused without the switch.
        "top_logprobs": sampling.top_logprobs if sampling.logprobs or source == ORIGIN else None,
    }
    return _given(written)


def _write_tools(conversation: Conversation, upstream: Upstream) -> dict[str, Any]:
    def write(tool: Tool) -> dict[str, Any]:
        return write_tool(tool, upstream.quirks)

    tools = [in_wording(tool, ORIGIN, write) for tool in conversation.tools]
    choice = conversation.tool_choice
    return _given(
        {
            "tools": tools or None,
            "tool_choice": None if choice is None else write_tool_choice(choice),
            "parallel_tool_calls": conversation.parallel_tool_calls,
        }
    )


def _write_reasoning(conversation: Conversation, upstream: Upstream, notes: Notes) -> dict[str, Any]:
    """OpenRouter's `reasoning` also takes a budget."""
    usual = () if conversation.source == ORIGIN else USUAL_EFFORTS
    reasoning = fit_reasoning(conversation.reasoning, upstream, notes, usual)
    if reasoning is None:
        return {}
    if REASONING_OBJECT in upstream.quirks:
        return _write_openrouter(reasoning)
    effort = reasoning.effort
    if effort is None and reasoning.budget_tokens is not None:
        effort = effort_for(reasoning.budget_tokens)
        notes.note("budget_tokens", "reasoning_effort")
    # A model that decides by itself is what providers of this format offer when nothing is said.
    return {} if effort is None else {"reasoning_effort": effort}


def _write_openrouter(reasoning: ReasoningConfig) -> dict[str, Any]:
    members = _given({"effort": reasoning.effort, "max_tokens": reasoning.budget_tokens})
    if reasoning.is_included is not None:
        members["exclude"] = not reasoning.is_included
    return {"reasoning": members} if members else {}


def _write_rest(conversation: Conversation, upstream: Upstream, notes: Notes) -> dict[str, Any]:
    tier, verbosity = conversation.service_tier, conversation.verbosity
    if verbosity is not None and not _takes(upstream, "verbosity"):
        if verbosity != "medium":
            notes.lose("verbosity", "")
        verbosity = None
    return _given(
        {
            "response_format": write_output(conversation.output),
            "verbosity": verbosity,
            "service_tier": None if tier is None else _TIERS.get(tier, tier),
            "metadata": conversation.metadata if _takes(upstream, "metadata") else None,
            **_write_user(upstream),
        }
    )


def _write_cache_settings(conversation: Conversation, upstream: Upstream) -> dict[str, Any]:
    """To OpenAI itself, whose marks tell it, and to who declares them: others may refuse what they do not know."""
    is_openai = BREAKPOINT in upstream.quirks
    settings = cache_settings(conversation).items()
    return {name: value for name, value in settings if is_openai or name in upstream.params}


def write_output(output: OutputFormat | None) -> dict[str, Any] | None:
    if output is None:
        return None
    if output.kind is not OutputKind.SCHEMA:
        return {"type": _OUTPUT_TYPES[output.kind]}
    members = {
        "name": output.name or "answer",
        "description": output.description,
        "schema": output.schema,
        "strict": output.strict,
    }
    return {"type": "json_schema", "json_schema": _given(members)}


def _write_user(upstream: Upstream) -> dict[str, Any]:
    """Who the end user is changes no answer, so it goes only where it is taken."""
    if upstream.user_id is None:
        return {}
    if "safety_identifier" in upstream.params:
        return {"safety_identifier": upstream.user_id}
    return {"user": upstream.user_id} if _takes(upstream, "user") else {}


def _leave_out(conversation: Conversation, upstream: Upstream, body: dict[str, Any], notes: Notes) -> None:
    """What changes no answer and is not declared by the offering."""
    if conversation.metadata and "metadata" not in body:
        notes.lose("metadata", "")
    if upstream.user_id is not None and body.keys().isdisjoint(USERS):
        notes.lose("user", "")
    takes_marks = conversation.source == ORIGIN or not MARK_QUIRKS.isdisjoint(upstream.quirks)
    if not takes_marks:
        leave_marks(conversation, notes)


def _takes(upstream: Upstream, name: str) -> bool:
    return not upstream.params or name in upstream.params


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
