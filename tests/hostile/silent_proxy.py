"""A TCP proxy that can fall silent, as a network does after a firewall's drop or a failover: it closes nothing."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
_CHUNK_BYTES = 65_536


class SilentProxy:
    """Stands in front of a server at `target_port`. Tests of PostgreSQL and Redis put its URL in place of theirs.

    While it is silent it accepts connections and takes, and so acknowledges, all that either side sends, and
    passes nothing on. A connection that lost bytes stays mute for ever, also once the proxy speaks again.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._is_silent = threading.Event()
        self._swallows_answers_only = False
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server((LOOPBACK, 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        """How many connections there have been."""
        self._start(self._accept)

    def url(self, target: str) -> str:
        """The URL of the server behind, by way of this proxy."""
        there = urlsplit(target)
        return there._replace(netloc=there.netloc.replace(f":{there.port}", f":{self.port}")).geturl()

    def silence(self, *, answers_only: bool = False) -> None:
        """`answers_only`: what is asked still arrives, so that work is done and nobody hears of it."""
        self._swallows_answers_only = answers_only
        self._is_silent.set()

    def speak(self) -> None:
        self._is_silent.clear()

    def close(self) -> None:
        for held in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
            held.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.accepted += 1
                self._sockets.append(client)
                self._start(self._join, client)

    def _join(self, client: socket.socket) -> None:
        """The server hears of a connection with its first bytes: not of one that begins in silence."""
        with contextlib.suppress(OSError):
            if not (first := client.recv(_CHUNK_BYTES)):
                return
            if self._is_silent.is_set() and not self._swallows_answers_only:
                while client.recv(_CHUNK_BYTES):
                    """Acknowledged, and lost."""
                return
            server = socket.create_connection((LOOPBACK, self._target_port))
            self._sockets.append(server)
            server.sendall(first)
            is_mute = threading.Event()
            self._start(self._pass_on, server, client, is_mute, True)
            self._pass_on(client, server, is_mute, False)

    def _pass_on(
        self, source: socket.socket, target: socket.socket, is_mute: threading.Event, is_answer: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK_BYTES):
                if self._is_silent.is_set() and (is_answer or not self._swallows_answers_only):
                    is_mute.set()
                if not is_mute.is_set() or (self._swallows_answers_only and not is_answer):
                    target.sendall(data)
            # An end is a byte too: in silence nobody hears of it.
            if not is_mute.is_set() and not self._is_silent.is_set():
                target.shutdown(socket.SHUT_WR)

    def _start(self, work: object, *arguments: object) -> None:
        threading.Thread(target=work, args=arguments, daemon=True).start()  # type: ignore[arg-type]


@contextlib.contextmanager
def silent_proxy(target_port: int) -> Iterator[SilentProxy]:
    proxy = SilentProxy(target_port)
    try:
        yield proxy
    finally:
        proxy.close()
