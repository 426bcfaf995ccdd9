"""The demo provider's embeddings: unit vectors made from a hash, the same for the same input."""

import base64
import hashlib
import json
import math
import struct
from collections.abc import Mapping
from typing import Any

from providers.demo.chat import BadRequest, count_tokens

DIMENSIONS = 256
_MOST_DIMENSIONS = 4096
_MOST_INPUTS = 2048


def answer_embeddings(name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Raises BadRequest."""
    inputs = _inputs(body.get("input"))
    dimensions = _dimensions(body.get("dimensions"))
    encode = _as_base64 if body.get("encoding_format") == "base64" else list[float]
    data = [
        {"object": "embedding", "index": index, "embedding": encode(unit_vector(text, dimensions))}
        for index, text in enumerate(inputs)
    ]
    tokens = sum(count_tokens(text) for text in inputs)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {
        "object": "list",
        "data": data,
        "model": body["model"],
        "usage": usage,
        "system_fingerprint": f"fp_{name}",
    }


def unit_vector(text: str, dimensions: int) -> list[float]:
    """Of length 1. Fewer dimensions are a shortened vector, made a unit again."""
    raw = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(4 * dimensions)
    numbers = [number / 2**31 for number in struct.unpack(f"<{dimensions}i", raw)]
    length = math.hypot(*numbers) or 1.0
    return [number / length for number in numbers]


def _as_base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _inputs(given: object) -> list[str]:
    """A text, tokens, or a list of either; tokens are read as their list's text."""
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list) or not 0 < len(given) <= _MOST_INPUTS:
        raise BadRequest("input", f"“input” is a text, tokens, or a list of 1 to {_MOST_INPUTS} of them.")
    if all(isinstance(token, int) for token in given):
        return [json.dumps(given)]
    return [item if isinstance(item, str) else json.dumps(item) for item in given]


def _dimensions(given: object) -> int:
    if given is None:
        return DIMENSIONS
    if not isinstance(given, int) or isinstance(given, bool) or not 0 < given <= _MOST_DIMENSIONS:
        raise BadRequest("dimensions", f"“dimensions” is a whole number from 1 to {_MOST_DIMENSIONS}.")
    return given
