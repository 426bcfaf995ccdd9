"""What every surface has: its path, its table of parameters and how its streams end."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.proxy.errors import GatewayError, InvalidRequest, envelope
from gateway.proxy.surfaces.fields import Check


@dataclass(frozen=True, slots=True)
class Surface:
    """One API that clients speak. `check` is given the whole body and raises InvalidRequest."""

    path: str
    endpoint: str
    check: Check
    can_stream: bool
    terminator: bytes = b"data: [DONE]\n\n"

    def read(self, body: bytes) -> Mapping[str, Any]:
        """The parsed and checked request, unknown fields kept. Raises InvalidRequest."""
        try:
            parsed = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise InvalidRequest(
                f"The body is not valid JSON: {str(error)[:200]}. Send one JSON object in UTF-8.",
                code="invalid_json",
                param="body",
            ) from None
        if not isinstance(parsed, dict):
            raise InvalidRequest("The body must be one JSON object.", code="invalid_json", param="body")
        self.check(parsed, "")
        return parsed

    def error_event(self, error: GatewayError) -> bytes:
        """An error inside a stream that has begun. No terminator follows: a stream that died is never tidy."""
        return b"data: " + envelope(error) + b"\n\n"
