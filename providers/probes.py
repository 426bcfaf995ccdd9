"""Asking a provider for its model list: costs nothing, and says whether calls could get through."""

import json
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from gateway.outbound import OutboundPolicy, httpx_client
from providers.adapters.base import UpstreamFailure
from providers.adapters.headers import MODEL_LIST, credential_header
from providers.facts import ProviderFacts
from providers.validators import base_url_refusal

TIMEOUT_S = 5.0
_CONNECT_S, _READ_S = 2.0, 4.0
_BYTES_MOST = 8 * 1024 * 1024
# It answers, but has no model list, or no time for one: calls may well get through.
_REACHABLE = {404, 405, 429, 501}
_REFUSALS = {
    400: "refused the request; the credential may be wrong",
    401: "credential refused",
    402: "account has no credit",
    403: "credential refused",
}


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """`status` is None where no answer came. `error` is for staff and holds no text of the provider's."""

    is_healthy: bool
    status: int | None
    latency_ms: float
    error: str = ""


def probe(provider: ProviderFacts, *, door: OutboundPolicy) -> ProbeOutcome:
    """In about 5 seconds at most; every trouble is an outcome."""
    began = time.monotonic()
    try:
        status, error = _ask(provider, door)
    except UpstreamFailure:
        status, error = None, "the credential holds characters that no header carries"
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as trouble:
        status, error = None, _named(trouble, provider.base_url, door)
    return ProbeOutcome(not error, status, round((time.monotonic() - began) * 1000, 1), error)


def _ask(provider: ProviderFacts, door: OutboundPolicy) -> tuple[int, str]:
    """Status and error."""
    headers = {
        "accept": "application/json",
        **MODEL_LIST.get(provider.wire_format, {}),
        **credential_header(provider.wire_format, provider),
    }
    timeout = httpx.Timeout(_READ_S, connect=_CONNECT_S)
    url = provider.base_url.rstrip("/") + "/models"
    with (
        httpx_client(door, total_s=TIMEOUT_S, limit_bytes=_BYTES_MOST) as client,
        client.stream("GET", url, headers=headers, timeout=timeout) as response,
    ):
        return response.status_code, _error_of(response)


def _error_of(response: httpx.Response) -> str:
    """Empty if calls could get through."""
    status = response.status_code
    if response.is_success:
        return "" if _is_json(response.read()) else "answers something that is not JSON; check the base URL"
    if status in _REACHABLE:
        return ""
    if response.is_redirect:
        return f"redirects elsewhere ({status}); check the base URL"
    return f"{_REFUSALS.get(status, 'answers with an error')} ({status})"


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _named(trouble: BaseException, base_url: str, door: OutboundPolicy) -> str:
    if isinstance(trouble, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(trouble, httpx.ConnectError):
        return _connect_error(trouble, base_url, door)
    return "broke off, or answered badly"


def _connect_error(trouble: BaseException, base_url: str, door: OutboundPolicy) -> str:
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(trouble)):
        return "its certificate cannot be verified"
    # The client's own pool forgets why the door refused: so it is asked once more.
    return "its address is not allowed" if base_url_refusal(base_url, door) else "cannot be reached"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
