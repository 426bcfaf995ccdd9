"""Redis' address as all of us read it alike: the store, the task queue and the doctor."""

import ssl
from urllib.parse import parse_qsl, urlencode, urlsplit

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


def _check(certificates: str) -> None:
    try:
        ssl.create_default_context(cafile=certificates)
    except OSError as error:
        raise ValueError(f"{certificates} holds no certificates ({error.strerror or error})") from None
