"""OpenAI's legacy completions: `POST /v1/completions`, a prompt as one user's message."""

from gateway.proxy.surfaces.base import FormatSurface
from gateway.proxy.surfaces.fields import record, text

COMPLETIONS = FormatSurface(
    "/v1/completions",
    "completions",
    record({"model": text(200, least=1)}, required=("model", "prompt")),
    can_stream=True,
    format="completions",
    always_tells_usage=False,
)
