"""To whom the audit is sent on: addresses as settings name them, read and shown; pure.

Settings import it, and with them every process: nothing here may load what connects.

`syslog+udp://host[:514]`, `syslog+tcp://host[:601]`, `syslog+tls://host[:6514]`, `https://host/path`, or `http://`.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import urlsplit

from accounts.alerts.signing import PREFIX

_PORTS = {"syslog+udp": 514, "syslog+tcp": 601, "syslog+tls": 6514, "https": 443, "http": 80}
_LEAST_SECRET_BYTES = 24
_FORMS = "syslog+udp://host:514, syslog+tcp://host:601, syslog+tls://host:6514 or https://host/path"


@dataclass(frozen=True, slots=True)
class Receiver:
    """One SIEM. `mark` is what rows call it, without what may be secret of its address."""

    address: str = field(repr=False)
    scheme: str
    host: str
    port: int
    mark: str
    authority: str = ""
    """Path of certificates that it is verified by besides the system's; of syslog over TLS."""

    @property
    def is_webhook(self) -> bool:
        return self.scheme in {"https", "http"}

    @property
    def place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def read_receivers(words: Iterable[str]) -> tuple[Receiver, ...]:
    """Raises ValueError, which names what cannot be used without telling what may be secret of it."""
    found = tuple(_read(word) for word in words)
    if len({each.mark for each in found}) < len(found):
        raise ValueError("the same receiver is named twice")
    return found


def read_secrets(words: Iterable[str]) -> tuple[str, ...]:
    """Raises ValueError, which tells nothing of what was given."""
    found = tuple(words)
    for word in found:
        try:
            is_secret = len(base64.b64decode(word.removeprefix(PREFIX), validate=True)) >= _LEAST_SECRET_BYTES
        except binascii.Error:
            is_secret = False
        if not is_secret or not word.startswith(PREFIX):
            raise ValueError(f"write {PREFIX} and at least {_LEAST_SECRET_BYTES} random bytes as base64")
    return found


def _read(word: str) -> Receiver:
    try:
        parts = urlsplit(word)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise ValueError(f"an address has a port that is none; write {_FORMS}") from None
    scheme, host = parts.scheme, parts.hostname or ""
    if not port or not host:
        raise ValueError(f"{scheme or 'an address'} without a place is none; write {_FORMS}")
    if parts.username or parts.password or parts.fragment:
        raise ValueError(f"the address of {host} holds a user name, a password or a fragment")
    if scheme.startswith("syslog+") and (parts.path.strip("/") or parts.query):
        raise ValueError(f"the address of {host} goes on after its port; write {_FORMS}")
    shown = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    if scheme in {"https", "http"} and (parts.path.strip("/") or parts.query):
        # A path may hold a token; its digest still tells two receivers of a host apart.
        shown += f"/…{sha256(word.encode()).hexdigest()[:6]}"
    return Receiver(word, scheme, host, port, shown)
