"""Redis' address as all of us read it alike: the store, the task queue and the doctor."""

import ssl
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

_SCHEMES = frozenset({"redis", "rediss", "unix"})
_WHO = ("username", "password")
_ASKED = "ssl_cert_reqs"
_CERTIFICATES = "ssl_ca_certs"


def verified(url: str, certificates: str = "") -> str:
    """`rediss://` that says what it asks of the server. Without it the task queue asks for nothing at all.

    `certificates` is a file of authorities to trust; none: the system's. What the address itself says wins. Raises
    ValueError where the file holds none.
    """
    address = urlsplit(url)
    if address.scheme != "rediss":
        return url
    said = dict(parse_qsl(address.query))
    if certificates:
        _check(certificates)
        said.setdefault(_CERTIFICATES, certificates)
    said.setdefault(_ASKED, "required")
    return address._replace(query=urlencode(said)).geturl()


def is_usable(url: str) -> bool:
    """Of an address that names a server or a socket; so is none at all."""
    try:
        address = urlsplit(url)
        names_one = bool(address.path if address.scheme == "unix" else address.port != 0)
    except ValueError:
        return False
    return not url or (address.scheme in _SCHEMES and names_one)


def broker_url(url: str) -> str:
    """The same server for the task queue, which has a spelling of its own for sockets.

    Source: kombu 5.7, `transport/redis.py`: there, only what stands before the path says who is asking.
    """
    address = urlsplit(url)
    if address.scheme != "unix":
        return url
    said = dict(parse_qsl(address.query))
    who = address.netloc.rpartition("@")[0] or ":".join(quote(said.get(name, ""), "") for name in _WHO)
    return f"redis+socket://{who.removesuffix(':')}@{address.path}?virtual_host={said.get('db', '0')}"


def _check(certificates: str) -> None:
    try:
        ssl.create_default_context(cafile=certificates)
    except OSError as error:
        raise ValueError(f"{certificates} holds no certificates ({error.strerror or error})") from None
