"""OpenAI's Responses: `POST /v1/responses`. Answers are not stored: what refers to a stored one is refused."""

from typing import Any

from gateway.proxy.surfaces.base import FormatSurface
from gateway.proxy.surfaces.fields import record, refuse, text

_fields = record({"model": text(200, least=1)}, required=("model",))
_STORED = ("previous_response_id", "conversation", "background")


def _check(body: Any, param: str) -> None:
    _fields(body, param)
    for name in _STORED:
        if body.get(name):
            raise refuse(name, "left out, for answers are not stored here: send the whole input", body[name])


RESPONSES = FormatSurface("/v1/responses", "responses", _check, can_stream=True, format="responses")
