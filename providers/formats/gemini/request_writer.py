"""Writes a request for a provider.

Source: https://ai.google.dev/api/generate-content.
"""

import re
from typing import Any
from urllib.parse import quote

from providers.formats.answer_tool import ask_by_tool
from providers.formats.base import CannotTranslate, Upstream, WrittenRequest
from providers.formats.extras import in_place
from providers.formats.field_names import client_field
from providers.formats.gemini.members import camel
from providers.formats.gemini.messages_writer import ContentsWriter
from providers.formats.gemini.request_reader import SCHEMA
from providers.formats.gemini.signatures import ORIGIN
from providers.formats.gemini.tools import write_tools
from providers.formats.known_models import known_model
from providers.formats.marks import leave_marks
from providers.formats.notes import Notes, leave_natives
from providers.formats.sampling import fit_reasoning, fit_sampling
from providers.formats.wording import is_unchanged, wording_in
from providers.wire.conversation import (
    Conversation,
    Image,
    OutputKind,
    ReasoningConfig,
    Sampling,
)
from providers.wire.effort import EFFORT_BUDGETS, budget_for, effort_for
from providers.wire.parts import parts_of

_VERBS = {False: "generateContent", True: "streamGenerateContent?alt=sse"}
_COLLECTION = re.compile(r"(models|tunedModels)/(.+)")
_TIERS = {"default": "standard", "standard_only": "standard", "flex": "flex", "priority": "priority"}
_ANY_TIER = frozenset({None, "auto"})
_MOST_STOPS = 5
_UNKNOWN = frozenset({"logit_bias"})
_LEAST_BUDGET = 512
"""What the least model with a budget accepts; the others accept less."""
_KNOWN_EFFORTS = frozenset({"none", *EFFORT_BUDGETS})
_LEVELS = {"none": "MINIMAL", "max": "XHIGH"}
"""Efforts without a level of their own name."""
MODALITIES = "modalities"
"""Chat's parameter."""
_MODALITIES = {"text": "TEXT", "image": "IMAGE"}
_BUDGET = "thinkingBudget"
_THINKING = "generationConfig.thinkingConfig"


def write_request(conversation: Conversation, upstream: Upstream) -> WrittenRequest:
    """Raises CannotTranslate. The user's id and marks for caching are left out: there is no place for them."""
    notes = Notes(conversation.source)
    if conversation.source != ORIGIN:
        written = [MODALITIES] if modalities_of(conversation) else []
        conversation = leave_natives(conversation, notes, written)
    conversation = ask_by_tool(conversation, upstream, notes.translated)
    body = write_tools(conversation, notes.translated)
    needs_signatures = not _takes_budget(upstream)
    body |= ContentsWriter(
        conversation,
        notes,
        needs_signatures=needs_signatures,
        takes_media_in_results=known_model(upstream.name).takes_media_in_results,
    ).write()
    config = write_config(conversation, upstream, notes)
    if config:
        body["generationConfig"] = config
    body |= _tier(conversation)
    # Other clients' metadata is for their own records, and need not fit into labels.
    if conversation.source == ORIGIN and conversation.metadata is not None:
        body["labels"] = dict(conversation.metadata)
    if conversation.source == ORIGIN:
        body = in_place(body, conversation, rename=camel)
    else:
        # A project may keep answers by its settings.
        body |= {"store": False} if conversation.extra.get("store") is False else {}
        if conversation.metadata:
            notes.lose("metadata", "")
    if conversation.user_id:
        notes.lose("user", "")
    leave_marks(conversation, notes)
    return notes.written(_path(upstream), body)


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


def write_config(conversation: Conversation, upstream: Upstream, notes: Notes) -> dict[str, Any]:
    """Raises CannotTranslate."""
    _check(conversation, notes)
    sampling = fit_sampling(conversation.sampling, upstream, notes, _UNKNOWN)
    config = _sampling(sampling, conversation.max_output_tokens) | _output(conversation)
    reasoning = _reasoning(conversation, upstream, notes)
    if reasoning:
        config["thinkingConfig"] = reasoning
    if _wants_small_images(conversation):
        notes.note("image_detail", "generationConfig.mediaResolution")
        config["mediaResolution"] = "MEDIA_RESOLUTION_LOW"
    if modalities := modalities_of(conversation):
        notes.note_path(MODALITIES, "generationConfig.responseModalities")
        config["responseModalities"] = modalities
    return config


def modalities_of(conversation: Conversation) -> list[str]:
    """Where a client of chat asks for pictures, as OpenRouter's do; else empty."""
    asked = conversation.extra.get(MODALITIES)
    words = asked if isinstance(asked, list) and conversation.source != ORIGIN else []
    is_sayable = "image" in words and all(isinstance(word, str) and word in _MODALITIES for word in words)
    return [_MODALITIES[word] for word in words] if is_sayable else []


def _check(conversation: Conversation, notes: Notes) -> None:
    source, sampling = conversation.source, conversation.sampling
    if len(sampling.stop) > _MOST_STOPS:
        raise CannotTranslate(
            f"This provider takes at most {_MOST_STOPS} stop sequences.",
            param=client_field(source, "stop"),
            code="invalid_value",
        )
    # `medium` is what every provider does unasked.
    if conversation.verbosity not in {None, "medium"}:
        notes.lose("verbosity", "")


def _sampling(sampling: Sampling, max_output_tokens: int | None) -> dict[str, Any]:
    members = {
        "maxOutputTokens": max_output_tokens,
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


def _reasoning(conversation: Conversation, upstream: Upstream, notes: Notes) -> dict[str, Any]:
    reasoning = fit_reasoning(conversation.reasoning, upstream, notes)
    if reasoning is None:
        return {}
    shown = {} if reasoning.is_included is None else {"includeThoughts": reasoning.is_included}
    has_budgets = _takes_budget(upstream)
    amount = _budget(reasoning, conversation) if has_budgets else _level(reasoning, notes)
    least = known_model(upstream.name).least_budget
    if 0 <= amount.get(_BUDGET, least) < least:
        amount = {_BUDGET: least}
        notes.lose("effort" if reasoning.effort else "budget_tokens", "", f"{_THINKING}.{_BUDGET}={least}")
    field = "budget_tokens" if reasoning.effort is None else "effort"
    if amount and conversation.source != ORIGIN and (reasoning.effort or reasoning.budget_tokens):
        notes.note(field, f"{_THINKING}.{next(iter(amount))}")
    return shown | amount


def _takes_budget(upstream: Upstream) -> bool:
    return upstream.takes_thinking_budget or known_model(upstream.name).needs_budget


def _budget(reasoning: ReasoningConfig, conversation: Conversation) -> dict[str, Any]:
    if reasoning.effort is not None:
        most = None if conversation.max_output_tokens is None else max(0, conversation.max_output_tokens - 1)
        effort = reasoning.effort if reasoning.effort in _KNOWN_EFFORTS else "high"
        return {_BUDGET: budget_for(effort, least=_LEAST_BUDGET, most=most)}
    if reasoning.budget_tokens is not None:
        return {_BUDGET: reasoning.budget_tokens}
    return {_BUDGET: -1} if reasoning.is_adaptive else {}


def _level(reasoning: ReasoningConfig, notes: Notes) -> dict[str, Any]:
    """Gemini 3 still takes the budgets of older clients of its own; how much it thinks is its own matter otherwise."""
    if notes.source == ORIGIN and reasoning.effort in {None, "none"}:
        return _own_budget(reasoning)
    effort = reasoning.effort
    if effort is None and reasoning.budget_tokens is not None:
        effort = effort_for(reasoning.budget_tokens)
    if effort is None:
        return {}
    level = _LEVELS.get(effort, effort.upper())
    if level not in {"MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"}:
        notes.lose("effort", "")
        return {}
    return {"thinkingLevel": level}


def _own_budget(reasoning: ReasoningConfig) -> dict[str, Any]:
    if reasoning.effort == "none":
        return {_BUDGET: 0}
    if reasoning.is_adaptive:
        return {_BUDGET: -1}
    return {} if reasoning.budget_tokens is None else {_BUDGET: reasoning.budget_tokens}


def _wants_small_images(conversation: Conversation) -> bool:
    """There is one resolution for all; any other `detail` is what Gemini does unasked."""
    parts = parts_of(conversation.messages)
    return Image in map(type, parts) and all(
        part.detail == "low" for part in parts if isinstance(part, Image)
    )
