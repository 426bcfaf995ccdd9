"""A provider that writes raw bytes, whatever they are, and then does with its connection what a test says."""

import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.patience import HANG_S

CLOSE, HANG, RESET = "close", "hang", "reset"
# Or the next call might still come in before the connection is closed.
_ONLY = "connection: close\r\n"
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


@dataclass
class RawProvider:
    """Every request gets `answer`, head and all, and then the end. `asked` counts them; `hold` ends those that hang."""

    answer: bytes = b""
    then: str = CLOSE
    asked: int = 0
    base_url: str = ""
    hold: threading.Event = field(default_factory=threading.Event)

    def refuse(self, status: int, headers: str, body: bytes, then: str = CLOSE) -> None:
        self.answer = f"HTTP/1.1 {status} No\r\n{_ONLY}{headers}\r\n".encode() + body
        self.then = then

    def stream(self, body: bytes, then: str = CLOSE) -> None:
        """In chunks; closing it politely ends them."""
        said = (
            f"HTTP/1.1 200 OK\r\n{_ONLY}content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        head = said.encode()
        end = b"0\r\n\r\n" if then == CLOSE else b""
        self.answer, self.then = head + b"%x\r\n%b\r\n" % (len(body), body) + end, then

    def serve(self, connection: socket.socket) -> None:
        with connection:
            if not _read_request(connection):
                return
            self.asked += 1
            connection.sendall(self.answer)
            if self.then == HANG:
                self.hold.wait(HANG_S)
            elif self.then == RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def raw_provider() -> Iterator[RawProvider]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    provider = RawProvider(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}/v1")

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=provider.serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.hold.set()
        # Closing alone does not wake who waits in accept.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(HANG_S)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (piece := connection.recv(65536)):
            return b""
        data += piece
    found = _LENGTH.search(data)
    missing = int(found.group(1)) if found else 0
    missing -= len(data.partition(b"\r\n\r\n")[2])
    while missing > 0 and (piece := connection.recv(65536)):
        data, missing = data + piece, missing - len(piece)
    return data
