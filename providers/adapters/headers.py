"""The headers of a request to a provider, by its wire format: what it opens with, and what may come back."""

from providers.facts import ProviderFacts
from providers.wire.failure import FailureKind, UpstreamFailure

_WHOLE = {
    "content-type": "application/json",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": "gatehouse",
}
# Compression would hold small events back.
_STREAMED = _WHOLE | {"accept": "text/event-stream", "accept-encoding": "identity"}
_KEY_HEADERS = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}


def format_headers(format_name: str, provider: ProviderFacts, *, is_streamed: bool) -> dict[str, str]:
    """Raises UpstreamFailure for a credential that no header can carry."""
    return {**(_STREAMED if is_streamed else _WHOLE), **credential_header(format_name, provider)}


def beta_header(format_name: str, betas: str) -> dict[str, str]:
    """What only Anthropic understands goes there, and nowhere else."""
    return {"anthropic-beta": betas} if betas and format_name == "anthropic" else {}


def credential_header(format_name: str, provider: ProviderFacts) -> dict[str, str]:
    """What opens the provider; nothing where it needs nothing. Raises UpstreamFailure as above."""
    if not provider.secret:
        return {}
    secret, name = _header_value(provider.secret), _KEY_HEADERS.get(format_name)
    if "api_key_header" in provider.quirks:
        name = "api-key"
    return {name: secret} if name else {"authorization": f"Bearer {secret}"}


def _header_value(secret: str) -> str:
    value = secret.strip()
    if value.isascii() and value.isprintable():
        return value
    message = "The provider's credential holds characters that no header can carry."
    raise UpstreamFailure(FailureKind.AUTH, message, code="provider_auth_error", about_us=message)
