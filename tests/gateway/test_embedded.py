"""The whole product in one process: its places, its beat, and what else may hold a folder or a port."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.gateway.program import Program, running
from tests.services import free_port, wait_until

CLI = "gateway.cli"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("product")


@pytest.fixture(scope="module")
def product(folder: Path) -> Iterator[Program]:
    with running(CLI, "run", "--port", str(free_port()), GATEWAY_DATA_DIR=str(folder)) as program:
        program.wait_for("curl ")
        program.wait_for("\n\n")
        yield program


def test_every_printed_place_answers(product: Program) -> None:
    places = [line.split()[-1] for line in product.text.splitlines() if line.startswith("  ")]
    urls = [word for word in places if word.startswith("http")]
    codes = {httpx.get(url).status_code for url in urls}
    assert len(urls) == 4
    assert codes <= {200, 302, 401}


def test_second_process_on_the_folder_is_refused(product: Program, folder: Path) -> None:
    with running(CLI, "run", "--port", str(free_port()), GATEWAY_DATA_DIR=str(folder)) as second:
        assert second.wait() == 1
    assert f"process {product.process.pid}) runs on the data folder" in second.text


def test_beat_has_the_worker_probe_the_demo_providers(product: Program, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "gatehouse.sqlite3")) as database:
        health = "SELECT health FROM providers_provider WHERE slug = 'demo-a'"
        wait_until(lambda: database.execute(health).fetchone() == ("healthy",), "the first probe")


def test_port_of_the_demo_is_skipped_where_it_is_taken(port: int, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + 1))
        other.listen()
        with running(CLI, "run", "--port", str(port), GATEWAY_DATA_DIR=str(tmp_path)) as program:
            program.wait_for("curl ")
            assert httpx.get(f"http://127.0.0.1:{port + 2}/demo-a/v1/models").status_code == 200
            assert program.end() == 0
