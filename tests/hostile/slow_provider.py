"""A provider that takes all the time there is: connections are accepted and answered in drops, or never."""

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field

NEVER: tuple[bytes, ...] = ()


def endless_head() -> Iterable[bytes]:
    """A status line, and then one header line after the other."""
    yield b"HTTP/1.1 200 OK\r\n"
    for number in itertools.count():
        yield b"x-slow-%d: more\r\n" % number


def endless_body() -> Iterable[bytes]:
    yield b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"
    yield from itertools.repeat(b" ")


@dataclass
class SlowProvider:
    """In a `with`, on a free port. It begins to speak at once, and then says something every `pause_s`."""

    drops: Iterable[bytes] = NEVER
    pause_s: float = 0.05
    asked: int = 0
    """Connections that came so far."""
    open: set[socket.socket] = field(default_factory=set)
    most_at_once: int = 0

    def __enter__(self) -> "SlowProvider":
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Hang up on all, and listen no more. Safe to repeat."""
        self._ended.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def base_url(self) -> str:
        return f"http://{self.address}/v1"

    def _accept(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                self.asked += 1
                self.open.add(connection)
                self.most_at_once = max(self.most_at_once, len(self.open))
                threading.Thread(target=self._drip, args=[connection], daemon=True).start()

    def _drip(self, connection: socket.socket) -> None:
        connection.settimeout(self.pause_s)
        drops = iter(self.drops)
        with contextlib.suppress(OSError), connection:
            while not self._ended.is_set() and not _has_left(connection):
                connection.sendall(next(drops, b""))
        self.open.discard(connection)


def _has_left(connection: socket.socket) -> bool:
    """Within a pause; what was asked is of no interest."""
    try:
        return not connection.recv(65_536)
    except TimeoutError:
        return False
