"""The commonest answers and chunks of OpenAI's chat, each known in one step: what else there is, others look at."""

from collections.abc import Container, Mapping
from typing import Any

from providers.formats.openai.vendors import UNUSUAL

HEAD = ("id", "object", "created", "model")
"""Members that SDKs read of every answer."""
_BESIDE = ("refusal", "annotations", "tool_calls", "function_call")
_PLAIN = frozenset({"role", "content", *_BESIDE})


def is_one_text(answer: Mapping[str, Any]) -> bool:
    """Whether it is the commonest answer by far: one text that has ended, and nothing of it has to be put right."""
    try:
        (choice,) = answer["choices"]
        message = choice["message"]
        return (
            type(message["content"]) is str
            and choice["finish_reason"] == "stop"
            and message["role"] == "assistant"
            and message.keys() <= _PLAIN
            and not any(map(message.get, _BESIDE))
            and all(map(answer.get, HEAD))
            and UNUSUAL.isdisjoint(answer)
            and "index" in choice
        )
    except (KeyError, TypeError, ValueError):
        return False


def more_text(chunk: Any, running: Container[int]) -> str | None:
    """Of the commonest chunk by far, in one step: more text of the only choice, which is one of those that run.

    None for any other. Its choice may tell `logprobs` too.
    """
    try:
        (choice,) = chunk["choices"]
        delta = choice["delta"]
        content = delta["content"]
        is_alone = (
            type(content) is str
            and len(delta) == 1
            and choice["finish_reason"] is None
            and choice["index"] in running
            and UNUSUAL.isdisjoint(chunk)
            and not chunk.get("usage")
        )
    except (KeyError, TypeError, ValueError):
        return None
    return content if is_alone else None
