"""OpenAI's legacy completions: `POST /v1/completions`, a prompt as one user's message."""

from typing import Any

from gateway.proxy.surfaces.base import FormatSurface
from gateway.proxy.surfaces.fields import record
from gateway.proxy.surfaces.settings import SETTINGS, check_stream_options

_fields = record(SETTINGS, required=("model", "prompt"))


def _check(body: Any, param: str) -> None:
    _fields(body, param)
    check_stream_options(body)


COMPLETIONS = FormatSurface(
    "/v1/completions",
    "completions",
    _check,
    format="completions",
    always_tells_usage=False,
)
