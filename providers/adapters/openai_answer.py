"""Reads whole answers of OpenAI's format, mending what its SDKs could not do without."""

from collections.abc import Iterable
from typing import Any

from providers.adapters.openai_calls import mend_calls
from providers.adapters.openai_stream import generated
from providers.wire.call import Call
from providers.wire.failure import bad_response, reported_inside

_HEAD = ("id", "object", "created", "model")


def read_choices(value: dict[str, Any], call: Call, model: str) -> tuple[int, bool, bool]:
    """Characters generated in all choices, whether there was anything, and whether something was mended in place.

    Raises UpstreamFailure for what is no chat completion.
    """
    choices = value.get("choices")
    if not isinstance(choices, list) or not choices:
        raise bad_response("The provider's answer has no choices.")
    generated_by = [_read_choice(choice) for choice in choices]
    is_mended = not all(map(value.get, _HEAD))
    if is_mended:
        value |= {name: given for name, given in _head(call, model) if not value.get(name)}
    for number, choice in enumerate(choices):
        is_mended |= _mend_choice(choice, number, f"call_{call.id}_{number}")
    chars = sum(count for count, _ in generated_by)
    return chars, any(has_output for _, has_output in generated_by), is_mended


def _head(call: Call, model: str) -> Iterable[tuple[str, Any]]:
    return zip(_HEAD, (f"chatcmpl-{call.id}", "chat.completion", call.created, model), strict=True)


def _read_choice(choice: Any) -> tuple[int, bool]:
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(message, dict):
        raise bad_response("The provider's answer has a choice without a message.")
    if choice.get("finish_reason") == "error":
        raise reported_inside(choice.get("error") or {})
    content, calls = message.get("content"), message.get("tool_calls")
    if not isinstance(content, str | list | None) or not isinstance(calls, list | None):
        raise bad_response("The provider's answer has a message of the wrong type.")
    return generated(message)


def _mend_choice(choice: dict[str, Any], number: int, prefix: str) -> bool:
    message = choice["message"]
    is_whole = "index" in choice and bool(message.get("role"))
    choice.setdefault("index", number)
    message["role"] = message.get("role") or "assistant"
    calls = message.get("tool_calls")
    if not calls:
        return not is_whole
    message["tool_calls"] = mend_calls(calls, prefix)
    return not is_whole or message["tool_calls"] is not calls
