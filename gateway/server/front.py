"""What stands in front of this gateway: the address that people know it by, a base path, and proxies that say more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gateway.core.client_address import NO_PROXIES, TrustedProxies

Scope = Mapping[str, Any]

_HOST, _FORWARDED_HOST, _FORWARDED_PROTO = b"host", b"x-forwarded-host", b"x-forwarded-proto"
_SCHEMES = ("http", "https")
ANY_ORIGIN = "*"


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """Where people and programs reach us. All empty: wherever they happen to. `base_path` begins with a slash."""

    origin: str = ""
    host: str = ""
    base_path: str = ""

    def __bool__(self) -> bool:
        return bool(self.origin)

    def __str__(self) -> str:
        return self.origin + self.base_path

    @property
    def is_https(self) -> bool:
        return self.origin.startswith("https:")


def read_public_url(text: str) -> PublicUrl:
    """Of `https://gateway.example` or `https://example.com/llm`. Raises ValueError."""
    if not text:
        return PublicUrl()
    url = urlsplit(text)
    is_usable = url.scheme in _SCHEMES and url.hostname and not (url.query or url.fragment or url.username)
    path = url.path.rstrip("/")
    if not is_usable or "//" in path or "%" in path or not path.isascii():
        raise ValueError(
            f"{text!r} is not an address such as https://gateway.example or https://example.com/llm"
        )
    # Read for its check alone.
    _ = url.port
    return PublicUrl(f"{url.scheme}://{url.netloc.lower()}", url.hostname or "", path)


def read_cors_origins(words: list[str]) -> frozenset[str]:
    """Of `https://app.example http://localhost:5173`, or `*`. Raises ValueError."""
    for word in words:
        url = urlsplit(word)
        is_origin = url.scheme in _SCHEMES and url.netloc and word == f"{url.scheme}://{url.netloc}"
        if word != ANY_ORIGIN and not is_origin:
            raise ValueError(f"{word!r} is not an origin such as https://app.example (or * for every one)")
    return frozenset(word.lower() for word in words)


def inside(path: str, base_path: str) -> str:
    """The path without the base path. A proxy may have taken it off already."""
    if base_path and (path == base_path or path.startswith(f"{base_path}/")):
        return path.removeprefix(base_path) or "/"
    return path


@dataclass(frozen=True, slots=True)
class Front:
    base_path: str = ""
    proxies: TrustedProxies = NO_PROXIES

    def inner(self, scope: Scope) -> Scope:
        """The request as if it had come without the base path."""
        if not self.base_path or scope["type"] != "http":
            return scope
        return {**scope, "path": inside(scope["path"], self.base_path)}

    def outer(self, scope: Scope) -> Scope:
        """The same for Django, which takes the base path off by itself and puts it before its links."""
        if not self.base_path:
            return scope
        return {**scope, "path": self.base_path + scope["path"], "root_path": self.base_path}

    def believed(self, scope: Scope) -> Scope:
        """Host and scheme as a trusted proxy forwards them; what others say of them is left out."""
        if not self.proxies.networks:
            return scope
        said = dict(scope["headers"])
        kept = [pair for pair in scope["headers"] if pair[0] not in {_FORWARDED_HOST, _FORWARDED_PROTO}]
        if not self.proxies.trusts((scope.get("client") or ("",))[0]):
            return {**scope, "headers": kept}
        # The nearest proxy adds at the end.
        if host := said.get(_FORWARDED_HOST, b"").split(b",")[-1].strip():
            kept = [pair for pair in kept if pair[0] != _HOST] + [(_HOST, host)]
        scheme = said.get(_FORWARDED_PROTO, b"").split(b",")[0].strip().decode("latin-1").lower()
        return {**scope, "headers": kept, "scheme": scheme if scheme in _SCHEMES else scope["scheme"]}
