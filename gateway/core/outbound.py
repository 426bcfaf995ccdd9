"""The one way out for every HTTP call that the product makes: which addresses it may reach, and how far."""

import asyncio
import ipaddress
import re
import socket
import ssl
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpcore
import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], list[str]]
LookUp = Callable[[str, int], Awaitable[list[str]]]

# Public by the registry, but no place for a provider: protocol assignments, 6to4 relays, Azure's metadata.
_ODD_V4 = [
    ipaddress.ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "240.0.0.0/4")
]
_UNICAST_V6 = ipaddress.ip_network("2000::/3")
_ODD_V6 = [ipaddress.ip_network(text) for text in ("2001::/23", "2001:db8::/32", "3fff::/20")]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_LONGEST_URL = 500
_NUMERIC = re.compile(r"0x[0-9a-f]*|[0-9]+")
_INWARD_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "localdomain", "arpa")


class ForbiddenAddress(OSError):
    """The name leads to an address that this deployment does not allow."""


@dataclass(frozen=True, slots=True)
class OutboundPolicy:
    """Every public address is allowed; of the others only those in `allowed`.

    Entries are `host:port` (`[address]:port` for IPv6), an address, or a network as `10.1.0.0/16`.
    Raises ValueError for an entry that is none of these.
    """

    allowed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        _networks(self.allowed)

    def refusal(self, host: str, port: int, address: str) -> str | None:
        """Why a connection to `address`, found under `host`, is not made; None if it may be."""
        if self._is_named(host, port) or self._is_named(address, port):
            return None
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return f"'{address}' is not an address."
        if any(found in network for network in _networks(self.allowed)):
            return None
        return _inward(found)

    def url_refusal(self, url: str) -> str | None:
        """Why `url` cannot be a provider's base URL; None if it can. Asks no name server."""
        try:
            parts = urlsplit(url)
            port = parts.port or (80 if parts.scheme == "http" else 443)
        except ValueError:
            return "This is not a URL."
        if len(url) > _LONGEST_URL:
            return f"The URL is longer than {_LONGEST_URL} characters."
        if not url.isprintable() or " " in url or "\\" in url:
            return "The URL may not contain blanks or backslashes."
        if not url.isascii():
            return "The URL may contain ASCII characters only: write the host in its xn-- form."
        return _form_refusal(url, parts) or self._host_refusal(parts, port)

    def _host_refusal(self, parts: SplitResult, port: int) -> str | None:
        host = parts.hostname or ""
        is_named = self._is_named(host, port)
        if (address := _literal(host)) is not None:
            return self.refusal(host, port, host) or self._scheme_refusal(
                parts, is_named or not _is_public(address)
            )
        return _name_refusal(host, is_named) or self._scheme_refusal(parts, is_named)

    def _scheme_refusal(self, parts: SplitResult, is_allowed_inside: bool) -> str | None:
        if parts.scheme == "https" or is_allowed_inside:
            return None
        return "The URL must begin with https://; http:// is for addresses that the settings allow."

    def _is_named(self, host: str, port: int) -> bool:
        name = f"[{host}]" if ":" in host else host.lower()
        return f"{name}:{port}" in self.allowed


def is_this_machine(host: str) -> bool:
    """Whether the name, asking no name server, or the address is that of the machine itself."""
    address = _literal(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def allowed_addresses(policy: OutboundPolicy, host: str, port: int, addresses: Sequence[str]) -> list[str]:
    """Those of the addresses found under `host` that may be connected to. Raises ForbiddenAddress if none may."""
    allowed = [address for address in addresses if policy.refusal(host, port, address) is None]
    if not allowed:
        raise ForbiddenAddress(f"{host} leads to an address that is not allowed")
    return allowed


async def look_up_name(host: str, port: int) -> list[str]:
    """The addresses of `host`, best first, found off the loop. Raises OSError, or UnicodeError for what is no name."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


def resolve_name(host: str, port: int) -> list[str]:
    """The addresses of `host`, best first. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(sockaddr[0]) for *_, sockaddr in found]


def httpx_client(
    policy: OutboundPolicy,
    *,
    timeout_s: float = 10,
    total_s: float = 30,
    limit_bytes: int = 16 * 1024 * 1024,
    resolve: Resolve = resolve_name,
) -> httpx.Client:
    """A client for everything that is not the hot path.

    `timeout_s` bounds each wait, `total_s` a whole call from its connection to the last byte of its answer,
    `limit_bytes` the answer's body, unpacked. One call at a time. All that goes wrong is an httpx.HTTPError.
    """
    transport = _GuardedTransport(policy, resolve, total_s, limit_bytes)
    return httpx.Client(
        transport=transport,
        timeout=timeout_s,
        follow_redirects=False,
        trust_env=False,
        headers={"user-agent": "gatehouse", "accept-encoding": "gzip"},
    )


class _Patience:
    """How long one call may still take. Each wait of httpx begins anew, with every byte that comes."""

    def __init__(self, total_s: float) -> None:
        self._total_s = total_s
        self.begin()

    def begin(self) -> None:
        self._ends_at = time.monotonic() + self._total_s

    def limit(self, timeout_s: float | None) -> float:
        """The shorter of a single wait and what is left. Raises httpcore.ReadTimeout where nothing is."""
        left_s = self._ends_at - time.monotonic()
        if left_s <= 0:
            raise httpcore.ReadTimeout("The answer took too long.")
        return left_s if timeout_s is None else min(timeout_s, left_s)


class _PatientStream(httpcore.NetworkStream):
    """A connection that is waited for no longer than its call may take."""

    def __init__(self, stream: httpcore.NetworkStream, patience: _Patience) -> None:
        self._stream = stream
        self._patience = patience

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._patience.limit(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._patience.limit(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        limit_s = self._patience.limit(timeout)
        return _PatientStream(self._stream.start_tls(ssl_context, server_hostname, limit_s), self._patience)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _GuardedBackend(httpcore.SyncBackend):
    def __init__(self, policy: OutboundPolicy, resolve: Resolve, patience: _Patience) -> None:
        self._policy = policy
        self._resolve = resolve
        self._patience = patience

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *args: Any, **kwargs: Any
    ) -> httpcore.NetworkStream:
        """Resolve once, and connect to the very address that was checked."""
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(str(error)) from error
        reason = "The name has no address."
        for address in addresses:
            refused = self._policy.refusal(host, port, address)
            if refused is None:
                limit_s = self._patience.limit(timeout)
                return _PatientStream(
                    super().connect_tcp(address, port, limit_s, *args, **kwargs), self._patience
                )
            reason = refused
        raise httpcore.ConnectError(reason) from ForbiddenAddress(reason)


class _GuardedTransport(httpx.HTTPTransport):
    def __init__(self, policy: OutboundPolicy, resolve: Resolve, total_s: float, limit_bytes: int) -> None:
        super().__init__(trust_env=False)
        self._patience = _Patience(total_s)
        # httpx has no parameter for the network below its pool (0.28).
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl.create_default_context(),
            network_backend=_GuardedBackend(policy, resolve, self._patience),
            max_connections=50,
            keepalive_expiry=10,
        )
        self._limit_bytes = limit_bytes

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._patience.begin()
        response = super().handle_request(request)
        encoding = response.headers.pop("content-encoding", "identity").lower()
        if encoding not in {"identity", "gzip"}:
            response.close()
            raise httpx.DecodingError(f"The answer is packed as {encoding}, which was not asked for.")
        response.headers.pop("content-length", None)
        assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 (httpx's own type is wider)
        stream = _BoundedStream(response.stream, self._limit_bytes)
        if encoding == "gzip":
            stream.unpack = zlib.decompressobj(wbits=31)
        return httpx.Response(response.status_code, headers=response.headers, stream=stream)


class _BoundedStream(httpx.SyncByteStream):
    """A body that ends with an error at its limit, counted after unpacking."""

    def __init__(self, source: httpx.SyncByteStream, limit_bytes: int) -> None:
        self.unpack: Any = None
        self._source = source
        self._left = limit_bytes

    def __iter__(self) -> Iterator[bytes]:
        for packed in self._source:
            data = self._unpacked(packed)
            self._left -= len(data)
            if self._left < 0:
                raise httpx.ReadError("The answer is larger than we accept.")
            yield data

    def _unpacked(self, packed: bytes) -> bytes:
        if self.unpack is None:
            return packed
        try:
            data = bytes(self.unpack.decompress(packed, self._left + 1))
        except zlib.error as error:
            raise httpx.DecodingError("The answer is badly packed.") from error
        if self.unpack.unused_data:
            raise httpx.DecodingError("The answer goes on after its packed part.")
        return data

    def close(self) -> None:
        self._source.close()


@lru_cache(maxsize=64)
def _networks(allowed: frozenset[str]) -> tuple[Network, ...]:
    networks = []
    for entry in allowed:
        try:
            networks.append(ipaddress.ip_network(entry))
        except ValueError:
            host, _, port = entry.rpartition(":")
            if not host or not port.isdigit():
                raise ValueError(f"'{entry}' is neither host:port nor an address nor a network") from None
    return tuple(networks)


def _inward(address: Address) -> str | None:
    return (
        None if _is_public(address) else f"{address} is a private or reserved address, which is not allowed."
    )


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        is_odd = address.is_multicast or any(address in network for network in _ODD_V4)
        return address.is_global and not is_odd
    inner = _embedded(address)
    if inner is not None:
        return _is_public(inner)
    return address in _UNICAST_V6 and address.is_global and not any(address in network for network in _ODD_V6)


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address to which this one leads in the end: mapped, 6to4 or NAT64."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _form_refusal(url: str, parts: SplitResult) -> str | None:
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        return "The URL must begin with https:// and name a host."
    if "@" in parts.netloc:
        return "The URL may not hold a user name or a password; store a credential instead."
    if "?" in url or "#" in url:
        return "The URL may have neither a query nor a fragment."
    if parts.netloc.endswith(":") or parts.port == 0:
        return "The URL's port must be between 1 and 65535."
    return None


def _name_refusal(host: str, is_named: bool) -> str | None:
    if host.endswith("."):
        return "The host may not end with a dot."
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        return f"'{host}' is not a host name."
    # Resolvers read 2130706433, 0x7f.1 and 0177.0.0.1 as addresses.
    if _NUMERIC.fullmatch(labels[-1]):
        return f"'{host}' is an address in an unusual form; write it with four decimal numbers."
    if not is_named and (len(labels) == 1 or labels[-1] in _INWARD_NAMES):
        return f"'{host}' is a name inside this network, which is not allowed."
    return None
