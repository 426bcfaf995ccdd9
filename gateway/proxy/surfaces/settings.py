"""Checks of the settings that OpenAI's surfaces have in common."""

from collections.abc import Mapping
from typing import Any

from gateway.proxy.surfaces.fields import (
    Check,
    boolean,
    either,
    integer,
    list_of,
    mapping_of,
    number,
    record,
    refuse,
    text,
)
from providers.wire.bounds import LONGEST_USER_ID, MOST_LABELS, MOST_STOPS

SETTINGS: Mapping[str, Check] = {
    "model": text(200, least=1),
    "frequency_penalty": number(-2, 2),
    "logit_bias": mapping_of(number(-100, 100), most=1024),
    "max_tokens": integer(1),
    "metadata": mapping_of(text(), most=MOST_LABELS),
    "parallel_tool_calls": boolean,
    "presence_penalty": number(-2, 2),
    "project_id": text(64),
    "prompt_cache_key": text(),
    "safety_identifier": text(128),
    "seed": integer(-(2**63), 2**63 - 1),
    "service_tier": text(20),
    "stop": either("a string or a list of strings", text(), list_of(text(), most=MOST_STOPS)),
    "store": boolean,
    "stream": boolean,
    "stream_options": record({"include_usage": boolean, "include_obfuscation": boolean}),
    "temperature": number(0, 2),
    "top_logprobs": integer(0, 20),
    "top_p": number(0, 1),
    "user": text(LONGEST_USER_ID),
}


def check_stream_options(body: Mapping[str, Any]) -> None:
    """Raises InvalidRequest where nothing is streamed."""
    if body.get("stream_options") is not None and not body.get("stream"):
        raise refuse("stream_options", "left out unless 'stream' is true", body["stream_options"])
