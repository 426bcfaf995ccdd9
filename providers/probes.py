"""Asking a provider for its model list: costs nothing, and says whether calls could get through."""

import json
import ssl
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from urllib.parse import urljoin

import httpx

from gateway.core.outbound import OutboundPolicy, httpx_client
from providers.adapters.headers import credential_header
from providers.adapters.model_lists import MODEL_LISTS
from providers.facts import ProviderFacts
from providers.validators import base_url_refusal
from providers.wire.failure import UpstreamFailure
from providers.wire.scrub import remove_secret

TIMEOUT_S = 5.0
TOGETHER_MOST = 32
_CONNECT_S, _READ_S = 2.0, 4.0
# The system's look-up of names takes no limit: who waits for that is not waited for.
_BEYOND_S = 2.0
_BYTES_MOST = 8 * 1024 * 1024
_NAMES_MOST = 5_000
_NAME_LENGTH_MOST = 200
_TOO_SLOW = "no answer in time"
_MORE = ("has_more", "nextPageToken", "next_page_token")
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
    """`status` is None where no answer came. `error` is for staff and holds no text of the provider's; `names` do."""

    is_healthy: bool
    status: int | None
    latency_ms: float
    error: str = ""
    names: tuple[str, ...] = ()
    """What the provider calls its models, sorted; empty where no list came."""


def probe(provider: ProviderFacts, *, policy: OutboundPolicy) -> ProbeOutcome:
    """In about 5 seconds at most; every trouble is an outcome. Raises KeyError for a format without a model list."""
    began = time.monotonic()
    try:
        status, error, names = _ask(provider, policy)
    except UpstreamFailure:
        status, error, names = None, "the credential holds characters that no header carries", ()
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as trouble:
        status, error, names = None, _named(trouble, provider.base_url, policy), ()
    return ProbeOutcome(not error, status, round((time.monotonic() - began) * 1000, 1), error, names)


def probe_together(
    providers: Sequence[ProviderFacts], *, policy: OutboundPolicy
) -> Iterator[tuple[ProviderFacts, ProbeOutcome]]:
    """Each as it is done, at most 32 at once in threads of their own, which use the network only and no database."""
    waves = -(-len(providers) // TOGETHER_MOST)
    pool = ThreadPoolExecutor(TOGETHER_MOST, thread_name_prefix="probe")
    asked = {pool.submit(probe, provider, policy=policy): provider for provider in providers}
    try:
        for done in as_completed(asked, waves * (TIMEOUT_S + _BEYOND_S)):
            yield asked.pop(done), done.result()
    except TimeoutError:
        for provider in asked.values():
            yield provider, ProbeOutcome(False, None, TIMEOUT_S * 1000, _TOO_SLOW)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _ask(provider: ProviderFacts, policy: OutboundPolicy) -> tuple[int, str, tuple[str, ...]]:
    """Status, error and the names of its models."""
    listed = MODEL_LISTS[provider.wire_format]
    headers = {
        "accept": "application/json",
        **listed.headers,
        **credential_header(provider.wire_format, provider),
    }
    timeout = httpx.Timeout(_READ_S, connect=_CONNECT_S)
    url = urljoin(provider.base_url.rstrip("/") + "/", listed.path)
    with (
        httpx_client(policy, total_s=TIMEOUT_S, limit_bytes=_BYTES_MOST) as client,
        client.stream("GET", url, headers=headers, timeout=timeout) as response,
    ):
        if not response.is_success:
            return response.status_code, _error_of(response), ()
        error, names = _read_list(response.read(), listed.prefix)
        secret = provider.secret or ""
        return (
            response.status_code,
            error,
            tuple(name for name in names if remove_secret(name, secret) == name),
        )


def model_names(answer: object, prefix: str = "") -> tuple[str, ...]:
    """The names in a model list, sorted, without what cannot be one, nor `prefix`; a few thousand at most.

    Empty of the first page of several: what is not on it may be on the next. Source: the lists of OpenAI and Anthropic
    are objects with `data` of `id`, Google's and Cohere's with `models` of `name`; some servers answer the bare list.
    """
    rows: object = answer
    if isinstance(answer, dict):
        is_part = any(answer.get(name) for name in _MORE)
        rows = None if is_part else answer.get("data", answer.get("models"))
    named = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    ids = (row.get("id", row.get("name")) for row in named)
    names = {name.removeprefix(prefix) for name in ids if isinstance(name, str)}
    return tuple(
        sorted(name for name in names if 0 < len(name) <= _NAME_LENGTH_MOST and name.isprintable())[
            :_NAMES_MOST
        ]
    )


def _error_of(response: httpx.Response) -> str:
    """Of an answer that is no success. Empty if calls could get through."""
    status = response.status_code
    if status in _REACHABLE:
        return ""
    if response.is_redirect:
        return f"redirects elsewhere ({status}); check the base URL"
    return f"{_REFUSALS.get(status, 'answers with an error')} ({status})"


def _read_list(body: bytes, prefix: str) -> tuple[str, tuple[str, ...]]:
    """Error and names. JSON of another shape is no error: calls may well get through."""
    try:
        return "", model_names(json.loads(body), prefix)
    except (ValueError, RecursionError):
        return "answers something that is not JSON; check the base URL", ()


def _named(trouble: BaseException, base_url: str, policy: OutboundPolicy) -> str:
    if isinstance(trouble, httpx.TimeoutException):
        return _TOO_SLOW
    if isinstance(trouble, httpx.ConnectError):
        return _connect_error(trouble, base_url, policy)
    return "broke off, or answered badly"


def _connect_error(trouble: BaseException, base_url: str, policy: OutboundPolicy) -> str:
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(trouble)):
        return "its certificate cannot be verified"
    # The client's own pool forgets why the policy refused: so it is asked once more.
    return "its address is not allowed" if base_url_refusal(base_url, policy) else "cannot be reached"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
