"""OpenAI's envelope of an error."""

from collections.abc import Mapping
from typing import Any


def error_body(error: Mapping[str, Any]) -> dict[str, Any]:
    """All four members always, as OpenAI's SDK documents them."""
    return {"error": {name: error.get(name) for name in ("message", "type", "param", "code")}}
