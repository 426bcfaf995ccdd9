"""One request and what a behaviour can do with its connection."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.upstream import answers


class Dropped(Exception):
    """The connection is not to be used any more."""


@dataclass
class Exchange:
    """`options` come with the behaviour's name: `slow?chunks=40&delay=0.05`."""

    id: str
    body: dict[str, Any]
    options: Mapping[str, str]
    writer: asyncio.StreamWriter
    told_to_go_on: Callable[[], Awaitable[object]]
    has_begun: bool = False

    def number(self, name: str, default: float) -> float:
        return float(self.options.get(name, default))

    async def hold(self, place: int) -> None:
        """Where the option `hold` names this place, wait until the test says `go_on`."""
        if self.options.get("hold") == str(place):
            await self.told_to_go_on()

    @property
    def is_streamed(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def wants_usage(self) -> bool:
        return bool((self.body.get("stream_options") or {}).get("include_usage"))

    async def answer(
        self,
        status: int,
        body: bytes,
        *,
        kind: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        more = {"content-type": kind, "content-length": str(len(body)), **(headers or {})}
        self.head(status, more)
        self.writer.write(body)
        await self.writer.drain()

    async def json(self, status: int, value: Any, **headers: str) -> None:
        await self.answer(status, json.dumps(value).encode(), headers=headers)

    async def open_stream(self) -> None:
        self.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        await self.writer.drain()

    async def send(self, data: bytes) -> None:
        """Bytes of the stream as they are."""
        self.writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        await self.writer.drain()

    async def event(self, value: Any) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
        await self.send(b"data: %b\n\n" % data)

    async def choice(self, choice: dict[str, Any], **more: Any) -> None:
        await self.event(answers.chunk(self.body, self.id, [choice], **more))

    async def close_stream(self) -> None:
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    def hang_up(self) -> None:
        """End the connection politely, in the middle of whatever it was."""
        raise Dropped

    def reset(self) -> None:
        """End the connection with a TCP reset."""
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise Dropped

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        self.has_begun = True
        lines = [f"HTTP/1.1 {status} Scripted", f"x-request-id: {self.id}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode())
