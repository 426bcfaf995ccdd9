"""The upstream engine: visible limits, a timeout for every wait, addresses checked at the door."""

import asyncio
import ssl
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

from gateway.core.outbound import ForbiddenAddress, LookUp, OutboundPolicy, allowed_addresses, look_up_name
from providers.adapters.base import UpstreamRequest
from providers.engine import Timeouts
from providers.http1 import Connection, Reply, Server, broken, unavailable
from providers.unpacking import Unpacker, unpacker_for
from providers.wire.failure import POOL_FULL, FailureKind, UpstreamFailure

_DESTINATIONS_KEPT = 1024
# Below the 5 s after which common servers close an idle connection: a call sent just then would be lost.
REST_S = 0.02
"""How long a connection is left alone between two calls. A provider's call takes longer, so few more are needed."""
_KEEP_ALIVE_S = 4.0
_AGAIN_S = 1.0
"""What one for whom there is no room is told to wait."""
_NAMES_KEPT_S = 10.0
_WATCH_S = 0.1
_TURN_BYTES = 32 * 1024
"""So much of an answer is worked on at a stretch: one that pours in takes milliseconds, and others have their turn."""


@dataclass(slots=True)
class Destination:
    """Where a URL leads: a server, and what a request begins with there, but for the method.

    `head` is that of the last request there, but for its length: the next one's `method` and `headers` are mostly the
    same.
    """

    server: Server
    start: str
    method: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    head: bytes = b""


class HttpEngine:
    """See providers.engine.UpstreamEngine. Belongs to the event loop of its first call.

    `connections` bounds the calls under way; one more is refused at once. Between two calls a connection rests.
    """

    def __init__(
        self,
        policy: OutboundPolicy,
        *,
        connections: int = 2000,
        look_up: LookUp = look_up_name,
        rest_s: float = REST_S,
    ) -> None:
        self._rest_s = rest_s
        self.connections = connections
        self._connecting = 0
        self._policy = policy
        self._look_up = look_up
        self._destinations: dict[str, Destination] = {}
        self._names: dict[tuple[str, int], tuple[float, list[str]]] = {}
        self._busy: set[Connection] = set()
        # The one that has rested longest stands first.
        self._idle: defaultdict[Server, dict[Connection, None]] = defaultdict(dict)
        self._watcher: asyncio.TimerHandle | None = None

    def follow(self, policy: OutboundPolicy) -> None:
        """From now on connections are made by this one. From any thread."""
        self._policy = policy
        self._destinations = {}

    @property
    def in_flight(self) -> int:
        """Calls under way."""
        return len(self._busy) + self._connecting

    async def open(self, request: UpstreamRequest, timeouts: Timeouts) -> "HttpResponse":
        destination = self._destinations.get(request.url) or self._find_destination(request.url)
        if len(self._busy) + self._connecting >= self.connections:
            raise UpstreamFailure(
                FailureKind.UNAVAILABLE,
                "The gateway has too many calls under way.",
                code=POOL_FULL,
                retry_after_s=_AGAIN_S,
            )
        message = _compose(request, destination)
        server = destination.server
        connection = self._reuse(server) or await self._connect(server, timeouts.connect_s)
        self._busy.add(connection)
        response = HttpResponse(connection, timeouts)
        response.engine = self
        try:
            connection.ask(message, response)
            await response.wait_for_head()
        except BaseException:
            connection.abort()
            self._busy.discard(connection)
            raise
        return response

    async def close(self) -> None:
        for connection in [*self._busy, *(one for idle in self._idle.values() for one in idle)]:
            connection.abort()
        if self._watcher:
            self._watcher.cancel()
            self._watcher = None

    def take_back(self, connection: Connection) -> None:
        """A call is over; its connection is kept if another can use it."""
        self._busy.discard(connection)
        if connection.release():
            connection.idle_since = time.monotonic()
            self._idle[connection.server][connection] = None

    def _reuse(self, server: Server) -> Connection | None:
        """One that has rested, as what a provider says too much is heard meanwhile."""
        idle = self._idle.get(server)
        while idle:
            connection = next(iter(idle))
            rested_s = time.monotonic() - connection.idle_since
            if rested_s < self._rest_s:
                return None
            del idle[connection]
            if rested_s < _KEEP_ALIVE_S and connection.can_be_asked():
                return connection
            connection.abort()
        return None

    async def _connect(self, server: Server, within_s: float) -> Connection:
        self._connecting += 1
        self._watch_on()
        try:
            async with asyncio.timeout(within_s):
                addresses = await self._find_addresses(server.host, server.port)
                return await self._connect_to_any(addresses, server, within_s)
        except ForbiddenAddress:
            raise forbidden() from None
        except (OSError, UnicodeError, ssl.CertificateError) as error:
            # A TimeoutError is an OSError too.
            raise unavailable("The provider cannot be reached.", "provider_unreachable") from error
        finally:
            self._connecting -= 1

    async def _find_addresses(self, host: str, port: int) -> list[str]:
        """Asked again after a while; what was found is checked at every connection. Raises OSError."""
        known_at, addresses = self._names.get((host, port), (0.0, []))
        if not addresses or time.monotonic() - known_at > _NAMES_KEPT_S:
            addresses = await self._look_up(host, port)
            if len(self._names) >= _DESTINATIONS_KEPT:
                self._names.clear()
            self._names[host, port] = time.monotonic(), addresses
        return allowed_addresses(self._policy, host, port, addresses)

    async def _connect_to_any(self, addresses: list[str], server: Server, within_s: float) -> Connection:
        """One after the other; all but the last share half of the time. Raises OSError."""
        *others, last = addresses
        for address in others:
            try:
                async with asyncio.timeout(within_s / 2 / len(others)):
                    return await self._connect_to(address, server)
            except OSError:
                continue
        return await self._connect_to(last, server)

    async def _connect_to(self, address: str, server: Server) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: Connection(server, self._lose),
            address,
            server.port,
            ssl=_tls_context() if server.is_tls else None,
            server_hostname=server.host if server.is_tls else None,
        )
        return connection

    def _lose(self, connection: Connection) -> None:
        for idle in self._idle.values():
            idle.pop(connection, None)

    def _watch(self) -> None:
        """Look at every call's limits, and let connections go that nobody has used for long."""
        now = time.monotonic()
        for connection in list(self._busy):
            connection.judge(now)
        for server, idle in list(self._idle.items()):
            for connection in [one for one in idle if now - one.idle_since >= _KEEP_ALIVE_S]:
                connection.abort()
            if not idle:
                del self._idle[server]
        self._watcher = None
        if self._connecting or self._busy or self._idle:
            self._watch_on()

    def _watch_on(self) -> None:
        if self._watcher is None:
            self._watcher = asyncio.get_running_loop().call_later(_WATCH_S, self._watch)

    def _find_destination(self, url: str) -> Destination:
        """Refuse what no look-up ever sees: an address in place of a name, and other schemes."""
        destination = _read_destination(url)
        host, port, _ = destination.server
        is_literal = ":" in host or host.replace(".", "").isdigit()
        if is_literal and self._policy.refusal(host, port, host):
            raise forbidden()
        if len(self._destinations) >= _DESTINATIONS_KEPT:
            self._destinations.clear()
        self._destinations[url] = destination
        return destination


class HttpResponse(Reply):
    """See providers.engine.UpstreamResponse."""

    engine: HttpEngine
    _rest = b""
    """What was taken, and is still to be given."""
    _is_closed = False
    _is_read = False
    _unpacker: Unpacker | None = None

    async def chunks(self) -> AsyncIterator[bytes]:
        while data := await self._take():
            if len(data) <= _TURN_BYTES:
                yield data
                continue
            self._rest = data
            while self._rest:
                data, self._rest = self._rest[:_TURN_BYTES], self._rest[_TURN_BYTES:]
                yield data
                await asyncio.sleep(0)

    async def read(self, limit_bytes: int) -> bytes:
        if self.is_complete and not (self.is_held or self._rest) and "content-encoding" not in self.headers:
            # All has come already, as it mostly has.
            body = b"".join(self._parts)
            self._parts.clear()
            if len(body) > limit_bytes:
                raise _too_large()
            return body
        parts: list[bytes] = []
        size = 0
        while data := await self._take():
            size += len(data)
            if size > limit_bytes:
                await self.close()
                raise _too_large()
            parts.append(data)
            if len(data) > _TURN_BYTES and self._unpacker:
                await asyncio.sleep(0)
        return b"".join(parts)

    async def read_part(self, limit_bytes: int, within_s: float) -> bytes:
        part = b""
        with suppress(UpstreamFailure, TimeoutError):
            async with asyncio.timeout(within_s):
                while len(part) < limit_bytes and (data := await self._take()):
                    part += data
        return part[:limit_bytes]

    async def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self.engine.take_back(self.connection)

    async def _take(self) -> bytes:
        if self._rest:
            rest, self._rest = self._rest, b""
            return rest
        if not self._is_read:
            # Only now: what refuses us does so whatever its body is packed in.
            self._is_read = True
            if coding := self.headers.get("content-encoding"):
                self._unpacker = unpacker_for(coding)
        unpacker = self._unpacker
        if unpacker is None:
            return await self.take()
        while not (data := unpacker.take()):
            packed = await self.take()
            if not packed:
                unpacker.finish()
                return b""
            unpacker.feed(packed)
        return data


def _too_large() -> UpstreamFailure:
    return broken("provider_response_too_large", "The provider's answer is larger than we accept.")


def forbidden() -> UpstreamFailure:
    return unavailable("The provider's address is not allowed.", "provider_address_forbidden")


def _read_destination(url: str) -> Destination:
    try:
        parts = urlsplit(url)
        host, is_tls = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if is_tls else 80)
    except ValueError:
        raise forbidden() from None
    is_plain = url.isascii() and url.isprintable() and " " not in url
    if parts.scheme not in {"http", "https"} or not host or not is_plain:
        raise forbidden()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    shown = parts.netloc.rpartition("@")[2]
    return Destination(Server(host, port, is_tls), f"{path} HTTP/1.1\r\nhost: {shown}\r\n")


def _compose(request: UpstreamRequest, destination: Destination) -> bytes:
    """The request as it is sent. Raises UpstreamFailure for a header that cannot be sent."""
    if request.headers != destination.headers or request.method != destination.method:
        head = f"{request.method} {destination.start}".encode()
        destination.head = head + _write_fields(request.headers)
        destination.method, destination.headers = request.method, dict(request.headers)
    body = request.body
    return b"%bcontent-length: %d\r\n\r\n%b" % (destination.head, len(body), body)


def _write_fields(headers: Mapping[str, str]) -> bytes:
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    count = len(headers)
    if not lines.isascii() or lines.count("\r") != count or lines.count("\n") != count:
        raise broken("provider_bad_response", "The call to the provider could not be made.")
    return lines.encode()


@cache
def _tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
