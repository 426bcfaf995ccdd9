"""Writes a conversation as a request to a provider that speaks Anthropic Messages."""

from collections.abc import Mapping
from typing import Any

from providers.formats.answer_tool import ANSWER_TOOL
from providers.formats.anthropic.cache_marks import MOST_MARKS, has_other_ttl
from providers.formats.anthropic.messages_writer import write_messages
from providers.formats.anthropic.schema import OpenSchema, SchemaFitter
from providers.formats.anthropic.signatures import ORIGIN
from providers.formats.anthropic.tools import write_tools
from providers.formats.base import Upstream, WrittenRequest
from providers.formats.extras import in_place, refuse_extras
from providers.formats.marks import marks_of
from providers.formats.notes import Notes
from providers.wire.conversation import (
    ChoiceMode,
    Conversation,
    OutputFormat,
    OutputKind,
    ReasoningConfig,
    Sampling,
)
from providers.wire.effort import EFFORT_BUDGETS, budget_for, effort_for

_PATH = "/messages"
_VERSION, _NEW_VERSION = "2023-06-01", "2026-10-21"
_LEAST_BUDGET = 1_024
_EFFORTS = frozenset({"low", "medium", "high", "xhigh", "max"})


def write_request(conversation: Conversation, upstream: Upstream) -> WrittenRequest:
    """`metadata` is left out: it labels a request for its sender, and Anthropic has no place for labels."""
    if conversation.source != ORIGIN:
        refuse_extras(conversation)
    notes = Notes(conversation.source)
    if conversation.metadata:
        notes.note("metadata", "left out")
    is_new = "version_2026_10_21" in upstream.quirks
    body: dict[str, Any] = {"model": upstream.name, "max_tokens": _max_tokens(conversation, upstream, notes)}
    body |= write_messages(conversation, notes)
    body |= _write_reasoning(conversation, upstream, body["max_tokens"], notes)
    body |= _write_tools_or_format(conversation, upstream, body, notes)
    body |= write_sampling(conversation, notes, is_new=is_new, is_thinking=_is_thinking(body))
    body |= _write_rest(conversation, upstream, notes)
    if conversation.source == ORIGIN:
        body = in_place(body, conversation)
    else:
        _check_marks(conversation, notes)
    version = _NEW_VERSION if is_new else _VERSION
    return WrittenRequest(_PATH, body, {"anthropic-version": version}, tuple(notes.translated))


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
    writer = ReasoningWriter(notes, max_tokens, has_budgets=upstream.takes_thinking_budget)
    reasoning, effort = writer.write(conversation.reasoning or ReasoningConfig())
    written: dict[str, Any] = {"thinking": reasoning} if reasoning else {}
    return written | ({"output_config": {"effort": effort}} if effort else {})


def _write_tools_or_format(
    conversation: Conversation, upstream: Upstream, body: dict[str, Any], notes: Notes
) -> dict[str, Any]:
    has_budget = body.get("thinking", {}).get("type") == "enabled"
    choice = conversation.tool_choice
    if has_budget and choice is not None and choice.mode is ChoiceMode.REQUIRED:
        raise notes.refuse(
            "tool_choice", "The chosen model cannot think with a budget and be made to call a tool."
        )
    if is_structured(conversation.output) and "schema_by_tool" in upstream.quirks:
        return write_answer_tool(conversation, notes, is_thinking=has_budget)
    written = write_tools(conversation, notes)
    if answer_format := write_format(conversation.output, notes):
        written["output_config"] = body.get("output_config", {}) | {"format": answer_format}
    return written


def _is_thinking(body: dict[str, Any]) -> bool:
    return body.get("thinking", {}).get("type") in {"enabled", "adaptive"}


def _write_rest(conversation: Conversation, upstream: Upstream, notes: Notes) -> dict[str, Any]:
    written: dict[str, Any] = {"stream": True} if upstream.is_streamed else {}
    if upstream.user_id is not None:
        written["metadata"] = {"user_id": upstream.user_id}
    if conversation.verbosity not in {None, "medium"}:
        raise notes.refuse("verbosity", "The chosen provider cannot be told how much to say.")
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


class ReasoningWriter:
    """`has_budgets`: the model is an older one, which takes a budget and no effort."""

    def __init__(self, notes: Notes, max_tokens: int, *, has_budgets: bool) -> None:
        self._notes = notes
        self._max_tokens = max_tokens
        self._has_budgets = has_budgets

    def write(self, reasoning: ReasoningConfig) -> tuple[dict[str, Any] | None, str | None]:
        """The member `thinking` and the effort for `output_config`. Raises CannotTranslate."""
        if reasoning.effort == "none" or reasoning.budget_tokens == 0:
            return {"type": "disabled"}, None
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
            raise self._notes.refuse("effort", f"The chosen provider has no effort '{effort}'.")
        return effort

    def _as_budget(self, reasoning: ReasoningConfig) -> tuple[dict[str, Any], None]:
        if self._max_tokens <= _LEAST_BUDGET:
            message = (
                f"The chosen model thinks with {_LEAST_BUDGET} tokens or more, and its answer may have fewer."
            )
            raise self._notes.refuse("max_output_tokens", message)
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
            raise self._notes.refuse("effort", f"The chosen provider has no effort '{effort}'.")
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


def write_answer_tool(conversation: Conversation, notes: Notes, *, is_thinking: bool) -> dict[str, Any]:
    """`tools` and `tool_choice` for a model without output formats. Raises CannotTranslate."""
    output = conversation.output or OutputFormat()
    if conversation.tools:
        raise notes.refuse("output", "The chosen model cannot use tools and answer in JSON at once.")
    if is_thinking:
        raise notes.refuse(
            "output", "The chosen model cannot think with a budget and answer in JSON at once."
        )
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
    conversation: Conversation, notes: Notes, *, is_new: bool, is_thinking: bool
) -> dict[str, Any]:
    """`is_new`: the version of the API that took temperature, top_p and top_k away. Raises CannotTranslate."""
    sampling = conversation.sampling
    _refuse_missing(sampling, notes)
    drawn = _write_drawn(sampling)
    if is_new and drawn:
        raise notes.refuse(next(iter(drawn)), "The chosen model draws its tokens in its own way only.")
    if sampling.temperature is not None and not 0 <= sampling.temperature <= 1:
        raise notes.refuse("temperature", "The chosen provider takes temperatures from 0 to 1.")
    if is_thinking:
        _check_thinking(sampling, notes)
    return drawn | _write_stop(sampling, notes)


def _write_drawn(sampling: Sampling) -> dict[str, Any]:
    drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}
    return {name: value for name, value in drawn.items() if value is not None}


def _write_stop(sampling: Sampling, notes: Notes) -> dict[str, Any]:
    if any(not text.strip() for text in sampling.stop):
        raise notes.refuse("stop", "The chosen provider cannot stop at white space alone.")
    return {"stop_sequences": list(sampling.stop)} if sampling.stop else {}


def _check_thinking(sampling: Sampling, notes: Notes) -> None:
    if sampling.temperature not in {None, 1}:
        raise notes.refuse("temperature", "The chosen model thinks at temperature 1 only.")
    if sampling.top_k is not None:
        raise notes.refuse("top_k", "The chosen model cannot think with 'top_k'.")


def _refuse_missing(sampling: Sampling, notes: Notes) -> None:
    """Zero, empty and False ask for nothing."""
    missing = {
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "logit_bias": sampling.logit_bias,
        "logprobs": sampling.logprobs or sampling.top_logprobs,
    }
    for name, value in missing.items():
        if value:
            raise notes.refuse(name, f"The chosen provider has no '{name}'.")
    if sampling.seed is not None:
        raise notes.refuse("seed", "The chosen provider has no 'seed'.")
