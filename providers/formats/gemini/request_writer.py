"""Writes a request for a provider.

Source: https://ai.google.dev/api/generate-content.
"""

import re
from typing import Any
from urllib.parse import quote

from providers.formats.answer_tool import ask_by_tool
from providers.formats.base import CannotTranslate, Upstream, WrittenRequest
from providers.formats.extras import in_place, refuse_extras
from providers.formats.field_names import client_field
from providers.formats.gemini.fields import camel
from providers.formats.gemini.messages_writer import ContentsWriter
from providers.formats.gemini.request_reader import SCHEMA
from providers.formats.gemini.signatures import ORIGIN
from providers.formats.gemini.tools import write_tools
from providers.formats.marks import marks_left_out
from providers.formats.wording import is_unchanged, wording_in
from providers.wire.conversation import (
    Conversation,
    Image,
    OutputKind,
    ReasoningConfig,
    Sampling,
    ToolResult,
)
from providers.wire.effort import budget_for, effort_for

_VERBS = {False: "generateContent", True: "streamGenerateContent?alt=sse"}
_COLLECTION = re.compile(r"(models|tunedModels)/(.+)")
_TIERS = {"default": "standard", "standard_only": "standard", "flex": "flex", "priority": "priority"}
_ANY_TIER = frozenset({None, "auto"})
_MOST_STOPS = 5
_LEAST_BUDGET = 512
"""What the least model with a budget accepts; the others accept less."""
_LEVELS = {"none": "MINIMAL", "max": "XHIGH"}
"""Efforts without a level of their own name."""
MODALITIES = "modalities"
"""Chat's parameter."""
_MODALITIES = {"text": "TEXT", "image": "IMAGE"}
_THINKING = "generationConfig.thinkingConfig"


def write_request(conversation: Conversation, upstream: Upstream) -> WrittenRequest:
    """Raises CannotTranslate. The user's id and marks for caching are left out: there is no place for them."""
    if conversation.source != ORIGIN:
        refuse_extras(conversation, written=[MODALITIES] if modalities_of(conversation) else [])
    translated: list[str] = []
    conversation = ask_by_tool(conversation, upstream, translated)
    body = write_tools(conversation, translated)
    needs_signatures = not upstream.takes_thinking_budget
    body |= ContentsWriter(conversation, translated, needs_signatures=needs_signatures).write()
    config = write_config(conversation, upstream, translated)
    if config:
        body["generationConfig"] = config
    body |= _tier(conversation)
    # Other clients' metadata is for their own records, and need not fit into labels.
    if conversation.source == ORIGIN and conversation.metadata is not None:
        body["labels"] = dict(conversation.metadata)
    translated += _left_out(conversation)
    if conversation.source == ORIGIN:
        body = in_place(body, conversation, rename=camel)
    return WrittenRequest(_path(upstream), body, translated=tuple(dict.fromkeys(translated)))


def _left_out(conversation: Conversation) -> list[str]:
    fields = {
        "metadata": conversation.metadata if conversation.source != ORIGIN else None,
        "user": conversation.user_id,
    }
    left_out = [
        f"{client_field(conversation.source, name)} -> left out" for name, value in fields.items() if value
    ]
    return [*left_out, *marks_left_out(conversation)]


def _path(upstream: Upstream) -> str:
    match = _COLLECTION.fullmatch(upstream.name)
    collection, name = match.groups() if match else ("models", upstream.name)
    return f"/{collection}/{quote(name, safe='')}:{_VERBS[upstream.is_streamed]}"


def _tier(conversation: Conversation) -> dict[str, str]:
    tier = conversation.service_tier
    if tier in _ANY_TIER:
        return {}
    if tier not in _TIERS:
        raise CannotTranslate(
            f"This provider has no service tier '{tier}'.",
            param=client_field(conversation.source, "service_tier"),
            code="invalid_value",
        )
    return {"serviceTier": _TIERS[tier]}


def write_config(conversation: Conversation, upstream: Upstream, translated: list[str]) -> dict[str, Any]:
    """Raises CannotTranslate."""
    _refuse(conversation)
    config = _sampling(conversation) | _output(conversation)
    reasoning = _reasoning(conversation, upstream, translated)
    if reasoning:
        config["thinkingConfig"] = reasoning
    if _wants_small_images(conversation):
        translated.append(
            f"{client_field(conversation.source, 'image_detail')} -> generationConfig.mediaResolution"
        )
        config["mediaResolution"] = "MEDIA_RESOLUTION_LOW"
    if modalities := modalities_of(conversation):
        translated.append(f"{MODALITIES} -> generationConfig.responseModalities")
        config["responseModalities"] = modalities
    return config


def modalities_of(conversation: Conversation) -> list[str]:
    """Where a client of chat asks for pictures, as OpenRouter's do; else empty."""
    asked = conversation.extra.get(MODALITIES)
    words = asked if isinstance(asked, list) and conversation.source != ORIGIN else []
    is_sayable = "image" in words and all(isinstance(word, str) and word in _MODALITIES for word in words)
    return [_MODALITIES[word] for word in words] if is_sayable else []


def _refuse(conversation: Conversation) -> None:
    source, sampling = conversation.source, conversation.sampling
    if len(sampling.stop) > _MOST_STOPS:
        raise CannotTranslate(
            f"This provider takes at most {_MOST_STOPS} stop sequences.",
            param=client_field(source, "stop"),
            code="invalid_value",
        )
    if sampling.logit_bias:
        raise CannotTranslate("This provider has no logit bias.", param=client_field(source, "logit_bias"))
    # `medium` is what every provider does unasked.
    if conversation.verbosity not in {None, "medium"}:
        raise CannotTranslate(
            "This provider cannot be told how verbose to be.", param=client_field(source, "verbosity")
        )


def _sampling(conversation: Conversation) -> dict[str, Any]:
    sampling = conversation.sampling
    members = {
        "maxOutputTokens": conversation.max_output_tokens,
        "temperature": sampling.temperature,
        "topP": sampling.top_p,
        "topK": sampling.top_k,
        "frequencyPenalty": sampling.frequency_penalty,
        "presencePenalty": sampling.presence_penalty,
        "seed": sampling.seed,
        "stopSequences": list(sampling.stop) or None,
        "responseLogprobs": _wants_logprobs(sampling),
        "logprobs": sampling.top_logprobs,
    }
    return {name: value for name, value in members.items() if value is not None}


def _wants_logprobs(sampling: Sampling) -> bool | None:
    """Some formats have only a number of them."""
    return True if sampling.logprobs is None and sampling.top_logprobs is not None else sampling.logprobs


def _output(conversation: Conversation) -> dict[str, Any]:
    """The schema's name is not told: it says nothing to a model. Its answers always keep to a schema, strict or not."""
    output = conversation.output
    if output is None or output.kind is OutputKind.TEXT:
        return {}
    if output.schema is None:
        return {"responseMimeType": "application/json"}
    wording = wording_in(output, ORIGIN)
    if wording is not None and is_unchanged(output, wording):
        return {"responseMimeType": "application/json", SCHEMA: wording.value}
    description = {"description": output.description} if output.description else {}
    return {"responseMimeType": "application/json", "responseJsonSchema": {**description, **output.schema}}


def _reasoning(conversation: Conversation, upstream: Upstream, translated: list[str]) -> dict[str, Any]:
    reasoning = conversation.reasoning
    if reasoning is None:
        return {}
    shown = {} if reasoning.is_included is None else {"includeThoughts": reasoning.is_included}
    if upstream.takes_thinking_budget:
        amount = _budget(reasoning, conversation)
    else:
        amount = _level(reasoning, conversation.source)
    field = "budget_tokens" if reasoning.effort is None else "effort"
    if amount and conversation.source != ORIGIN and (reasoning.effort or reasoning.budget_tokens):
        translated.append(f"{client_field(conversation.source, field)} -> {_THINKING}.{next(iter(amount))}")
    return shown | amount


def _budget(reasoning: ReasoningConfig, conversation: Conversation) -> dict[str, Any]:
    if reasoning.effort is not None:
        most = None if conversation.max_output_tokens is None else max(0, conversation.max_output_tokens - 1)
        try:
            return {"thinkingBudget": budget_for(reasoning.effort, least=_LEAST_BUDGET, most=most)}
        except KeyError:
            raise _unknown_effort(reasoning.effort, conversation.source) from None
    if reasoning.budget_tokens is not None:
        return {"thinkingBudget": reasoning.budget_tokens}
    return {"thinkingBudget": -1} if reasoning.is_adaptive else {}


def _level(reasoning: ReasoningConfig, source: str) -> dict[str, Any]:
    """Gemini 3 still takes the budgets of older clients of its own; how much it thinks is its own matter otherwise."""
    if source == ORIGIN and reasoning.effort in {None, "none"}:
        return _own_budget(reasoning)
    effort = reasoning.effort
    if effort is None and reasoning.budget_tokens is not None:
        effort = effort_for(reasoning.budget_tokens)
    if effort is None:
        return {}
    level = _LEVELS.get(effort, effort.upper())
    if level not in {"MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"}:
        raise _unknown_effort(effort, source)
    return {"thinkingLevel": level}


def _own_budget(reasoning: ReasoningConfig) -> dict[str, Any]:
    if reasoning.effort == "none":
        return {"thinkingBudget": 0}
    if reasoning.is_adaptive:
        return {"thinkingBudget": -1}
    return {} if reasoning.budget_tokens is None else {"thinkingBudget": reasoning.budget_tokens}


def _unknown_effort(effort: str, source: str) -> CannotTranslate:
    return CannotTranslate(
        f"'{effort}' is no effort that this provider knows.",
        param=client_field(source, "effort"),
        code="invalid_value",
    )


def _wants_small_images(conversation: Conversation) -> bool:
    """There is one resolution for all; any other `detail` is what Gemini does unasked."""
    parts = [part for message in conversation.messages for part in message.parts]
    parts += [inner for part in parts if isinstance(part, ToolResult) for inner in part.parts]
    images = [part for part in parts if isinstance(part, Image)]
    return bool(images) and all(image.detail == "low" for image in images)
