"""Writes a conversation as a request to a provider that speaks Anthropic Messages."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from providers.formats.answer_tool import ANSWER_TOOL, SCHEMA_BY_TOOL
from providers.formats.anthropic.cache_marks import MOST_MARKS, has_other_ttl
from providers.formats.anthropic.messages_writer import write_messages
from providers.formats.anthropic.schema import OpenSchema, SchemaFitter
from providers.formats.anthropic.signatures import ORIGIN
from providers.formats.anthropic.tools import write_tools
from providers.formats.base import CannotTranslate, Upstream, WrittenRequest
from providers.formats.extras import in_place
from providers.formats.field_names import client_field
from providers.formats.known_models import known_model
from providers.formats.losses import Kind
from providers.formats.marks import marks_field, marks_of
from providers.formats.notes import Notes, leave_natives
from providers.formats.sampling import fit_reasoning, fit_sampling
from providers.wire.conversation import (
    ChoiceMode,
    Conversation,
    OutputFormat,
    OutputKind,
    ReasoningConfig,
    Sampling,
)
from providers.wire.effort import EFFORT_BUDGETS, budget_for, effort_for
from providers.wire.quirks import quirk

_VERSION_2026_10_21 = quirk(
    "version_2026_10_21", "Anthropic's version of 2026-10-21, which takes no sampling parameters"
)
_PATH = "/messages"
_VERSION, _NEW_VERSION = "2023-06-01", "2026-10-21"
_UNKNOWN_SAMPLING = frozenset({"frequency_penalty", "presence_penalty", "seed", "logit_bias"})
_TAKEN_AWAY = _UNKNOWN_SAMPLING | {"temperature", "top_p", "top_k"}
_LEAST_TOP_P = 0.95
_MOST_TOKENS = 8_192
"""As many as every Claude since 3.5 may write."""
"""With which a model thinks. Source: Anthropic's guide to extended thinking."""
_LEAST_BUDGET = 1_024
_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})


def write_request(conversation: Conversation, upstream: Upstream) -> WrittenRequest:
    """`metadata` is left out: it labels a request for its sender, and Anthropic has no place for labels."""
    notes = Notes(conversation.source)
    if conversation.source != ORIGIN:
        conversation = leave_natives(conversation, notes)
    if conversation.metadata:
        notes.lose("metadata", "")
    is_new = _VERSION_2026_10_21 in upstream.quirks
    body: dict[str, Any] = {"model": upstream.name, "max_tokens": _max_tokens(conversation, upstream, notes)}
    takes_later_system = known_model(upstream.name).takes_later_system
    body |= write_messages(conversation, notes, takes_later_system=takes_later_system)
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
    """Anthropic demands it. Where nobody says it, the end of an answer tells that it did not suffice."""
    for tokens in (conversation.max_output_tokens, upstream.max_output_tokens):
        if tokens is not None:
            return tokens
    field = client_field(conversation.source, "max_output_tokens")
    notes.lose_path(field, Kind.TUNING, str(_MOST_TOKENS))
    return _MOST_TOKENS


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
    if is_structured(conversation.output) and SCHEMA_BY_TOOL in upstream.quirks:
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
    return is_forced or (is_structured(conversation.output) and SCHEMA_BY_TOOL in upstream.quirks)


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
    marks = marks_of(conversation)
    if len(marks) > MOST_MARKS:
        raise CannotTranslate(
            f"The chosen provider takes at most {MOST_MARKS} marks for its cache.",
            param=marks_field(conversation.source, marks),
        )
    if has_other_ttl(marks):
        notes.note("cache", "cache_control.ttl=1h")


class ReasoningWriter:
    """Older models take a budget and no effort, the newest an effort and no budget."""

    def __init__(self, notes: Notes, max_tokens: int, upstream: Upstream) -> None:
        self._notes = notes
        self._max_tokens = max_tokens
        known = known_model(upstream.name)
        # What is said in Anthropic's own words is not said in others.
        needs_budget = known.needs_budget and notes.source != ORIGIN
        self._has_budgets = upstream.takes_thinking_budget or needs_budget
        self._refuses_budget = known.refuses_budget

    def write(self, reasoning: ReasoningConfig) -> tuple[dict[str, Any] | None, str | None]:
        """The member `thinking` and the effort for `output_config`. Raises CannotTranslate."""
        if reasoning.effort == "none" or reasoning.budget_tokens == 0:
            return {"type": "disabled"}, None
        if self._refuses_budget and reasoning.budget_tokens is not None:
            return self._as_effort(reasoning)
        if self._notes.source == ORIGIN and not (self._has_budgets and reasoning.budget_tokens is None):
            return self._as_said(reasoning), reasoning.effort
        if not (
            reasoning.effort or reasoning.budget_tokens or reasoning.is_adaptive or reasoning.is_included
        ):
            return None, None
        return self._as_budget(reasoning) if self._has_budgets else self._as_effort(reasoning)

    def _as_said(self, reasoning: ReasoningConfig) -> dict[str, Any] | None:
        if reasoning.budget_tokens is not None:
            return self._with_display(
                {"type": "enabled", "budget_tokens": reasoning.budget_tokens}, reasoning
            )
        return self._with_display({"type": "adaptive"}, reasoning) if reasoning.is_adaptive else None

    def _as_effort(self, reasoning: ReasoningConfig) -> tuple[dict[str, Any], str | None]:
        # Without being asked for, the thoughts of newer models come back empty.
        display = "omitted" if reasoning.is_included is False else "summarized"
        effort = self._effort(reasoning)
        if effort is not None:
            field = "effort" if reasoning.effort else "budget_tokens"
            self._notes.note(field, f"output_config.effort={effort}")
        return {"type": "adaptive", "display": display}, effort

    def _effort(self, reasoning: ReasoningConfig) -> str | None:
        effort = reasoning.effort
        if effort is None and reasoning.budget_tokens is not None:
            effort = effort_for(reasoning.budget_tokens)
        if effort == "minimal":
            return "low"
        if effort is not None and effort not in _EFFORTS:
            self._notes.lose("effort", "")
            return None
        return effort

    def _as_budget(self, reasoning: ReasoningConfig) -> tuple[dict[str, Any] | None, None]:
        if self._max_tokens <= _LEAST_BUDGET:
            # It thinks with so many tokens or more, and its answer may have fewer.
            self._notes.lose("budget_tokens" if reasoning.budget_tokens else "effort", "")
            return None, None
        budget = self._budget(reasoning)
        if budget != reasoning.budget_tokens:
            field = "budget_tokens" if reasoning.budget_tokens else "effort"
            self._notes.note(field, f"thinking.budget_tokens={budget}")
        return self._with_display({"type": "enabled", "budget_tokens": budget}, reasoning), None

    def _budget(self, reasoning: ReasoningConfig) -> int:
        most = self._max_tokens - 1
        if reasoning.budget_tokens is not None and reasoning.budget_tokens > 0:
            return min(max(reasoning.budget_tokens, _LEAST_BUDGET), most)
        effort = reasoning.effort or "high"
        if effort not in EFFORT_BUDGETS:
            effort = "high"
        return budget_for(effort, least=_LEAST_BUDGET, most=most)

    def _with_display(self, written: dict[str, Any], reasoning: ReasoningConfig) -> dict[str, Any]:
        if reasoning.is_included is None:
            return written
        return written | {"display": "summarized" if reasoning.is_included else "omitted"}


def write_format(output: OutputFormat | None, notes: Notes) -> dict[str, Any] | None:
    """The member `format` of `output_config`. Raises CannotTranslate."""
    if output is None or output.kind is OutputKind.TEXT:
        return None
    if output.kind is OutputKind.JSON:
        raise notes.refuse("output", "The chosen provider answers in JSON only by a schema.")
    fitter = SchemaFitter()
    try:
        schema = fitter.fit(_described(output))
    except OpenSchema as open_schema:
        place = open_schema.path or "the whole schema"
        message = f"The chosen provider has no objects with members of any name: '{place}'."
        raise notes.refuse("output", message) from None
    # To clients of this format nothing was said in other words unless something was left out.
    if fitter.left_out:
        notes.note("output", f"output_config.format without {fitter.left_out}")
    return {"type": "json_schema", "schema": schema}


def write_answer_tool(conversation: Conversation, notes: Notes) -> dict[str, Any]:
    """`tools` and `tool_choice` for a model without output formats. Raises CannotTranslate."""
    output = conversation.output or OutputFormat()
    if conversation.tools:
        raise notes.refuse("output", "The chosen model cannot use tools and answer in JSON at once.")
    notes.note("output", "tool_choice")
    tool = {
        "name": ANSWER_TOOL,
        "description": output.description or "Gives the whole answer.",
        "input_schema": dict(output.schema or {"type": "object"}),
    }
    choice = {"type": "tool", "name": ANSWER_TOOL, "disable_parallel_tool_use": True}
    return {"tools": [tool], "tool_choice": choice}


def is_structured(output: OutputFormat | None) -> bool:
    return output is not None and output.kind is not OutputKind.TEXT


def _described(output: OutputFormat) -> Mapping[str, Any]:
    """`name` and `strict` say nothing here: every schema is kept to."""
    schema = output.schema or {}
    if output.description and "description" not in schema:
        return {**schema, "description": output.description}
    return schema


def write_sampling(
    conversation: Conversation, upstream: Upstream, notes: Notes, *, is_new: bool, is_thinking: bool
) -> dict[str, Any]:
    """`is_new`: the version of the API that took temperature, top_p and top_k away. Raises CannotTranslate."""
    asked = conversation.sampling
    if asked.logprobs or asked.top_logprobs:
        raise notes.refuse("logprobs", "The chosen provider has no 'logprobs'.")
    sampling = fit_sampling(asked, upstream, notes, _TAKEN_AWAY if is_new else _UNKNOWN_SAMPLING)
    if is_thinking:
        sampling = _fit_thinking(sampling, notes)
    return _write_drawn(_cooled(sampling, notes)) | _write_stop(sampling, notes)


def _write_drawn(sampling: Sampling) -> dict[str, Any]:
    drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}
    return {name: value for name, value in drawn.items() if value is not None}


def _write_stop(sampling: Sampling, notes: Notes) -> dict[str, Any]:
    if any(not text.strip() for text in sampling.stop):
        raise notes.refuse("stop", "The chosen provider cannot stop at white space alone.")
    return {"stop_sequences": list(sampling.stop)} if sampling.stop else {}


def _cooled(sampling: Sampling, notes: Notes) -> Sampling:
    """Anthropic's temperatures go from 0 to 1."""
    if sampling.temperature is None or 0 <= sampling.temperature <= 1:
        return sampling
    nearest = min(max(sampling.temperature, 0), 1)
    notes.lose("temperature", "", f"temperature={nearest}")
    return replace(sampling, temperature=nearest)


def _fit_thinking(sampling: Sampling, notes: Notes) -> Sampling:
    """A model thinks at temperature 1, without top_k, and with nearly all of top_p."""
    if sampling.temperature not in {None, 1}:
        notes.lose("temperature", "")
        sampling = replace(sampling, temperature=None)
    if sampling.top_k is not None:
        notes.lose("top_k", "")
        sampling = replace(sampling, top_k=None)
    if sampling.top_p is not None and sampling.top_p < _LEAST_TOP_P:
        notes.lose("top_p", "", f"top_p={_LEAST_TOP_P}")
        sampling = replace(sampling, top_p=_LEAST_TOP_P)
    return sampling
