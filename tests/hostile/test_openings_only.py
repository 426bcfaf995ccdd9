"""A provider that opens an answer and then only shows that it lives: patience is counted from what says something."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from providers.engine import Timeouts
from tests.gateway.proxy.edge import recorded, running_edge
from tests.gateway.proxy.values import a_model, a_provider, an_offering
from tests.hostile.sdk_readers import read_bytes
from tests.patience import HANG_S

IMPATIENT = Timeouts(connect_s=30, first_byte_s=0.5, idle_s=30, total_s=300)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
OPENING = {
    "anthropic": b'data: {"type":"message_start","message":{"id":"m","content":[],"usage":{}}}\n\n',
    "responses": b'data: {"type":"response.created","response":{"id":"r"}}\n\n',
    "openai": b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n',
}
LIFE = b'data: {"type":"ping","choices":[{"index":0,"delta":{"content":""}}]}\n\n: here\n\n'


@contextmanager
def dripping(opening: bytes) -> Iterator[str]:
    """Signs of life until the other end has had enough."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            connection.recv(65536)
            connection.sendall(HEAD + opening)
            while True:
                time.sleep(0.02)
                connection.sendall(LIFE)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        listener.close()
        thread.join(HANG_S)


@pytest.mark.parametrize("spoken", list(OPENING))
def test_signs_of_life_are_no_answer(spoken):
    with dripping(OPENING[spoken]) as url:
        facts = a_provider(1, base_url=url, wire_format=spoken)
        offering = an_offering(1, max_output_tokens=1000)
        with running_edge([a_model(offerings=(offering,))], [facts], timeouts=IMPATIENT) as edge:
            answer = read_bytes(edge, spoken)
            assert (answer.status_code, recorded(edge).error_code) == (504, "provider_stalled")
