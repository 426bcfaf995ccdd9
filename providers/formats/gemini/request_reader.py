"""Reads a client's request.

Source: https://ai.google.dev/api/generate-content.
"""

from collections.abc import Mapping
from typing import Any

from providers.formats.base import BadRequest
from providers.formats.gemini.members import Members, camel
from providers.formats.gemini.messages_reader import ContentsReader
from providers.formats.gemini.schema import json_schema
from providers.formats.gemini.signatures import ORIGIN
from providers.formats.gemini.tools import read_tools
from providers.formats.wording import as_read
from providers.wire.conversation import Conversation, OutputFormat, OutputKind, ReasoningConfig, Sampling
from providers.wire.estimate import estimate_input_tokens

_KNOWN = frozenset(
    {
        "contents",
        "systemInstruction",
        "tools",
        "toolConfig",
        "generationConfig",
        "serviceTier",
        "labels",
        "model",
    }
)
_TOKENS_MOST = 2**53
_TIERS = {"standard": "default", "unspecified": None}
"""Where Google's word is not everybody's."""
_KNOWN_CONFIG = frozenset(
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


def read_request(body: Mapping[str, Any]) -> Conversation:
    """Raises BadRequest."""
    members = Members(body, "")
    messages = ContentsReader().read(members)
    extra = members.others(_KNOWN)
    tools, choice = read_tools(members, extra)
    config = members.object("generationConfig") or Members({}, "generationConfig")
    output, reasoning = read_output(config, extra), read_reasoning_config(config, extra)
    extra |= read_others(config)
    conversation = Conversation(
        messages,
        source=ORIGIN,
        max_output_tokens=config.integer("maxOutputTokens", 1, _TOKENS_MOST),
        sampling=read_sampling(config),
        tools=tools,
        tool_choice=choice,
        output=output,
        reasoning=reasoning,
        service_tier=_tier(members),
        metadata=_labels(members),
        extra=extra,
    )
    return as_read(conversation, ORIGIN, {camel(name): value for name, value in body.items()}, {})


def _tier(members: Members) -> str | None:
    tier = members.text("serviceTier")
    return None if tier is None else _TIERS.get(tier.lower(), tier.lower())


def _labels(members: Members) -> Mapping[str, str] | None:
    labels = members.raw("labels")
    if labels is None:
        return None
    if isinstance(labels, Mapping) and all(isinstance(text, str) for text in labels.values()):
        return dict(labels)
    path = members.path_of("labels")
    raise BadRequest(f"'{path}' must be an object of strings.", param=path, code="invalid_type")


def read_sampling(config: Members) -> Sampling:
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


def read_output(config: Members, extra: dict[str, Any]) -> OutputFormat | None:
    media_type = config.text("responseMimeType")
    if media_type not in {None, "", _PLAIN, _JSON}:
        extra[config.path_of("responseMimeType")] = media_type
    if config.object("responseJsonSchema") is not None:
        return OutputFormat(OutputKind.SCHEMA, schema=config.raw("responseJsonSchema"))
    if config.object(SCHEMA) is not None:
        schema = config.raw(SCHEMA)
        return as_read(OutputFormat(OutputKind.SCHEMA, schema=json_schema(schema)), ORIGIN, schema, {})
    return OutputFormat(OutputKind.JSON) if media_type == _JSON else None


def read_reasoning_config(config: Members, extra: dict[str, Any]) -> ReasoningConfig | None:
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


def read_others(config: Members) -> dict[str, Any]:
    """What only Gemini understands, by path; without what says nothing: one candidate, of text."""
    others = config.others(_KNOWN_CONFIG)
    if config.integer("candidateCount", 1) not in {None, 1}:
        others[config.path_of("candidateCount")] = config.raw("candidateCount")
    if config.texts("responseModalities") not in {(), ("TEXT",)}:
        others[config.path_of("responseModalities")] = config.raw("responseModalities")
    return others


def _effort(thinking: Members) -> str | None:
    level = (thinking.text("thinkingLevel") or "THINKING_LEVEL_UNSPECIFIED").upper()
    if level not in _LEVELS:
        path = thinking.path_of("thinkingLevel")
        raise BadRequest(f"'{path}' must be one of MINIMAL, LOW, MEDIUM, HIGH, XHIGH.", param=path)
    return _LEVELS[level]


def count_tokens(body: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a request, which holds either contents or a whole generateContentRequest. Raises BadRequest."""
    asked = Members(body, "").object("generateContentRequest")
    whole = body if asked is None else Members(body, "").raw("generateContentRequest")
    read_request(whole)
    return {"totalTokens": estimate_input_tokens(whole)}
