"""Origins: what a secret is sent to, and which of them a variable of the environment may be sent to. Pure."""

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

Origins = Mapping[str, frozenset[str]]
"""Of variables by name: the origins that each may be sent to."""

_DEFAULT_PORTS = {"https": 443, "http": 80}
_PLACEHOLDER = re.compile(r"\{([A-Z_]+)\}")
_ADDRESS_PART = re.compile(r"[A-Za-z0-9_-]+")


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL as one text: two URLs of one origin share what opens it."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return url
    host = parts.hostname or ""
    name = f"[{host}]" if ":" in host else host
    is_usual = port == _DEFAULT_PORTS.get(parts.scheme)
    return f"{parts.scheme}://{name}" if is_usual else f"{parts.scheme}://{name}:{port}"


def address_of(url: str) -> str:
    """host:port, the usual port said too: as addresses are allowed. Raises ValueError for what is no URL."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 443)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def host_of(address: str) -> str:
    """Of a host:port."""
    return address.rpartition(":")[0].strip("[]")


def read_origins(words: Iterable[str]) -> Origins:
    """From words such as `OPENAI_API_KEY=https://eu.api.openai.com`. Raises ValueError, which names a bad one."""
    pairs = []
    for word in words:
        variable, _, url = word.partition("=")
        if not variable.isidentifier() or not re.match(r"https?://[^/@?#]", url):
            raise ValueError(f"{word!r} is not of the form OPENAI_API_KEY=https://api.openai.com")
        pairs.append((variable, origin_of(url)))
    return _gathered(pairs)


def origins_of_vendors(vendors: Iterable[Mapping[str, object]], environ: Mapping[str, str]) -> Origins:
    """From tables with `base_url` and `variable`. A part of a host in braces is the environment's to say."""
    pairs = []
    for vendor in vendors:
        # Without its path: what is missing there concerns no origin.
        address = _filled("/".join(str(vendor["base_url"]).split("/")[:3]), environ)
        if address and (variable := vendor.get("variable")):
            pairs.append((str(variable), origin_of(address)))
    return _gathered(pairs)


def join(first: Origins, second: Origins) -> Origins:
    return {name: first.get(name, frozenset()) | second.get(name, frozenset()) for name in {*first, *second}}


def _gathered(pairs: Iterable[tuple[str, str]]) -> Origins:
    gathered: dict[str, frozenset[str]] = {}
    for variable, origin in pairs:
        gathered[variable] = gathered.get(variable, frozenset()) | {origin}
    return gathered


def _filled(address: str, environ: Mapping[str, str]) -> str | None:
    """None: the environment lacks a part, or what it has is no part of a host."""
    for name in _PLACEHOLDER.findall(address):
        value = environ.get(name, "").strip()
        if not _ADDRESS_PART.fullmatch(value):
            return None
        address = address.replace(f"{{{name}}}", value)
    return address
