"""Content codings of an answer, undone in bounded steps."""

import zlib

from providers.adapters.base import UpstreamFailure
from providers.http1 import broken

# gzip and zlib, told apart by their first bytes.
_EITHER_FORM = zlib.MAX_WBITS | 32
_STEP_BYTES = 256 * 1024


class Unpacker:
    """Takes packed bytes in and gives at most _STEP_BYTES at a time out, whatever they would unfold to."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_EITHER_FORM)
        self._packed = b""

    def feed(self, packed: bytes) -> None:
        self._packed += packed

    def take(self) -> bytes:
        """b"" where more must be fed first. Raises UpstreamFailure."""
        if not self._packed or self._inflate.eof:
            return b""
        try:
            data = self._inflate.decompress(self._packed, _STEP_BYTES)
        except zlib.error:
            raise _badly_packed() from None
        if self._inflate.unused_data:
            raise _badly_packed()
        self._packed = self._inflate.unconsumed_tail
        return data

    def finish(self) -> None:
        """Raises UpstreamFailure where the end is missing."""
        if not self._inflate.eof or self._packed:
            raise _badly_packed()


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
