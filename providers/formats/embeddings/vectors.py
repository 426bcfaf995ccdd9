"""Vectors as numbers and as base64 of little-endian 32-bit floats, both ways."""

import base64
import binascii
import math
import struct
from typing import Any

from providers.wire.embedding import Encoding, Vector
from providers.wire.failure import bad_response

_NUMBERS = frozenset({float, int})
_FLOAT_BYTES = 4
_WRONG = "The provider's answer has an embedding of the wrong type."


def read_vector(value: Any) -> Vector:
    """Raises UpstreamFailure for what is neither numbers nor base64 of some."""
    if isinstance(value, list) and value and set(map(type, value)) <= _NUMBERS:
        return value
    if isinstance(value, str):
        _bytes(value)
        return value
    raise bad_response(_WRONG)


def encode(vector: Vector, encoding: Encoding) -> Vector:
    """The vector itself if it is encoded so already. Raises UpstreamFailure."""
    if encoding is Encoding.BASE64:
        return vector if isinstance(vector, str) else pack(vector)
    return unpack(vector) if isinstance(vector, str) else vector


def pack(numbers: list[float]) -> str:
    """Raises UpstreamFailure for a number beyond 32 bits."""
    try:
        return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    except (OverflowError, struct.error):
        raise bad_response("The provider's answer has an embedding with a number out of range.") from None


def unpack(text: str) -> list[float]:
    """Raises UpstreamFailure for what is no base64 of finite floats."""
    data = _bytes(text)
    numbers = list(struct.unpack(f"<{len(data) // _FLOAT_BYTES}f", data))
    if not all(map(math.isfinite, numbers)):
        raise bad_response("The provider's answer has an embedding with a number that JSON cannot carry.")
    return numbers


def _bytes(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise bad_response(_WRONG) from None
    if not data or len(data) % _FLOAT_BYTES:
        raise bad_response(_WRONG)
    return data
