"""Fixtures of the providers' tests: a demo server on a real socket, and keys that encrypt credentials."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cryptography.fernet import Fernet

from providers.demo.app import NAMES
from providers.demo.behaviour import Behaviour
from providers.demo.server import build_server
from tests.patience import HANG_S


@pytest.fixture
def credential_key(settings: Any) -> str:
    """The only key; a test of rotation puts a newer one before it."""
    key = Fernet.generate_key().decode()
    settings.CREDENTIAL_KEYS = [key]
    return key


@pytest.fixture
def demo_port(demo_server: int) -> Iterator[int]:
    """The port of a demo server that behaves as it does by itself."""
    yield demo_server
    for name in NAMES:
        url = f"http://127.0.0.1:{demo_server}/{name}/control"
        httpx.post(url, json=Behaviour().shown(), trust_env=False)


@pytest.fixture(scope="session")
def demo_server() -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = build_server("127.0.0.1", 0)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(HANG_S)
    listener.close()
