"""Which parameters a request uses, by their names in the catalogue, and whether an offering declares them. Pure."""

from collections.abc import Iterator, Mapping, Set
from typing import Any

from providers.formats.answer_tool import SCHEMA_BY_TOOL
from providers.formats.field_names import client_field
from providers.formats.losses import Kind, loss_of
from providers.wire.conversation import Conversation, OutputFormat, OutputKind, ReasoningConfig, Sampling

# These change no answer: what it is about, how it comes, and who is told.
_NO_PARAMETERS = {
    "model",
    "messages",
    "input",
    "stream",
    "user",
    "safety_identifier",
    "metadata",
    # Vectors come as they were asked for, whatever the provider makes of it.
    "encoding_format",
}
# Chat's older names for the same thing.
_SAME = {"max_completion_tokens": "max_tokens", "functions": "tools", "function_call": "tool_choice"}
# Under which other names an offering may declare a parameter, which is then said in those words.
_DECLARED_AS = {
    "max_tokens": frozenset({"max_tokens", "max_completion_tokens", "max_output_tokens"}),
    "reasoning_effort": frozenset({"reasoning_effort", "reasoning", "thinking", "thinking_budget"}),
    "n": frozenset({"n", "candidate_count"}),
}
_SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "stop",
    "logit_bias",
    "logprobs",
)


def used_in_chat(body: Mapping[str, Any]) -> dict[str, str]:
    """Of a body in OpenAI's own form: the catalogue's name → the client's."""
    used: dict[str, str] = {}
    for name, value in body.items():
        if value is None or name in _NO_PARAMETERS or _is_hint("openai", name, value):
            continue
        if name == "response_format":
            used |= _used_form(value.get("type"), name)
        elif not (name == "reasoning_effort" and value == "default"):
            used[_SAME.get(name, name)] = name
    return used


def used_by(conversation: Conversation) -> dict[str, str]:
    """Of a request in any other form: the catalogue's name → the client's."""
    source = conversation.source
    fields = [
        *_used_settings(conversation),
        *_used_sampling(conversation.sampling),
        *_used_reasoning(conversation.reasoning),
    ]
    used = {name: name if field is None else client_field(source, field) for name, field in fields}
    used |= _used_output(conversation.output, client_field(source, "output"))
    extra = conversation.extra.items()
    return used | {
        _SAME_EXTRA.get(path.rpartition(".")[2], path): path
        for path, value in extra
        if not _is_hint(source, path, value)
    }


_SAME_EXTRA = {"candidateCount": "n", "candidate_count": "n"}


def declares(params: Set[str], quirks: Set[str], name: str, *, is_strict: bool) -> bool:
    """Whether an offering with these declared parameters takes that one. `is_strict`: JSON alone is no schema."""
    if name == "structured_outputs":
        by_tool = SCHEMA_BY_TOOL in quirks and "tools" in params
        return by_tool or name in params or (not is_strict and "response_format" in params)
    return not params.isdisjoint(_DECLARED_AS.get(name, {name}))


def _is_hint(source: str, path: str, value: object) -> bool:
    return loss_of(source, path, value)[0] is Kind.HINT


def _used_form(kind: str | None, client_name: str) -> dict[str, str]:
    name = {"json_object": "response_format", "json_schema": "structured_outputs"}.get(kind or "")
    return {name: client_name} if name else {}


def _used_output(output: OutputFormat | None, client_name: str) -> dict[str, str]:
    kinds = {OutputKind.JSON: "json_object", OutputKind.SCHEMA: "json_schema"}
    return _used_form(kinds.get(output.kind), client_name) if output else {}


def _used_settings(conversation: Conversation) -> Iterator[tuple[str, str | None]]:
    """Name in the catalogue, and the field of field_names; None where every client writes it alike."""
    if conversation.max_output_tokens is not None:
        yield "max_tokens", "max_output_tokens"
    if conversation.functions:
        yield "tools", None
    if conversation.tool_choice is not None:
        yield "tool_choice", "tool_choice"
    if conversation.parallel_tool_calls is not None:
        yield "parallel_tool_calls", "parallel_tool_calls"
    if conversation.verbosity is not None:
        yield "verbosity", "verbosity"
    if conversation.service_tier is not None:
        yield "service_tier", "service_tier"


def _used_sampling(sampling: Sampling) -> Iterator[tuple[str, str]]:
    for name in _SAMPLING:
        value = getattr(sampling, name)
        if value is not None and value != ():
            yield name, name
    if sampling.top_logprobs is not None:
        yield "top_logprobs", "logprobs"


def _used_reasoning(reasoning: ReasoningConfig | None) -> Iterator[tuple[str, str]]:
    if reasoning is not None:
        yield "reasoning_effort", "budget_tokens" if reasoning.budget_tokens is not None else "effort"
