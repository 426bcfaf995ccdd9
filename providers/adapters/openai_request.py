"""What a provider of OpenAI's format takes under another name than the client used, by its declared parameters."""

from typing import Any

from providers.adapters.end_users import hashed
from providers.formats.chat.own_words import own_messages
from providers.wire.upstream import Upstream

_LIMITS = ("max_tokens", "max_completion_tokens")
_USERS = ("user", "safety_identifier")


def say_otherwise(body: dict[str, Any], upstream: Upstream, team: str) -> list[str]:
    """Change the body in place; what was said in other words, as in UpstreamRequest.

    Quirks: `reasoning_object` for providers with OpenRouter's `reasoning` instead of an effort, and those of
    formats.chat.reasoning.thoughts_for.
    """
    translated = _rename_limit(body, upstream) if upstream.params else []
    if "reasoning_object" in upstream.quirks:
        translated += _say_effort(body)
    if messages := body.get("messages"):
        body["messages"] = own_messages(messages, upstream.quirks, translated)
    for name in _USERS:
        if user := body.get(name):
            body[name] = hashed(str(user), team)
            translated.append(f"{name} -> hashed")
    return translated


def _rename_limit(body: dict[str, Any], upstream: Upstream) -> list[str]:
    """Where only the other of the two names is declared, and was not used as well."""
    for name, other in (_LIMITS, _LIMITS[::-1]):
        is_needed = name in body and name not in upstream.params and other in upstream.params
        if is_needed and body.get(other) is None:
            body[other] = body.pop(name)
            return [f"{name} -> {other}"]
    return []


def _say_effort(body: dict[str, Any]) -> list[str]:
    if body.get("reasoning_effort") is None or body.get("reasoning") is not None:
        return []
    body["reasoning"] = {"effort": body.pop("reasoning_effort")}
    return ["reasoning_effort -> reasoning.effort"]
