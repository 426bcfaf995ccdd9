"""A SIEM on a socket: what it was sent by UDP, TCP or TLS, message by message."""

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from tests.services import LOOPBACK


@dataclass
class Siem:
    port: int
    messages: list[bytes] = field(default_factory=list)
    breaks_off: bool = False
    """It closes without having read."""

    def ids(self) -> list[str]:
        """Of the entries that it has, in the order in which they came."""
        return [match[1] for each in self.messages if (match := re.search(r' id="(aud_\d+)"', each.decode()))]


@contextmanager
def listening(*, tls: ssl.SSLContext | None = None) -> Iterator[Siem]:
    server = socket.create_server((LOOPBACK, 0))
    found = Siem(server.getsockname()[1])
    thread = threading.Thread(target=_take_all, args=(server, found, tls), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        # Shutting a listening socket down wakes whoever waits for it.
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


@contextmanager
def listening_for_datagrams() -> Iterator[Siem]:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as server:
        server.bind((LOOPBACK, 0))
        server.settimeout(1)
        found = Siem(server.getsockname()[1])
        stop = threading.Event()
        thread = threading.Thread(target=_take_datagrams, args=(server, found, stop), daemon=True)
        thread.start()
        try:
            yield found
        finally:
            stop.set()
            with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as waker:
                waker.sendto(b"", (LOOPBACK, found.port))
            thread.join()


def _take_datagrams(server: socket.socket, found: Siem, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            data = server.recv(65_536)
        except TimeoutError:
            continue
        found.messages += [data] if data else []


def _take_all(server: socket.socket, found: Siem, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            stream, _ = server.accept()
        except OSError:
            return
        with closing(stream):
            if found.breaks_off:
                # Unread bytes at a close are answered by a reset.
                stream.recv(1)
                continue
            try:
                with closing(tls.wrap_socket(stream, server_side=True)) if tls else closing(stream) as taken:
                    found.messages += _messages(_read_all(taken))
            except OSError:
                continue


def _read_all(stream: socket.socket) -> bytes:
    data = b""
    while part := stream.recv(65_536):
        data += part
    return data


def _messages(data: bytes) -> Iterator[bytes]:
    """Source: RFC 6587, octet counting."""
    while data:
        length, _, data = data.partition(b" ")
        yield data[: int(length)]
        data = data[int(length) :]
