"""How a provider of a wire format is reached, besides what is said to it: address, key, model list. Pure."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from providers.wire.failure import FailureKind, UpstreamFailure
from providers.wire.quirks import quirk

_API_KEY_HEADER = quirk(
    "api_key_header", "Takes its key in the header api-key, as Azure does, and not as a bearer"
)
_BEARER = "authorization"
_WHOLE = {
    "content-type": "application/json",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": "gatehouse",
}
# Compression would hold small events back.
_STREAMED = _WHOLE | {"accept": "text/event-stream", "accept-encoding": "identity"}


def usual_rows(answer: object) -> Any:
    """The lists of OpenAI and Anthropic are objects with `data`, Google's and Cohere's with `models`; or bare lists."""
    return answer.get("data", answer.get("models")) if isinstance(answer, dict) else answer


@dataclass(frozen=True, slots=True)
class ModelList:
    """Where models are listed, which costs nothing to ask for. `path` is seen from the base URL.

    `prefix` is what the list puts before names that are called without it. `rows` finds the list in the answer: of
    objects with an `id` or a `name`.
    """

    path: str = "models"
    headers: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    rows: Callable[[object], Any] = usual_rows


@dataclass(frozen=True, slots=True)
class Access:
    """`version` ends a base URL of which only the host was typed. `key_header` takes the key, as a bearer or bare.

    `betas_header` takes what clients ask of beta features; empty where there are none. Without `models` nothing can be
    asked for that is not billed, and health stays unknown.
    """

    version: str = "/v1"
    key_header: str = _BEARER
    betas_header: str = ""
    models: ModelList | None = field(default_factory=ModelList)

    def headers(self, secret: str | None, quirks: Set[str], *, is_streamed: bool) -> dict[str, str]:
        """What opens it, and what may come back. Raises as `credential` does."""
        return {**(_STREAMED if is_streamed else _WHOLE), **self.credential(secret, quirks)}

    def betas(self, names: str) -> dict[str, str]:
        """What only one format understands goes there, and nowhere else."""
        return {self.betas_header: names} if names and self.betas_header else {}

    def credential(self, secret: str | None, quirks: Set[str]) -> dict[str, str]:
        """What opens it; nothing where it needs nothing. Raises UpstreamFailure for what no header can carry."""
        if not secret:
            return {}
        value, name = _header_value(secret), "api-key" if _API_KEY_HEADER in quirks else self.key_header
        return {name: f"Bearer {value}" if name == _BEARER else value}


def _header_value(secret: str) -> str:
    value = secret.strip()
    if value.isascii() and value.isprintable():
        return value
    message = "The provider's credential holds characters that no header can carry."
    raise UpstreamFailure(FailureKind.AUTH, message, code="provider_auth_error", about_us=message)
