"""The whole product in one process: its places, its beat, and what else may hold a folder or a port."""

import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from gateway.boot import demo
from gateway.server.serving import CannotStart
from tests.gateway.program import Program, running
from tests.services import free_port, wait_until
from tests.system.embedded import Prepared

CLI = "gateway.cli"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, prepared: Prepared) -> Path:
    return prepared.copied(tmp_path_factory.mktemp("product") / "data")


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
    assert len(urls) == 5
    assert codes <= {200, 302, 401}


def test_second_process_on_the_folder_is_refused(product: Program, folder: Path) -> None:
    with running(CLI, "run", "--port", str(free_port()), GATEWAY_DATA_DIR=str(folder)) as second:
        assert second.wait() == 1
    assert f"process {product.process.pid}) runs on the data folder" in second.text


def test_beat_has_the_worker_probe_the_demo_providers(product: Program, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "gatehouse.sqlite3")) as database:
        health = "SELECT health FROM providers_provider WHERE slug = 'demo-a'"
        wait_until(lambda: database.execute(health).fetchone() == ("healthy",), "the first probe")


def test_demo_goes_to_a_later_port_where_its_own_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken: int = other.getsockname()[1]
        with demo.bind_near(taken) as listener:
            assert taken < listener.getsockname()[1] < taken + demo.PORTS_TRIED


def test_fixed_port_of_the_demo_is_not_exchanged_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("GATEWAY_DEMO_PORT", str(other.getsockname()[1]))
        with pytest.raises(CannotStart, match="is taken"):
            demo.bind_near(8001)
