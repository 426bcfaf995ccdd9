"""What web and worker processes say to each other about a call.

A frame is the call id (32 ASCII bytes), one letter, a byte offset (8 bytes, big endian) and a payload. An answer's
bytes are counted from 0: one line of JSON (exchange.Head), then the body. Offsets make a lost message visible, and
let it be asked for again.
"""

from enum import Enum

from gateway.proxy.exchange import CallEnd

HEARTBEATS = "hb"
"""Channel on which every process says twice a second that it lives. Its death shows within 3 s, the watch included."""
BEAT_S = 0.5
DEAD_AFTER_S = 2.5
_ID_LENGTH = 32
_HEADER_LENGTH = _ID_LENGTH + 1 + 8


class Kind(Enum):
    # To the web process' inbox
    STARTED = b"S"  # payload: the worker's name
    CHUNK = b"C"  # payload: bytes of the answer
    END = b"E"  # payload: 4 bytes of length, CallEnd, then the last bytes of the answer
    # To the worker's control channel
    CANCEL = b"X"  # payload: the reason, for the ledger
    PAUSE = b"P"
    RESUME = b"G"
    AGAIN = b"N"  # send again from the offset on


class Life(Enum):
    """The first byte of a heartbeat; the rest is the sender's name."""

    WORKER = b"A"
    DRAINING_WORKER = b"D"
    WEB = b"W"


_KINDS = {kind.value: kind for kind in Kind}


def pack_frame(call_id: str, kind: Kind, offset: int = 0, payload: bytes = b"") -> bytes:
    return b"%b%b%b%b" % (call_id.encode(), kind.value, offset.to_bytes(8, "big"), payload)


def unpack_frame(data: bytes) -> tuple[str, Kind, int, bytes]:
    """Call id, kind, offset and payload. Raises KeyError or UnicodeDecodeError for what is no frame."""
    return (
        data[:_ID_LENGTH].decode("ascii"),
        _KINDS[data[_ID_LENGTH : _ID_LENGTH + 1]],
        int.from_bytes(data[_ID_LENGTH + 1 : _HEADER_LENGTH], "big"),
        data[_HEADER_LENGTH:],
    )


def pack_end(end: CallEnd, tail: bytes) -> bytes:
    """The payload of an END frame."""
    encoded = end.encode()
    return len(encoded).to_bytes(4, "big") + encoded + tail


def unpack_end(payload: bytes) -> tuple[CallEnd, bytes]:
    size = 4 + int.from_bytes(payload[:4], "big")
    return CallEnd.decode(payload[4:size]), payload[size:]


def control_channel(worker: str) -> str:
    return f"wk:{worker}"


def inbox_channel(web: str) -> str:
    return f"in:{web}"
