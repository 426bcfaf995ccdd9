"""Behaviours of providers of embeddings, each in its vendor's form, refusing what its vendor does not know.

`cohere?status=429` refuses with that status in the vendor's envelope. The vector of a text begins with its length.
"""

import base64
import struct
from collections.abc import Callable, Collection, Mapping
from typing import Any

from tests.upstream.behaviours import behaviour
from tests.upstream.exchange import Exchange

Refusal = Callable[[int, str], dict[str, Any]]
TOKENS_A_TEXT = 7
_WIDTH = 3
_REFUSED = "No such thing here."


class WrongRequest(Exception):
    """What the vendor would refuse with status 400."""


def vector(text: str, width: int | None = None) -> list[float]:
    """Numbers that 32 bits hold exactly."""
    return [float(len(text)), *([-0.5] * ((width or _WIDTH) - 1))]


@behaviour("voyage")
async def embed_like_voyage(exchange: Exchange) -> None:
    await _answer(exchange, _voyage, lambda _, text: {"detail": text})


@behaviour("cohere")
async def embed_like_cohere(exchange: Exchange) -> None:
    await _answer(exchange, _cohere, lambda _, text: {"id": exchange.id, "message": text})


@behaviour("gemini")
async def embed_like_gemini(exchange: Exchange) -> None:
    await _answer(exchange, _gemini, lambda status, text: {"error": {"code": status, "message": text}})


@behaviour("workers-ai")
async def embed_like_workers_ai(exchange: Exchange) -> None:
    await _answer(exchange, _workers_ai, lambda _, text: {"errors": [{"code": 5006, "message": text}]})


async def _answer(
    exchange: Exchange, answer: Callable[[Mapping[str, Any]], dict[str, Any]], refusal: Refusal
) -> None:
    status = int(exchange.number("status", 200))
    if status != 200:
        return await exchange.json(status, refusal(status, _REFUSED))
    try:
        value = answer(exchange.body)
    except WrongRequest as wrong:
        return await exchange.json(400, refusal(400, str(wrong)))
    return await exchange.json(200, value)


def _voyage(body: Mapping[str, Any]) -> dict[str, Any]:
    _check(
        body,
        {"model", "input", "input_type", "truncation", "output_dimension", "output_dtype", "encoding_format"},
    )
    vectors = [vector(text, body.get("output_dimension")) for text in _texts(body["input"])]
    # It has no word for floats.
    encoding = _one_of(body.get("encoding_format"), {None, "base64"})
    shown = [_packed(each) if encoding else each for each in vectors]
    return {
        "object": "list",
        "data": [{"object": "embedding", "embedding": each, "index": i} for i, each in enumerate(shown)],
        "model": body["model"],
        "usage": {"total_tokens": TOKENS_A_TEXT * len(vectors)},
    }


def _cohere(body: Mapping[str, Any]) -> dict[str, Any]:
    _check(body, {"model", "texts", "input_type", "embedding_types", "truncate", "output_dimension"})
    _one_of(body.get("input_type"), {"search_query", "search_document", "classification", "clustering"})
    texts = _texts(body["texts"])
    return {
        "id": "1",
        "embeddings": {"float": [vector(text, body.get("output_dimension")) for text in texts]},
        "texts": texts,
        "meta": {"billed_units": {"input_tokens": TOKENS_A_TEXT * len(texts)}},
    }


def _gemini(body: Mapping[str, Any]) -> dict[str, Any]:
    _check(body, {"requests"})
    made = []
    for request in body["requests"]:
        _check(request, {"model", "content", "taskType", "outputDimensionality"})
        texts = _texts([part["text"] for part in request["content"]["parts"]])
        made.append({"values": vector(texts[0], request.get("outputDimensionality"))})
    return {"embeddings": made, "usageMetadata": {"promptTokenCount": TOKENS_A_TEXT * len(made)}}


def _workers_ai(body: Mapping[str, Any]) -> dict[str, Any]:
    """In OpenAI's form, but always in floats and without usage."""
    given = body["input"]
    vectors = map(vector, _texts(given if isinstance(given, list) else [given]))
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": i, "embedding": each} for i, each in enumerate(vectors)],
        "model": body["model"],
    }


def _check(body: Mapping[str, Any], known: Collection[str]) -> None:
    for name in body.keys() - set(known):
        raise WrongRequest(f"Unknown name {name}")


def _one_of(value: Any, allowed: Collection[Any]) -> Any:
    if value not in allowed:
        raise WrongRequest(f"{value} is not allowed")
    return value


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise WrongRequest("Texts are expected")
    return values


def _packed(numbers: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
