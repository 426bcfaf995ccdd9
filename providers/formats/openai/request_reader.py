"""Reads a client's chat request and its settings."""

from collections.abc import Mapping
from typing import Any

from providers.formats.base import BadRequest
from providers.formats.fields import Fields
from providers.formats.openai.messages_reader import read_messages
from providers.formats.openai.signatures import ORIGIN
from providers.formats.openai.tools import read_tool_choice, read_tools
from providers.formats.turns import says_something
from providers.formats.wording import as_read
from providers.wire.conversation import (
    Conversation,
    Message,
    OutputFormat,
    OutputKind,
    ReasoningConfig,
    Sampling,
)

# The gateway's part of a request, and how its answer is delivered.
_NOT_TRANSLATED = ("model", "stream", "stream_options")
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def read_request(body: Mapping[str, Any]) -> Conversation:
    fields = Fields(body)
    fields.skip(*_NOT_TRANSLATED)
    messages = read_messages(fields)
    if not any(map(_says_something, messages)):
        raise BadRequest("'messages' has to hold at least one message that says something.", param="messages")
    most, most_before = fields.integer("max_completion_tokens"), fields.integer("max_tokens")
    user, user_before = fields.text("safety_identifier"), fields.text("user")
    conversation = Conversation(
        messages=messages,
        source=ORIGIN,
        max_output_tokens=most_before if most is None else most,
        sampling=_read_sampling(fields),
        tools=read_tools(fields),
        tool_choice=read_tool_choice(fields),
        parallel_tool_calls=fields.flag("parallel_tool_calls"),
        output=read_output(fields),
        reasoning=read_reasoning_config(fields),
        verbosity=fields.text("verbosity"),
        service_tier=fields.text("service_tier"),
        user_id=user or user_before,
        metadata=fields.mapping("metadata"),
        extra=fields.rest() | fields.own,
    )
    return as_read(conversation, ORIGIN, body, {})


def _says_something(message: Message) -> bool:
    return says_something(message) or bool(message.wording and message.wording.own)


def _read_sampling(fields: Fields) -> Sampling:
    return Sampling(
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        frequency_penalty=fields.number("frequency_penalty"),
        presence_penalty=fields.number("presence_penalty"),
        seed=fields.integer("seed"),
        stop=_read_stop(fields),
        logit_bias=fields.mapping("logit_bias"),
        logprobs=fields.flag("logprobs"),
        top_logprobs=fields.integer("top_logprobs"),
    )


def _read_stop(fields: Fields) -> tuple[str, ...]:
    value = fields.any("stop")
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(text, str) for text in value):
        return tuple(value)
    raise fields.wrong("stop", "has to be a string or a list of strings")


def read_output(body: Fields) -> OutputFormat | None:
    wanted = body.part("response_format")
    if wanted is None:
        return None
    kind = wanted.needed("type")
    if kind == "json_schema":
        schema = wanted.part("json_schema")
        if schema is None:
            raise wrong_schema(wanted)
        return read_schema(schema)
    return read_plain_output(wanted, kind)


def read_plain_output(wanted: Fields, kind: str) -> OutputFormat:
    if kind == "text":
        return OutputFormat()
    if kind == "json_object":
        return OutputFormat(OutputKind.JSON)
    raise wanted.wrong("type", "has to be text, json_object or json_schema")


def read_schema(fields: Fields) -> OutputFormat:
    schema = OutputFormat(
        OutputKind.SCHEMA,
        name=fields.needed("name"),
        # OpenAI takes a format without a schema as one that allows anything.
        schema=fields.mapping("schema") or {},
        description=fields.text("description"),
        strict=fields.flag("strict"),
    )
    fields.skip("type")
    fields.end()
    return schema


def wrong_schema(wanted: Fields) -> BadRequest:
    return wanted.wrong("json_schema", "is missing")


def read_reasoning_config(body: Fields) -> ReasoningConfig | None:
    """`reasoning_effort`, and what clients of other providers and of open models' servers say instead."""
    effort, switched = read_effort(body, "reasoning_effort"), _read_switched(body)
    if reasoning := body.part("reasoning"):
        return _read_openrouter(reasoning, effort)
    if thinking := body.part("thinking"):
        return _read_anthropic(thinking, effort)
    return switched if effort is None else ReasoningConfig(effort)


def _read_switched(body: Fields) -> ReasoningConfig | None:
    """`enable_thinking` with `thinking_budget`, as Qwen's providers and vLLM's templates have them."""
    budget, switches = body.integer("thinking_budget"), [body.flag("enable_thinking")]
    if template := body.part("chat_template_kwargs"):
        switches += [template.flag("enable_thinking"), template.flag("thinking")]
        template.end()
    if False in switches:
        return ReasoningConfig("none")
    if budget is not None:
        return ReasoningConfig(budget_tokens=budget)
    return ReasoningConfig("medium") if True in switches else None


def read_effort(fields: Fields, name: str) -> str | None:
    """None also for `default`, which says nothing."""
    effort = fields.text(name)
    if effort is None or effort == "default":
        return None
    if effort not in _EFFORTS:
        raise fields.wrong(name, f"has to be one of {', '.join(_EFFORTS)}")
    return effort


def _read_openrouter(fields: Fields, effort: str | None) -> ReasoningConfig:
    """Source: OpenRouter's `reasoning` parameter (November 2026)."""
    effort = read_effort(fields, "effort") or effort
    budget, is_hidden, is_enabled = (
        fields.integer("max_tokens"),
        fields.flag("exclude"),
        fields.flag("enabled"),
    )
    fields.skip("summary")
    fields.end()
    if is_enabled is False:
        return ReasoningConfig("none")
    if is_enabled and effort is None and budget is None:
        effort = "medium"
    return ReasoningConfig(effort, budget, None if is_hidden is None else not is_hidden)


def _read_anthropic(fields: Fields, effort: str | None) -> ReasoningConfig:
    """Anthropic's parameter, as some clients of chat send it."""
    kind, budget = fields.needed("type"), fields.integer("budget_tokens")
    display = fields.text("display")
    fields.end()
    if kind == "disabled":
        return ReasoningConfig("none")
    is_included = None if display is None else display != "omitted"
    return ReasoningConfig(effort, budget, is_included, is_adaptive=kind == "adaptive")
