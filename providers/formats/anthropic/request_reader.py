"""Reads a request of a client that speaks Anthropic Messages."""

from collections.abc import Mapping
from typing import Any

from providers.formats.anthropic.cache_marks import MOST_MARKS
from providers.formats.anthropic.messages_reader import read_messages
from providers.formats.anthropic.signatures import ORIGIN
from providers.formats.anthropic.tools import read_tool_choice, read_tools
from providers.formats.base import BadRequest
from providers.formats.fields import Fields
from providers.formats.marks import marks_of
from providers.formats.wording import as_read
from providers.wire.conversation import Conversation, OutputFormat, OutputKind, ReasoningConfig, Sampling

_SHOWN = {"summarized": True, "omitted": False}
_TIERS = {"auto": "auto", "standard_only": "default"}


def read_request(body: Mapping[str, Any]) -> Conversation:
    """Both versions are read alike: what the newer one took away is refused where it cannot be said."""
    fields = Fields(body)
    fields.skip("model", "stream")
    choice, is_parallel = read_tool_choice(fields)
    output, effort = _read_output_config(fields)
    reasoning, own = _read_reasoning_config(fields, effort)
    conversation = Conversation(
        messages=read_messages(fields),
        source=ORIGIN,
        max_output_tokens=_read_max_tokens(fields),
        sampling=_read_sampling(fields),
        tools=read_tools(fields),
        tool_choice=choice,
        parallel_tool_calls=is_parallel,
        output=output,
        reasoning=reasoning,
        service_tier=_read_tier(fields),
        user_id=_read_user_id(fields),
        extra=fields.rest() | own | fields.own,
    )
    _check_marks(conversation)
    return as_read(conversation, ORIGIN, body, {})


def _read_max_tokens(fields: Fields) -> int:
    tokens = fields.integer("max_tokens")
    if tokens is None:
        raise fields.wrong("max_tokens", "is missing")
    if tokens < 0:
        raise fields.wrong("max_tokens", "has to be 0 or more")
    return tokens


def _read_sampling(fields: Fields) -> Sampling:
    stop = []
    for text, path in fields.items("stop_sequences"):
        if not isinstance(text, str):
            raise BadRequest(f"'{path}' has to be a string.", param=path)
        stop.append(text)
    return Sampling(
        temperature=fields.number("temperature"),
        top_p=fields.number("top_p"),
        top_k=fields.integer("top_k"),
        stop=tuple(stop),
    )


def _read_output_config(fields: Fields) -> tuple[OutputFormat | None, str | None]:
    config = fields.part("output_config")
    if config is None:
        return None, None
    effort, wanted = config.text("effort"), config.part("format")
    config.end()
    if wanted is None:
        return None, effort
    if wanted.needed("type") != "json_schema":
        raise wanted.wrong("type", "has to be 'json_schema'")
    schema = wanted.mapping("schema")
    if schema is None:
        raise wanted.wrong("schema", "is missing")
    wanted.end()
    return OutputFormat(OutputKind.SCHEMA, schema=schema), effort


def _read_reasoning_config(
    fields: Fields, effort: str | None
) -> tuple[ReasoningConfig | None, dict[str, Any]]:
    """The reasoning that is wanted, and what only Anthropic can say of it, for `extra`."""
    value = fields.part("thinking")
    if value is None:
        return (ReasoningConfig(effort=effort) if effort else None), {}
    kind = value.needed("type")
    if kind == "disabled":
        # Without thinking an effort still moves Anthropic's models, and no others.
        return ReasoningConfig(effort="none"), {"output_config.effort": effort} if effort else {}
    if kind == "between_tools":
        return (ReasoningConfig(effort=effort) if effort else None), {
            "thinking": dict(fields.mapping("thinking") or {})
        }
    if kind not in {"enabled", "adaptive"}:
        raise value.wrong("type", "has to be enabled, adaptive, between_tools or disabled")
    shown, budget = _SHOWN.get(value.text("display") or ""), value.integer("budget_tokens")
    value.end()
    if kind == "enabled" and budget is None:
        raise value.wrong("budget_tokens", "is missing")
    return ReasoningConfig(effort, budget, shown, is_adaptive=kind == "adaptive"), {}


def _read_tier(fields: Fields) -> str | None:
    tier = fields.text("service_tier")
    if tier is not None and tier not in _TIERS:
        raise fields.wrong("service_tier", "has to be 'auto' or 'standard_only'")
    return None if tier is None else _TIERS[tier]


def _read_user_id(fields: Fields) -> str | None:
    metadata = fields.part("metadata")
    if metadata is None:
        return None
    user_id = metadata.text("user_id")
    metadata.end()
    return user_id


def _check_marks(conversation: Conversation) -> None:
    if len(marks_of(conversation)) > MOST_MARKS:
        message = f"At most {MOST_MARKS} blocks may carry 'cache_control'."
        raise BadRequest(message, param="cache_control")
