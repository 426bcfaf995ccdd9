"""Content codings of an answer, undone in bounded steps."""

import zlib

from providers.http1 import broken
from providers.wire.failure import UpstreamFailure

# gzip and zlib, told apart by their first bytes.
_EITHER_FORM = zlib.MAX_WBITS | 32
_GZIP_FORM = zlib.MAX_WBITS | 16
_GZIP = b"\x1f"
"""The first byte; no zlib stream begins with it."""
_STEP_BYTES = 256 * 1024
# Each one begins anew with a copy of what is left: more of them are an attack.
_MOST_MEMBERS = 4096


class Unpacker:
    """Takes packed bytes in and gives at most _STEP_BYTES at a time out, whatever they would unfold to.

    A gzip body may be several members, one after the other (RFC 1952, 2.2), and zeros after the last.
    """

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_EITHER_FORM)
        self._packed = b""
        self._members = 0
        self._is_gzip: bool | None = None

    def feed(self, packed: bytes) -> None:
        self._packed += packed

    def take(self) -> bytes:
        """b"" where more must be fed first. Raises UpstreamFailure."""
        data = b""
        while self._packed and not data and self._is_open():
            data = self._unpack()
        return data

    def finish(self) -> None:
        """Raises UpstreamFailure where the end is missing."""
        if not self._inflate.eof or self._packed:
            raise _badly_packed()

    def _unpack(self) -> bytes:
        if self._is_gzip is None:
            self._is_gzip = self._packed.startswith(_GZIP)
        try:
            data = self._inflate.decompress(self._packed, _STEP_BYTES)
        except zlib.error:
            raise _badly_packed() from None
        self._packed = self._inflate.unused_data or self._inflate.unconsumed_tail
        return data

    def _is_open(self) -> bool:
        """Whether more can be unpacked: after the end of a member, the next one."""
        if not self._inflate.eof:
            return True
        self._packed = self._packed.lstrip(b"\0")
        if not self._packed:
            return False
        self._members += 1
        if not self._is_gzip or self._members > _MOST_MEMBERS:
            raise _badly_packed()
        self._inflate = zlib.decompressobj(_GZIP_FORM)
        return True


def unpacker_for(coding: str) -> Unpacker | None:
    """None where nothing is to be done. Raises UpstreamFailure for a coding that nobody asked for."""
    match coding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return Unpacker()
    raise broken("provider_bad_response", "The provider's answer is packed in a way that we did not ask for.")


def _badly_packed() -> UpstreamFailure:
    return broken("provider_bad_response", "The provider's answer is badly packed.")
