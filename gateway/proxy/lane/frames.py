"""What web and worker processes say to each other about a call.

A frame is the call id (32 ASCII bytes), one letter, a byte offset (8 bytes, big endian) and a payload. An answer's
bytes are counted from 0: one line of JSON (ResponseHead), then the body. Offsets make a lost message visible, and
let it be asked for again. A reader may be of another version than the writer (gateway.core.codec): what is no frame
to it is passed over.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from gateway.proxy.exchange import CallResult

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
    END = b"E"  # payload: 4 bytes of length, CallResult, then the last bytes of the answer
    FORGOTTEN = b"F"  # payload: the worker's name; it was asked to send a call again that it does not know
    # To the worker's control channel
    TAKEN = b"T"  # the last bytes are with the client; payload: ids of more calls of which that is so
    CANCEL = b"X"  # payload: the reason, for the ledger
    PAUSE = b"P"
    RESUME = b"G"
    AGAIN = b"N"  # send again from the offset on; payload: the inbox that asks


class Life(Enum):
    """The first byte of a heartbeat; the rest is the sender's name."""

    WORKER = b"A"
    DRAINING_WORKER = b"D"
    WEB = b"W"


_KINDS = {kind.value: kind for kind in Kind}


def pack_frame(call_id: str, kind: Kind, offset: int = 0, payload: bytes = b"") -> bytes:
    return b"%b%b%b%b" % (call_id.encode(), kind.value, offset.to_bytes(8, "big"), payload)


class Frame(NamedTuple):
    call_id: str
    kind: Kind
    offset: int
    payload: bytes


def unpack_frame(data: bytes) -> Frame | None:
    """None for what is no frame, or one of a kind that this version does not know."""
    kind = _KINDS.get(data[_ID_LENGTH : _ID_LENGTH + 1])
    if kind is None or len(data) < _HEADER_LENGTH or not data[:_ID_LENGTH].isascii():
        return None
    offset = int.from_bytes(data[_ID_LENGTH + 1 : _HEADER_LENGTH], "big")
    return Frame(data[:_ID_LENGTH].decode(), kind, offset, data[_HEADER_LENGTH:])


def pack_end(end: CallResult, tail: bytes) -> bytes:
    """The payload of an END frame."""
    encoded = end.encode()
    return len(encoded).to_bytes(4, "big") + encoded + tail


def unpack_end(payload: bytes) -> tuple[CallResult, bytes]:
    """Raises Unreadable."""
    size = 4 + int.from_bytes(payload[:4], "big")
    return CallResult.decode(payload[4:size]), payload[size:]


def pack_taken(call_ids: Sequence[str]) -> bytes:
    first, *more = call_ids
    return pack_frame(first, Kind.TAKEN, payload="".join(more).encode())


def taken_ids(call_id: str, payload: bytes) -> list[str]:
    """The calls of a TAKEN frame."""
    more = payload.decode()
    return [call_id, *(more[at : at + _ID_LENGTH] for at in range(0, len(more), _ID_LENGTH))]


def control_channel(worker: str) -> str:
    return f"wk:{worker}"


def inbox_channel(web: str) -> str:
    return f"in:{web}"
