"""Completes an answer that is in OpenAI's form but lacks what OpenAI's clients need."""

from collections.abc import Mapping
from typing import Any

from providers.formats.base import AnswerFacts
from providers.formats.embeddings.client import write_answer
from providers.wire.embedding import EmbeddingAnswer, Encoding

_TYPES: Mapping[Encoding, type] = {Encoding.FLOAT: list, Encoding.BASE64: str}


def is_complete(value: Mapping[str, Any], encoding: Encoding) -> bool:
    """Whether an answer, read without a failure, can go to the client as it is."""
    usage = value.get("usage")
    has_usage = isinstance(usage, dict) and _are_counts(usage.get("prompt_tokens"), usage.get("total_tokens"))
    return (
        has_usage
        and value.get("object") == "list"
        and isinstance(value.get("model"), str)
        and all(_is_whole(item, index, encoding) for index, item in enumerate(value["data"]))
    )


def repair(
    value: Mapping[str, Any], answer: EmbeddingAnswer, encoding: Encoding, facts: AnswerFacts
) -> dict[str, Any]:
    """The answer with all that is needed, and with whatever else the provider said. Raises UpstreamFailure."""
    written = write_answer(answer, encoding, facts)
    model = value.get("model")
    return {**value, **written, "model": model if isinstance(model, str) else facts.model}


def _are_counts(*values: object) -> bool:
    return all(type(value) is int and value >= 0 for value in values)


def _is_whole(item: Mapping[str, Any], index: int, encoding: Encoding) -> bool:
    return (
        item.get("object") == "embedding"
        and item.get("index") == index
        and isinstance(item["embedding"], _TYPES[encoding])
    )
