"""What becomes of a field that a provider's format, or its model, has no words for: judged by what it would change.

One table for all formats. A field that is not in it is relied on, unless it says nothing (null, `{}`, `[]`) or
stands below an object that is a hint. docs/losses.md is made from here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Kind(IntEnum):
    """By what is lost, the least first: so offerings are ordered, and those after TUNING are no choice."""

    NOTHING = 0
    HINT = 1
    """Facts about the client, marks and hints, which cannot change the answer: left out and told."""
    TUNING = 2
    """Of sampling or effort: moved to the nearest value or left out, and told."""
    RELIED_ON = 3
    """What the caller relies on for the answer: translated, or refused by name."""
    PROMISE = 4
    """Retention, region, service tier, spending, safety: an equivalent, or refused by name."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Of one field. `source` says where it is described; values of `unsaid` ask for nothing, and are not told.

    `kept` tells why a promise is kept without a word for it. `is_search`: see WEB_SEARCH.
    """

    kind: Kind
    source: str
    unsaid: tuple[Any, ...] = ()
    kept: str = ""
    is_search: bool = False


_OPENAI = "OpenAI's reference of requests, and its SDK 3.54"
_OPENROUTER = "OpenRouter's reference of parameters (November 2026)"
_ANTHROPIC = "Anthropic's reference of Messages, and its SDK 2.12"
_GOOGLE = "https://ai.google.dev/api/generate-content"
_VLLM = "vLLM's extra parameters of its OpenAI-compatible server"
_CODEX = "Codex CLI"
_HOUSE = "this gateway"
_UNSTORED = "No format keeps an answer that it is not asked to keep, and Google is told not to"
HINT, TUNING, RELIED_ON, PROMISE = Kind.HINT, Kind.TUNING, Kind.RELIED_ON, Kind.PROMISE
_SNAKE = re.compile(r"_([a-z])")


def _camel(name: str) -> str:
    """Google takes both."""
    return _SNAKE.sub(lambda found: found.group(1).upper(), name)


COMMON: Mapping[str, Loss] = {
    "temperature": Loss(TUNING, _OPENAI, (1,)),
    "top_p": Loss(TUNING, _OPENAI, (1,)),
    "top_k": Loss(TUNING, _ANTHROPIC),
    "frequency_penalty": Loss(TUNING, _OPENAI, (0,)),
    "presence_penalty": Loss(TUNING, _OPENAI, (0,)),
    "seed": Loss(TUNING, _OPENAI),
    "logit_bias": Loss(TUNING, _OPENAI),
    "effort": Loss(TUNING, _OPENAI),
    "budget_tokens": Loss(TUNING, _ANTHROPIC),
    "verbosity": Loss(TUNING, _OPENAI, ("medium",)),
    "image_detail": Loss(HINT, _OPENAI, ("auto",)),
    "cache": Loss(HINT, _ANTHROPIC),
    "user": Loss(HINT, _OPENAI),
    "metadata": Loss(HINT, _OPENAI),
    "reasoning": Loss(HINT, _HOUSE),
    "logprobs": Loss(RELIED_ON, _OPENAI, (False, 0)),
    "stop": Loss(RELIED_ON, _OPENAI),
    "output": Loss(RELIED_ON, _OPENAI),
    "tool_choice": Loss(RELIED_ON, _OPENAI),
    "tool_strict": Loss(RELIED_ON, _OPENAI),
    "tool_arguments": Loss(RELIED_ON, _OPENAI),
    "tool_result": Loss(RELIED_ON, _OPENAI),
    "parallel_tool_calls": Loss(RELIED_ON, _OPENAI),
    "name": Loss(RELIED_ON, _OPENAI),
    "file": Loss(RELIED_ON, _OPENAI),
    "audio": Loss(RELIED_ON, _OPENAI),
    "max_output_tokens": Loss(RELIED_ON, _OPENAI),
    "service_tier": Loss(PROMISE, _OPENAI, ("auto", "default")),
}
"""What a Conversation has a place for, by the names of field_names: lost where a provider or its model lacks it."""

# Who calls is told by clients of any format.
_OF_CLIENTS: Mapping[str, Loss] = {
    "client_metadata": Loss(HINT, _CODEX),
    "session_id": Loss(HINT, _OPENROUTER),
    "trace": Loss(HINT, _OPENROUTER),
}
# OpenAI's two formats have these in common, and its compatible servers have them from there.
_OF_OPENAI: Mapping[str, Loss] = {
    **_OF_CLIENTS,
    "prompt_cache_key": Loss(HINT, _OPENAI),
    "prompt_cache_options": Loss(HINT, _OPENAI),
    "prompt_cache_retention": Loss(HINT, _OPENAI),
    "prompt_cache_breakpoint": Loss(HINT, _OPENAI),
    "cache_control": Loss(HINT, _OPENROUTER),
    "*.prompt_cache_breakpoint": Loss(HINT, _OPENAI),
    "*.cache_control": Loss(HINT, _OPENROUTER),
    "stream_options": Loss(HINT, _OPENAI),
    "store": Loss(PROMISE, _OPENAI, (False,), kept=_UNSTORED),
    "moderation": Loss(PROMISE, _OPENAI),
    "background": Loss(RELIED_ON, _OPENAI, (False,)),
    "truncation": Loss(RELIED_ON, _OPENAI, ("disabled",)),
}
FIELDS: Mapping[str, Mapping[str, Loss]] = {
    "openai": {
        **_OF_OPENAI,
        "min_p": Loss(TUNING, _OPENROUTER, (0,)),
        "top_a": Loss(TUNING, _OPENROUTER, (0,)),
        "typical_p": Loss(TUNING, _VLLM, (1,)),
        "repetition_penalty": Loss(TUNING, _OPENROUTER, (1,)),
        "length_penalty": Loss(TUNING, _VLLM, (1,)),
        "min_tokens": Loss(TUNING, _VLLM, (0,)),
        "reasoning_format": Loss(HINT, "Groq's reference of parameters"),
        "include_reasoning": Loss(HINT, _OPENROUTER, (True,)),
        "prediction": Loss(HINT, _OPENAI),
        "fallbacks": Loss(RELIED_ON, _HOUSE),
        "plugins": Loss(RELIED_ON, _OPENROUTER),
        "transforms": Loss(RELIED_ON, _OPENROUTER),
        # Every answer tells its usage.
        "usage": Loss(RELIED_ON, _OPENROUTER, ({"include": True}, {"include": False})),
        "n": Loss(RELIED_ON, _OPENAI, (1,)),
        "best_of": Loss(RELIED_ON, _OPENAI, (1,)),
        "echo": Loss(RELIED_ON, _OPENAI, (False,)),
        "modalities": Loss(RELIED_ON, _OPENAI, (["text"],)),
        "speed": Loss(PROMISE, _ANTHROPIC, ("standard",)),
        "mcp_servers": Loss(RELIED_ON, _ANTHROPIC),
    },
    "responses": {
        **_OF_OPENAI,
        "access_programs": Loss(HINT, _OPENAI),
        "include": Loss(HINT, _OPENAI),
        "reasoning.context": Loss(HINT, _OPENAI),
        "text": Loss(RELIED_ON, _OPENAI),
        # Members that a provider noted on items, or a client keeps there; what is another kind of item stands below.
        "input": Loss(HINT, _OPENAI),
        "tools.defer_loading": Loss(HINT, _OPENAI),
        "tools.output_schema": Loss(HINT, _OPENAI),
        "tools.allowed_callers": Loss(RELIED_ON, _OPENAI, (["direct"],)),
        "tools.async": Loss(HINT, _OPENAI),
        "context_management": Loss(HINT, _OPENAI),
        "max_tool_calls": Loss(
            PROMISE, _OPENAI, kept="It bounds built-in tools, and no other format runs any"
        ),
    },
    "anthropic": {
        **_OF_CLIENTS,
        "cache_control": Loss(HINT, _ANTHROPIC),
        "*.cache_control": Loss(HINT, _ANTHROPIC),
        "diagnostics": Loss(HINT, _ANTHROPIC),
        "context_management": Loss(HINT, _ANTHROPIC),
        "metadata": Loss(HINT, _ANTHROPIC),
        "thinking": Loss(TUNING, _ANTHROPIC),
        "thinking.block_binding": Loss(HINT, _ANTHROPIC),
        "output_config.effort": Loss(TUNING, _ANTHROPIC),
        "output_config.task_budget": Loss(PROMISE, _ANTHROPIC),
        "tools.defer_loading": Loss(HINT, _ANTHROPIC, (False,)),
        "tools.input_examples": Loss(HINT, _ANTHROPIC),
        "tools.allowed_callers": Loss(RELIED_ON, _ANTHROPIC, (["direct"],)),
        "inference_geo": Loss(PROMISE, _ANTHROPIC, ("global",)),
        "speed": Loss(PROMISE, _ANTHROPIC, ("standard",)),
        "fallbacks": Loss(RELIED_ON, _ANTHROPIC),
        "mcp_servers": Loss(RELIED_ON, _ANTHROPIC),
    },
    "gemini": {
        # Google's clients write each name in either way, and what comes is read in this one.
        **{_camel(name): loss for name, loss in _OF_CLIENTS.items()},
        "generationConfig.mediaResolution": Loss(TUNING, _GOOGLE, ("MEDIA_RESOLUTION_UNSPECIFIED",)),
        "generationConfig.candidateCount": Loss(RELIED_ON, _GOOGLE, (1,)),
        "generationConfig.enableAffectiveDialog": Loss(TUNING, _GOOGLE, (False,)),
        "contents.parts.mediaResolution": Loss(TUNING, _GOOGLE),
        "contents.parts.partMetadata": Loss(HINT, _GOOGLE),
        "contents.parts.functionCall": Loss(HINT, _GOOGLE),
        "contents.parts.functionResponse": Loss(HINT, _GOOGLE),
        "tools.functionDeclarations.response": Loss(HINT, _GOOGLE),
        "tools.functionDeclarations.responseJsonSchema": Loss(HINT, _GOOGLE),
        "tools.functionDeclarations.behavior": Loss(HINT, _GOOGLE, ("BLOCKING", "UNSPECIFIED")),
        "toolConfig.functionCallingConfig.streamFunctionCallArguments": Loss(HINT, _GOOGLE, (False,)),
        "toolConfig.includeServerSideToolInvocations": Loss(HINT, _GOOGLE, (False,)),
        "toolConfig.retrievalConfig": Loss(HINT, _GOOGLE),
        # Thresholds that block nothing are what every other provider does.
        "safetySettings": Loss(PROMISE, _GOOGLE),
        "store": Loss(PROMISE, _GOOGLE, (False,), kept=_UNSTORED),
    },
}
"""What only one format has, by its clients' names without places in lists; `*.` stands for any object."""

WEB_SEARCH = Loss(RELIED_ON, "the vendors' references of built-in web search", is_search=True)
"""Alone or forced; beside other tools that the model may choose among, it is a hint."""
TOOLS: Mapping[str, Mapping[str, Loss]] = {
    "openai": {"web_search": WEB_SEARCH, "web_search_options": WEB_SEARCH},
    "responses": {"web_search": WEB_SEARCH},
    "anthropic": {
        "web_search_": WEB_SEARCH,
        "web_fetch_": WEB_SEARCH,
        # Whatever it would find is given to the model from the start.
        "tool_search_tool_": Loss(HINT, _ANTHROPIC),
    },
    "gemini": {
        "googleSearch": WEB_SEARCH,
        "googleSearchRetrieval": WEB_SEARCH,
        "urlContext": WEB_SEARCH,
        "googleMaps": WEB_SEARCH,
    },
}
"""Tools that a provider runs itself, by how their type begins. Those that are not here are relied on."""

_INDEX = re.compile(r"\[[^\]]*\]")
_NO_LOSS = Loss(HINT, _HOUSE)
_RELIED_ON = Loss(RELIED_ON, "unknown")
_HARMLESS_THRESHOLDS = ("OFF", "BLOCK_NONE", "HARM_BLOCK_THRESHOLD_UNSPECIFIED", None)


def without_places(path: str) -> str:
    return _INDEX.sub("", path)


def says_nothing(value: object) -> bool:
    return value is None or value in ({}, [])


def loss_of(source: str, path: str, value: object) -> tuple[Kind, bool]:
    """Of a member that only clients of the format `source` have; and whether it asks for anything."""
    if says_nothing(value):
        return Kind.HINT, False
    name = without_places(path)
    if source == "gemini":
        name, value = _camel(name), _harmless_safety(name, value)
        if value is None:
            return Kind.HINT, True
    loss = _find(FIELDS.get(source, {}), name)
    if any(_are_same(value, unsaid) for unsaid in loss.unsaid):
        return Kind.HINT, False
    return (Kind.HINT if loss.kept else loss.kind), True


def loss_of_tool(source: str, kind: str) -> Loss:
    """Of a tool of that type, which only clients of the format `source` have."""
    table = TOOLS.get(source, {})
    return next((loss for start, loss in table.items() if kind.startswith(start)), _RELIED_ON)


def _find(table: Mapping[str, Loss], name: str) -> Loss:
    """The field's own, or that of the nearest object above it, if that is a hint."""
    segments = name.split(".")
    for count in range(len(segments), 0, -1):
        prefix = ".".join(segments[:count])
        loss = table.get(prefix) or table.get(f"*.{segments[count - 1]}")
        if loss is not None and (count == len(segments) or loss.kind is HINT):
            return loss
    return _RELIED_ON


def _are_same(value: object, other: object) -> bool:
    """True is 1 in Python, and not in JSON."""
    return isinstance(value, bool) is isinstance(other, bool) and value == other


def _harmless_safety(name: str, value: object) -> object:
    """None for settings that block nothing."""
    if _camel(name) != "safetySettings" or not isinstance(value, list):
        return value
    thresholds = [setting.get("threshold") if isinstance(setting, dict) else setting for setting in value]
    return None if all(threshold in _HARMLESS_THRESHOLDS for threshold in thresholds) else value
