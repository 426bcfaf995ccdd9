"""What is written in one turn of the loop leaves at its end, in order and together."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.core.batched_writes import BatchingTransport


class Recording(asyncio.Transport):
    """Takes everything at once, and remembers how it came."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.is_over = False
        self.waiting_bytes = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.is_over = True

    def abort(self) -> None:
        self.is_over = True

    def is_closing(self) -> bool:
        return self.is_over

    def get_write_buffer_size(self) -> int:
        return self.waiting_bytes


Act = Callable[[BatchingTransport, Recording], Awaitable[None]]


def sent_by(act: Act) -> list[bytes]:
    async def run() -> list[bytes]:
        recording = Recording()
        await act(BatchingTransport(recording, asyncio.get_running_loop()), recording)
        await asyncio.sleep(0)
        return recording.sent

    return asyncio.run(run())


def test_writes_of_one_turn_leave_together() -> None:
    async def act(transport: BatchingTransport, recording: Recording) -> None:
        transport.write(b"head ")
        transport.write(b"body")
        assert recording.sent == []
        assert transport.get_write_buffer_size() == 9
        await asyncio.sleep(0)
        assert transport.get_write_buffer_size() == 0
        transport.write(b"next")

    assert sent_by(act) == [b"head body", b"next"]


def test_what_the_other_end_has_taken_is_counted() -> None:
    async def act(transport: BatchingTransport, recording: Recording) -> None:
        transport.write(b"first")
        assert transport.sent_bytes == 0
        await asyncio.sleep(0)
        assert transport.sent_bytes == 5
        transport.write(b"second")
        recording.waiting_bytes = 4
        await asyncio.sleep(0)
        assert transport.sent_bytes == 7

    sent_by(act)


def test_much_leaves_at_once_so_that_writing_can_be_paused() -> None:
    async def act(transport: BatchingTransport, recording: Recording) -> None:
        transport.write(b"a")
        transport.write(bytes(64 * 1024))
        assert [len(sent) for sent in recording.sent] == [64 * 1024 + 1]
        transport.write(b"b")

    assert sent_by(act)[1:] == [b"b"]


def test_closing_sends_what_waits_and_aborting_does_not() -> None:
    async def close(transport: BatchingTransport, _: Recording) -> None:
        transport.write(b"last words")
        transport.close()

    async def abort(transport: BatchingTransport, _: Recording) -> None:
        transport.write(b"last words")
        transport.abort()

    assert sent_by(close) == [b"last words"]
    assert sent_by(abort) == []


@pytest.mark.parametrize("is_lost_first", [True, False])
def test_nothing_is_written_to_a_connection_that_is_lost(is_lost_first: bool) -> None:
    async def act(transport: BatchingTransport, recording: Recording) -> None:
        recording.is_over = is_lost_first
        transport.write(b"too late")
        recording.is_over = True

    assert sent_by(act) == []
