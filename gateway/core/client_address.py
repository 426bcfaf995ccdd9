"""Where a request comes from: the peer's address, or what proxies that we trust say of it.

Pure; edge and Django ask the same. Source: `X-Forwarded-For` as reverse proxies write it, newest entry last.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORWARDED_FOR = b"x-forwarded-for"
# One household or machine has at least so many bits of IPv6 to itself: counting single addresses would count nothing.
_OWN_BITS_V6 = 64
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The networks of our own proxies. Headers that only a proxy may set count from these peers."""

    networks: tuple[Network, ...] = ()

    def trusts(self, peer: str) -> bool:
        """`peer` is the address at the other end of the connection; empty where it has none."""
        address = _read(peer)
        return address is not None and any(address in network for network in self.networks)

    def client_of(self, peer: str, forwarded_for: str = "") -> str:
        """The client's address. `forwarded_for` is the value of all such headers, joined with commas.

        Each proxy adds whom it heard: so it is read from its end, and only while those who wrote are trusted.
        """
        client = _read(peer)
        for entry in reversed(forwarded_for.split(",")) if forwarded_for else ():
            before = _read(entry)
            if before is None or not self.trusts(str(client)):
                break
            client = before
        return str(client) if client else peer


NO_PROXIES = TrustedProxies()


def read_trusted_proxies(words: Iterable[str]) -> TrustedProxies:
    """From addresses and networks. Raises ValueError, which names what is neither."""
    return TrustedProxies(tuple(_read_network(word) for word in words))


def client_of_scope(scope: Mapping[str, Any], proxies: TrustedProxies) -> str:
    """The client's address of an ASGI request; empty where there is none."""
    lines = [value for name, value in scope["headers"] if name == _FORWARDED_FOR]
    peer = (scope.get("client") or ("",))[0]
    return proxies.client_of(peer or "", b",".join(lines).decode("latin-1"))


def client_of_meta(meta: Mapping[str, Any], proxies: TrustedProxies) -> str:
    """The same of what Django calls `request.META`, where lines are joined already."""
    return proxies.client_of(str(meta.get("REMOTE_ADDR") or ""), str(meta.get("HTTP_X_FORWARDED_FOR", "")))


def counted_as(address: str) -> str:
    """What attempts are counted by: an address of IPv4, a network of IPv6 that is one client's own."""
    read = _read(address)
    if isinstance(read, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((read, _OWN_BITS_V6), strict=False))
    return address


def _read(text: str) -> Address | None:
    """Of an address as headers hold it, perhaps with a port: `10.0.0.1:4711`, `[2001:db8::1]:4711`."""
    text = text.strip()
    # What is kept in memory must not be as long as strangers like.
    return _read_short(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=1024)
def _read_short(text: str) -> Address | None:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _read_network(word: str) -> Network:
    try:
        return ipaddress.ip_network(word)
    except ValueError:
        raise ValueError(f"{word!r} is neither an address nor a network such as 10.0.0.0/8") from None
