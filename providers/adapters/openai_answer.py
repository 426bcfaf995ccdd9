"""Reads whole answers of OpenAI's format, repairing what its SDKs could not do without."""

from collections.abc import Iterable
from typing import Any

from providers.adapters.openai_calls import repair_calls
from providers.formats.openai.answer_reader import generated
from providers.formats.openai.vendors import choices_of, message_of
from providers.wire.call import Call

_HEAD = ("id", "object", "created", "model")


def read_choices(value: dict[str, Any], call: Call, model: str) -> tuple[int, bool, bool]:
    """Characters generated in all choices, whether there was anything, and whether something was repaired in place.

    Raises UpstreamFailure for what is no chat completion.
    """
    choices = choices_of(value)
    generated_by = [generated(message_of(choice)) for choice in choices]
    is_repaired = not all(map(value.get, _HEAD))
    if is_repaired:
        value |= {name: given for name, given in _head(call, model) if not value.get(name)}
    for number, choice in enumerate(choices):
        is_repaired |= _repair_choice(choice, number, f"call_{call.id}_{number}")
    chars = sum(count for count, _ in generated_by)
    return chars, any(has_output for _, has_output in generated_by), is_repaired


def _head(call: Call, model: str) -> Iterable[tuple[str, Any]]:
    return zip(_HEAD, (f"chatcmpl-{call.id}", "chat.completion", call.created, model), strict=True)


def _repair_choice(choice: dict[str, Any], number: int, prefix: str) -> bool:
    message = choice["message"]
    is_whole = "index" in choice and bool(message.get("role"))
    choice.setdefault("index", number)
    message["role"] = message.get("role") or "assistant"
    calls = message.get("tool_calls")
    if not calls:
        return not is_whole
    message["tool_calls"] = repair_calls(calls, prefix)
    return not is_whole or message["tool_calls"] is not calls
