"""A store between a web process and a worker of different versions: what passes through it is changed on the way."""

from collections.abc import Callable
from typing import Any

import orjson

from gateway.core.store.memory import MemoryStore
from gateway.proxy.lane.frames import Kind, pack_frame, unpack_frame

Change = Callable[[dict[str, Any]], dict[str, Any]]


def with_strange(facts: dict[str, Any]) -> dict[str, Any]:
    return {**facts, "mood": {"today": "good"}}


def without(name: str) -> Change:
    return lambda facts: {known: fact for known, fact in facts.items() if known != name}


def of_a_later_version(facts: dict[str, Any]) -> dict[str, Any]:
    return {**facts, "v": 99}


def as_it_is(facts: dict[str, Any]) -> dict[str, Any]:
    return facts


class SkewedStore(MemoryStore):
    """Changes jobs, and what comes with the one frame of a whole answer: its head and its end."""

    def __init__(self, *, job: Change = as_it_is, head: Change = as_it_is, end: Change = as_it_is) -> None:
        super().__init__()
        self._job, self._head, self._end = job, head, end

    def send_job(self, call_id: str, inbox: str, start_within_s: float, body: bytes) -> None:
        super().send_job(call_id, inbox, start_within_s, _first_line(body, self._job))

    def publish(self, channel: str, message: bytes) -> None:
        frame = unpack_frame(message)
        if frame and frame.kind is Kind.END:
            size = 4 + int.from_bytes(frame.payload[:4], "big")
            end = orjson.dumps(self._end(orjson.loads(frame.payload[4:size])))
            tail = _first_line(frame.payload[size:], self._head)
            message = pack_frame(
                frame.call_id, frame.kind, frame.offset, len(end).to_bytes(4, "big") + end + tail
            )
        super().publish(channel, message)


def _first_line(data: bytes, change: Change) -> bytes:
    line, _, rest = data.partition(b"\n")
    return orjson.dumps(change(orjson.loads(line))) + b"\n" + rest if line else data
