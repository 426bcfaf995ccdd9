"""Reads generationConfig: sampling, the answer's form, and reasoning."""

from collections.abc import Mapping
from typing import Any

from providers.formats.base import BadRequest
from providers.formats.gemini.fields import Fields
from providers.formats.gemini.schema import json_schema
from providers.formats.gemini.signatures import ORIGIN
from providers.formats.wording import as_read
from providers.wire.conversation import OutputFormat, OutputKind, ReasoningConfig, Sampling

_KNOWN = frozenset(
    {
        "temperature",
        "topP",
        "topK",
        "candidateCount",
        "maxOutputTokens",
        "stopSequences",
        "seed",
        "presencePenalty",
        "frequencyPenalty",
        "responseLogprobs",
        "logprobs",
        "responseMimeType",
        "responseSchema",
        "responseJsonSchema",
        "responseModalities",
        "thinkingConfig",
    }
)
SCHEMA = "responseSchema"
"""In Google's own subset of a schema's words, which says more of order."""
_JSON, _PLAIN = "application/json", "text/plain"
_DYNAMIC_BUDGET = -1
_LEVELS: Mapping[str, str | None] = {
    "MINIMAL": "minimal",
    "LOW": "low",
    "MEDIUM": "medium",
    "HIGH": "high",
    "XHIGH": "xhigh",
    "THINKING_LEVEL_UNSPECIFIED": None,
}


def read_sampling(config: Fields) -> Sampling:
    """Raises BadRequest, as all here do."""
    return Sampling(
        temperature=config.number("temperature", 0, 2),
        top_p=config.number("topP", 0, 1),
        top_k=config.integer("topK", 1),
        frequency_penalty=config.number("frequencyPenalty", -2, 2),
        presence_penalty=config.number("presencePenalty", -2, 2),
        seed=config.integer("seed"),
        stop=config.texts("stopSequences"),
        logprobs=config.flag("responseLogprobs"),
        top_logprobs=config.integer("logprobs", 0, 20),
    )


def read_output(config: Fields, extra: dict[str, Any]) -> OutputFormat | None:
    media_type = config.text("responseMimeType")
    if media_type not in {None, "", _PLAIN, _JSON}:
        extra[config.path_of("responseMimeType")] = media_type
    if config.object("responseJsonSchema") is not None:
        return OutputFormat(OutputKind.SCHEMA, schema=config.raw("responseJsonSchema"))
    if config.object(SCHEMA) is not None:
        schema = config.raw(SCHEMA)
        return as_read(OutputFormat(OutputKind.SCHEMA, schema=json_schema(schema)), ORIGIN, schema, {})
    return OutputFormat(OutputKind.JSON) if media_type == _JSON else None


def read_reasoning_config(config: Fields, extra: dict[str, Any]) -> ReasoningConfig | None:
    """A budget of 0 is no thinking; of -1, as much as the model finds right."""
    thinking = config.object("thinkingConfig")
    if thinking is None:
        return None
    extra.update(thinking.others({"includeThoughts", "thinkingBudget", "thinkingLevel"}))
    budget, effort = thinking.integer("thinkingBudget", _DYNAMIC_BUDGET), _effort(thinking)
    if budget == 0:
        budget, effort = None, "none"
    is_adaptive = budget == _DYNAMIC_BUDGET
    return ReasoningConfig(
        effort, None if is_adaptive else budget, thinking.flag("includeThoughts"), is_adaptive
    )


def read_others(config: Fields) -> dict[str, Any]:
    """What only Gemini understands, by path; without what says nothing: one candidate, of text."""
    others = config.others(_KNOWN)
    if config.integer("candidateCount", 1) not in {None, 1}:
        others[config.path_of("candidateCount")] = config.raw("candidateCount")
    if config.texts("responseModalities") not in {(), ("TEXT",)}:
        others[config.path_of("responseModalities")] = config.raw("responseModalities")
    return others


def _effort(thinking: Fields) -> str | None:
    level = (thinking.text("thinkingLevel") or "THINKING_LEVEL_UNSPECIFIED").upper()
    if level not in _LEVELS:
        path = thinking.path_of("thinkingLevel")
        raise BadRequest(f"'{path}' must be one of MINIMAL, LOW, MEDIUM, HIGH, XHIGH.", param=path)
    return _LEVELS[level]
