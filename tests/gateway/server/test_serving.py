"""The web server: addresses that cannot be had, and how a signal ends it."""

import signal
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from gateway.server.serving import CannotStart, bind, url_of
from tests.gateway.program import Program, accepts, running
from tests.patience import HANG_S
from tests.services import free_port, wait_until

SERVER = "tests.gateway.small_server"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def server(port: int) -> Iterator[Program]:
    with running(SERVER, str(port), SLOW_S="1") as program:
        program.wait_for("ready")
        yield program


class SlowCall:
    """A call to /slow that has received its first bytes, in a thread of its own."""

    def __init__(self, port: int) -> None:
        self.received, self.error = b"", ""
        self._url = f"http://127.0.0.1:{port}/slow"
        self._thread = threading.Thread(target=self._call)
        self._thread.start()
        wait_until(lambda: bool(self.received), "the first bytes")

    def wait(self) -> bytes:
        self._thread.join(HANG_S)
        return self.received

    def _call(self) -> None:
        try:
            with httpx.stream("GET", self._url, timeout=HANG_S) as answer:
                for chunk in answer.iter_raw():
                    self.received += chunk
        except httpx.HTTPError as error:
            self.error = str(error)


def test_port_of_a_server_that_only_starts_is_taken(port: int) -> None:
    with bind("127.0.0.1", port), pytest.raises(CannotStart, match="is taken"):
        bind("127.0.0.1", port)


def test_taken_port_is_named_with_the_way_out(port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(CannotStart, match=f"Port {port} on 127.0.0.1 is taken.*PORT="):
            bind("127.0.0.1", port)


def test_foreign_address_is_refused() -> None:
    with pytest.raises(CannotStart, match="Set HOST"):
        bind("192.0.2.1", 8000)


def test_host_that_is_no_address_is_refused() -> None:
    with pytest.raises(CannotStart, match="not an address here"):
        bind("not an address", 8000)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("gateway.example", "http://gateway.example:8000"),
    ],
)
def test_printed_address_can_be_opened_on_this_machine(host: str, url: str) -> None:
    assert url_of(host, 8000) == url


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_idle_server_ends_with_code_0(server: Program, number: signal.Signals) -> None:
    assert server.end(number) == 0
    assert "lifespan ended" in server.text


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_open_call_is_finished_before_the_server_ends(
    server: Program, port: int, number: signal.Signals
) -> None:
    call = SlowCall(port)
    assert server.end(number) == 0
    assert call.wait() == f"open {server.process.pid}".encode()


def test_draining_server_takes_no_new_connection(server: Program, port: int) -> None:
    call = SlowCall(port)
    server.process.send_signal(signal.SIGTERM)
    server.wait_for("draining")
    wait_until(lambda: not accepts(port), "closing the listener")
    call.wait()


def test_second_signal_ends_open_calls_and_still_runs_the_shutdown(port: int) -> None:
    with running(SERVER, str(port), SLOW_S="60") as server:
        server.wait_for("ready")
        call = SlowCall(port)
        server.process.send_signal(signal.SIGINT)
        server.wait_for("draining")
        assert server.end(signal.SIGINT) == 0
        call.wait()
    assert "settled" in server.text
    assert "lifespan ended" in server.text


def test_failed_startup_ends_with_an_error_code(port: int) -> None:
    with running(SERVER, str(port), REFUSE_TO_START="1") as server:
        assert server.wait() == 3
