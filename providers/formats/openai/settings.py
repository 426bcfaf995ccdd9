"""Settings of a chat request that are more than a number: structured output and reasoning, as they are read."""

from providers.formats.base import BadRequest
from providers.formats.fields import Fields
from providers.wire.conversation import OutputFormat, OutputKind, ReasoningConfig

_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


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
    """`reasoning_effort`, and what other providers' clients say instead: `reasoning`, `thinking`."""
    effort = read_effort(body, "reasoning_effort")
    if reasoning := body.part("reasoning"):
        return _read_openrouter(reasoning, effort)
    if thinking := body.part("thinking"):
        return _read_anthropic(thinking, effort)
    return None if effort is None else ReasoningConfig(effort)


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
