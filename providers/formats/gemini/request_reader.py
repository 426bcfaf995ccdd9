"""Reads a client's request.

Source: https://ai.google.dev/api/generate-content.
"""

from collections.abc import Mapping
from typing import Any

from providers.formats.base import BadRequest
from providers.formats.gemini.config_reader import (
    read_others,
    read_output,
    read_reasoning_config,
    read_sampling,
)
from providers.formats.gemini.contents_reader import ContentsReader
from providers.formats.gemini.fields import Fields, camel
from providers.formats.gemini.signatures import ORIGIN
from providers.formats.gemini.tools_reader import read_tools
from providers.formats.wording import as_read
from providers.wire.conversation import Conversation

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


def read_request(body: Mapping[str, Any]) -> Conversation:
    """Raises BadRequest."""
    fields = Fields(body, "")
    messages = ContentsReader().read(fields)
    extra = fields.others(_KNOWN)
    tools, choice = read_tools(fields, extra)
    config = fields.object("generationConfig") or Fields({}, "generationConfig")
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
        service_tier=_tier(fields),
        metadata=_labels(fields),
        extra=extra,
    )
    return as_read(conversation, ORIGIN, {camel(name): value for name, value in body.items()}, {})


def _tier(fields: Fields) -> str | None:
    tier = fields.text("serviceTier")
    return None if tier is None else _TIERS.get(tier.lower(), tier.lower())


def _labels(fields: Fields) -> Mapping[str, str] | None:
    labels = fields.raw("labels")
    if labels is None:
        return None
    if isinstance(labels, Mapping) and all(isinstance(text, str) for text in labels.values()):
        return dict(labels)
    path = fields.path_of("labels")
    raise BadRequest(f"'{path}' must be an object of strings.", param=path, code="invalid_type")
