"""The upstream engine on aiohttp: visible limits, a timeout for every wait, addresses checked at the door."""

import io
from collections.abc import AsyncIterator, Mapping
from functools import lru_cache

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from gateway.outbound import ForbiddenAddress, GuardedResolver, OutboundPolicy
from providers.adapters.base import FailureKind, UpstreamFailure, UpstreamRequest
from providers.engine import Timeouts

_URLS_KEPT = 1024
# Below the 5 s after which common servers close an idle connection: a call sent just then would be lost.
_KEEP_ALIVE_S = 4.0
_LARGE_BODY_BYTES = 1 << 20
# The adapter says what is sent; aiohttp would add its own.
_NOT_ADDED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_UNREACHABLE = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class AiohttpEngine:
    """See providers.engine.UpstreamEngine. Belongs to the event loop of its first call.

    `connections` bounds the calls under way; one more is refused at once.
    """

    def __init__(
        self, policy: OutboundPolicy, *, connections: int = 2000, resolver: AbstractResolver | None = None
    ) -> None:
        self.connections = connections
        self.in_flight = 0
        self._policy = policy
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None
        self._urls: dict[str, URL] = {}

    async def open(self, request: UpstreamRequest, timeouts: Timeouts) -> "AiohttpResponse":
        url = self._urls.get(request.url) or self._check(request.url)
        if self.in_flight >= self.connections:
            raise _unavailable("The gateway has too many calls under way.", "provider_pool_full")
        session = self._session or self._new_session()
        self.in_flight += 1
        try:
            response = await _send(session, request, url, timeouts)
        except BaseException:
            self.in_flight -= 1
            raise
        return AiohttpResponse(response, timeouts, self)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _new_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=0,
            resolver=GuardedResolver(self._policy, self._resolver),
            ttl_dns_cache=10,
            keepalive_timeout=_KEEP_ALIVE_S,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_NOT_ADDED,
            trust_env=False,
        )
        return self._session

    def _check(self, text: str) -> URL:
        """Refuse what the resolver never sees: an address in place of a name, and other schemes."""
        try:
            url = URL(text)
            host, port = url.host or "", url.port or 0
        except ValueError:
            raise _forbidden() from None
        is_literal = ":" in host or host.replace(".", "").isdigit()
        if url.scheme not in {"http", "https"} or (is_literal and self._policy.refusal(host, port, host)):
            raise _forbidden()
        if len(self._urls) >= _URLS_KEPT:
            self._urls.clear()
        self._urls[text] = url
        return url


class AiohttpResponse:
    """See providers.engine.UpstreamResponse."""

    def __init__(self, response: aiohttp.ClientResponse, timeouts: Timeouts, engine: AiohttpEngine) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self._response = response
        self._engine: AiohttpEngine | None = engine
        _wait_between_chunks(response, timeouts.idle_s)

    async def chunks(self) -> AsyncIterator[bytes]:
        content = self._response.content
        while data := await _read_some(content):
            yield data

    async def read(self, limit_bytes: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        content = self._response.content
        while data := await _read_some(content):
            size += len(data)
            if size > limit_bytes:
                await self.close()
                raise _too_large()
            parts.append(data)
        return b"".join(parts)

    async def close(self) -> None:
        if self._engine is None:
            return
        self._engine.in_flight -= 1
        self._engine = None
        self._response.close()


async def _send(
    session: aiohttp.ClientSession, request: UpstreamRequest, url: URL, timeouts: Timeouts
) -> aiohttp.ClientResponse:
    body = request.body
    try:
        return await session.request(
            request.method,
            url,
            data=io.BytesIO(body) if len(body) > _LARGE_BODY_BYTES else body or None,
            headers=request.headers,
            allow_redirects=False,
            timeout=_client_timeout(timeouts),
        )
    except _UNREACHABLE as error:
        raise _unreachable(error) from error
    except TimeoutError as error:
        raise _timed_out("provider_timeout", "The provider did not answer in time.") from error
    except aiohttp.ClientResponseError as error:
        raise _broken("provider_bad_response", "The provider's answer is not HTTP.") from error
    except aiohttp.ClientConnectionError as error:
        raise _disconnected() from error
    except (aiohttp.ClientError, ValueError) as error:
        raise _broken("provider_bad_response", "The call to the provider could not be made.") from error


async def _read_some(content: aiohttp.StreamReader) -> bytes:
    """What has come, b"" at the end."""
    try:
        return await content.readany()
    except aiohttp.SocketTimeoutError as error:
        raise _timed_out("provider_stalled", "The provider stopped in the middle of its answer.") from error
    except TimeoutError as error:
        raise _timed_out("provider_timeout", "The provider's answer took too long.") from error
    except (aiohttp.ClientError, aiohttp.http_exceptions.HttpProcessingError) as error:
        raise _disconnected() from error


def _wait_between_chunks(response: aiohttp.ClientResponse, idle_s: float) -> None:
    """From here on silence is judged by another limit than before the headers."""
    connection = response.connection
    if connection is None or connection.protocol is None or response.content.is_eof():
        return
    connection.protocol.read_timeout = idle_s
    connection.protocol.start_timeout()


@lru_cache(maxsize=64)
def _client_timeout(timeouts: Timeouts) -> aiohttp.ClientTimeout:
    # Rounding up to full seconds (aiohttp's habit above 5 s) would let a call outlive its limit.
    return aiohttp.ClientTimeout(
        total=timeouts.total_s,
        connect=timeouts.connect_s,
        sock_read=timeouts.first_byte_s,
        ceil_threshold=timeouts.total_s + 1,
    )


def _unreachable(error: Exception) -> UpstreamFailure:
    if isinstance(getattr(error, "os_error", None), ForbiddenAddress):
        return _forbidden()
    return _unavailable("The provider cannot be reached.", "provider_unreachable")


def _forbidden() -> UpstreamFailure:
    return _unavailable("The provider's address is not allowed.", "provider_address_forbidden")


def _disconnected() -> UpstreamFailure:
    return _unavailable("The provider broke the connection.", "provider_disconnected")


def _unavailable(message: str, code: str) -> UpstreamFailure:
    return UpstreamFailure(FailureKind.UNAVAILABLE, message, code=code)


def _timed_out(code: str, message: str) -> UpstreamFailure:
    return UpstreamFailure(FailureKind.TIMEOUT, message, code=code)


def _broken(code: str, message: str) -> UpstreamFailure:
    return UpstreamFailure(FailureKind.BAD_RESPONSE, message, code=code)


def _too_large() -> UpstreamFailure:
    return _broken("provider_response_too_large", "The provider's answer is larger than we accept.")
