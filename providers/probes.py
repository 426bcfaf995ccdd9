"""Asking a provider for its model list: costs nothing, and says whether calls could get through."""

import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import Enum, auto
from urllib.parse import urljoin

import httpx

from gateway.core.outbound import OutboundPolicy, httpx_client
from providers.facts import ProviderFacts
from providers.formats.registry import access_to
from providers.validators import base_url_refusal
from providers.wire.access import ModelList
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
_USUAL = ModelList()
_TOO_SLOW = "no answer in time"
_MORE = ("has_more", "nextPageToken", "next_page_token")


class Trouble(Enum):
    """Why no model list came. The last three keep no call from getting through."""

    SECRET_UNSENDABLE = auto()
    NAME_UNKNOWN = auto()
    ADDRESS_FORBIDDEN = auto()
    CONNECTION_REFUSED = auto()
    UNREACHABLE = auto()
    CERTIFICATE = auto()
    TLS = auto()
    TIMEOUT = auto()
    BROKEN = auto()
    REQUEST_REFUSED = auto()
    CREDENTIAL_REFUSED = auto()
    NO_CREDIT = auto()
    PERMISSION_LACKING = auto()
    REDIRECTED = auto()
    SERVER_ERROR = auto()
    NOT_JSON = auto()
    NO_LIST = auto()
    LIMITED = auto()
    OTHER_FORMAT = auto()


_REACHABLE = {
    404: Trouble.NO_LIST,
    405: Trouble.NO_LIST,
    429: Trouble.LIMITED,
    501: Trouble.NO_LIST,
}
_REFUSALS = {
    400: (Trouble.REQUEST_REFUSED, "refused the request; the credential may be wrong"),
    401: (Trouble.CREDENTIAL_REFUSED, "credential refused"),
    402: (Trouble.NO_CREDIT, "account has no credit"),
    403: (Trouble.PERMISSION_LACKING, "credential refused"),
}
_ELSE = (Trouble.SERVER_ERROR, "answers with an error")
# The first that fits: a certificate's error is one of TLS too.
_CONNECT_ERRORS: Mapping[type[BaseException], tuple[Trouble, str]] = {
    ssl.SSLCertVerificationError: (Trouble.CERTIFICATE, "its certificate cannot be verified"),
    ssl.SSLError: (Trouble.TLS, "speaks no TLS there"),
    socket.gaierror: (Trouble.NAME_UNKNOWN, "its name has no address"),
    ConnectionRefusedError: (Trouble.CONNECTION_REFUSED, "nothing listens there"),
}


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """`status` is None where no answer came. `error` is for staff and holds no text of the provider's; `names` do.

    Who is healthy may have a `trouble` all the same: it answers, and has no list for us.
    """

    is_healthy: bool
    status: int | None
    latency_ms: float
    error: str = ""
    names: tuple[str, ...] = ()
    """What the provider calls its models, sorted; empty where no list came."""
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    status: int | None = None
    error: str = ""
    trouble: Trouble | None = None
    names: tuple[str, ...] = ()


def probe(provider: ProviderFacts, *, policy: OutboundPolicy) -> ProbeOutcome:
    """In about 5 seconds at most; every trouble is an outcome. Raises KeyError for a format without a model list."""
    began = time.monotonic()
    try:
        found = _ask(provider, policy)
    except UpstreamFailure:
        error = "the credential has characters that a header cannot carry"
        found = _Found(error=error, trouble=Trouble.SECRET_UNSENDABLE)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as failure:
        trouble, error = _named(failure, provider.base_url, policy)
        found = _Found(error=error, trouble=trouble)
    latency_ms = round((time.monotonic() - began) * 1000, 1)
    return ProbeOutcome(not found.error, found.status, latency_ms, found.error, found.names, found.trouble)


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
            yield provider, ProbeOutcome(False, None, TIMEOUT_S * 1000, _TOO_SLOW, trouble=Trouble.TIMEOUT)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _ask(provider: ProviderFacts, policy: OutboundPolicy) -> _Found:
    access = access_to(provider.wire_format)
    listed = access.models
    if listed is None:
        raise KeyError(provider.wire_format)
    headers = {
        "accept": "application/json",
        **listed.headers,
        **access.credential(provider.secret, provider.quirks),
    }
    timeout = httpx.Timeout(_READ_S, connect=_CONNECT_S)
    url = urljoin(provider.base_url.rstrip("/") + "/", listed.path)
    with (
        httpx_client(policy, total_s=TIMEOUT_S, limit_bytes=_BYTES_MOST) as client,
        client.stream("GET", url, headers=headers, timeout=timeout) as response,
    ):
        if not response.is_success:
            trouble, error = _error_of(response)
            return _Found(response.status_code, error, trouble)
        return _read_list(response.status_code, response.read(), listed, provider.secret or "")


def model_names(answer: object, listed: ModelList = _USUAL) -> tuple[str, ...]:
    """The names in a model list, sorted, without what cannot be one; a few thousand at most.

    Empty of the first page of several: what is not on it may be on the next.
    """
    rows = None if _is_part(answer) else listed.rows(answer)
    named = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    ids = (row.get("id", row.get("name")) for row in named)
    names = {name.removeprefix(listed.prefix) for name in ids if isinstance(name, str)}
    return tuple(
        sorted(name for name in names if 0 < len(name) <= _NAME_LENGTH_MOST and name.isprintable())[
            :_NAMES_MOST
        ]
    )


def _is_part(answer: object) -> bool:
    return isinstance(answer, dict) and any(answer.get(name) for name in _MORE)


def _error_of(response: httpx.Response) -> tuple[Trouble, str]:
    """Of an answer that is no success. The error is empty if calls could get through."""
    status = response.status_code
    if status in _REACHABLE:
        return _REACHABLE[status], ""
    if response.is_redirect:
        return Trouble.REDIRECTED, f"redirects elsewhere ({status}); check the base URL"
    trouble, error = _REFUSALS.get(status, _ELSE)
    return trouble, f"{error} ({status})"


def _read_list(status: int, body: bytes, listed: ModelList, secret: str) -> _Found:
    """JSON of another shape is no error: calls may well get through."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return _Found(status, "answers something that is not JSON; check the base URL", Trouble.NOT_JSON)
    names = model_names(answer, listed)
    kept = tuple(name for name in names if remove_secret(name, secret) == name)
    return _Found(status, "", None if isinstance(listed.rows(answer), list) else Trouble.OTHER_FORMAT, kept)


def _named(failure: BaseException, base_url: str, policy: OutboundPolicy) -> tuple[Trouble, str]:
    if isinstance(failure, httpx.TimeoutException):
        return Trouble.TIMEOUT, _TOO_SLOW
    if isinstance(failure, httpx.ConnectError):
        return _connect_error(failure, base_url, policy)
    return Trouble.BROKEN, "broke off, or answered badly"


def _connect_error(failure: BaseException, base_url: str, policy: OutboundPolicy) -> tuple[Trouble, str]:
    causes = list(_causes(failure))
    for kind, told in _CONNECT_ERRORS.items():
        if any(isinstance(cause, kind) for cause in causes):
            return told
    # The client's own pool forgets why the policy refused: so it is asked once more.
    if base_url_refusal(base_url, policy):
        return Trouble.ADDRESS_FORBIDDEN, "its address is not allowed"
    return Trouble.UNREACHABLE, "cannot be reached"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
