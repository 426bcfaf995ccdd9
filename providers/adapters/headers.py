"""The headers of a request to a provider, but for those that its format writes: what opens it, what may come back."""

from providers.facts import ProviderFacts
from providers.wire.access import Access

_WHOLE = {
    "content-type": "application/json",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": "gatehouse",
}
# Compression would hold small events back.
_STREAMED = _WHOLE | {"accept": "text/event-stream", "accept-encoding": "identity"}


def format_headers(access: Access, provider: ProviderFacts, *, is_streamed: bool) -> dict[str, str]:
    """Raises UpstreamFailure for a credential that no header can carry."""
    headers = _STREAMED if is_streamed else _WHOLE
    return {**headers, **access.credential(provider.secret, provider.quirks)}


def betas_header(access: Access, betas: str) -> dict[str, str]:
    """What only one format understands goes there, and nowhere else."""
    return {access.betas_header: betas} if betas and access.betas_header else {}
