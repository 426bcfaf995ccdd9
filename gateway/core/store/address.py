"""Where Redis is, from its URL, and how to come there."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from redis.connection import SSLConnection, parse_url

PREFIX = "gw:"
"""Of every key and channel: the database may be shared with the task queue and with others."""
ADMISSION = PREFIX + "{admission}:"
"""Of every key that lets calls in: the hash tag keeps those of one call on one node of a Redis Cluster."""


@dataclass(frozen=True, slots=True)
class Address:
    """`path` is a socket's, in place of host and port."""

    host: str = "localhost"
    port: int = 6379
    path: str | None = None
    database: int = 0
    username: str | None = None
    password: str | None = None
    tls: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return self.path or f"{self.host}:{self.port}"

    async def connect(self, make_protocol: Callable[[], asyncio.Protocol]) -> None:
        """Raises OSError."""
        loop = asyncio.get_running_loop()
        if self.path:
            await loop.create_unix_connection(make_protocol, self.path)
        else:
            await loop.create_connection(make_protocol, self.host, self.port, ssl=self.tls)

    def greetings(self, *, hears_pushes: bool) -> list[tuple[str | int, ...]]:
        """The commands that are said first. With pushes it is RESP3, where messages of channels come apart."""
        commands: list[tuple[str | int, ...]] = []
        if self.password is not None:
            commands.append(("AUTH", *([self.username] if self.username else []), self.password))
        if hears_pushes:
            commands.append(("HELLO", 3))
        if self.database:
            commands.append(("SELECT", self.database))
        return commands


def parse_address(url: str) -> Address:
    """Read `redis://`, `rediss://` and `unix://`, with redis-py's names for options. Raises ValueError."""
    options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
    is_tls = options.get("connection_class") is SSLConnection
    return Address(
        host=options.get("host", "localhost"),
        port=options.get("port", 6379),
        path=options.get("path"),
        database=int(options.get("db", 0)),
        username=options.get("username"),
        password=options.get("password"),
        tls=_tls_context(options) if is_tls else None,
    )


def _tls_context(options: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.get("ssl_ca_certs"))
    context.check_hostname = options.get("ssl_check_hostname", True)
    if options.get("ssl_cert_reqs") == "none":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate := options.get("ssl_certfile"):
        context.load_cert_chain(certificate, options.get("ssl_keyfile"))
    return context
