"""The whole product in one process: that it answers, refuses a second one, and ends."""

import json
import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway.program import Program, call_from, curl_line_of, running
from tests.services import free_port, wait_until

CLI = "gateway.cli"


@pytest.fixture
def port() -> int:
    return free_port()


def slow_stream(product: Program) -> dict[str, Any]:
    """The pasted call as a stream of two seconds."""
    request = call_from(curl_line_of(product.text))
    body = json.loads(request.content) | {"stream": True, "demo": {"chunks": 20, "chunk_delay_ms": 100}}
    return {
        "method": "POST",
        "url": request.url,
        "json": body,
        "headers": {"authorization": request.headers["authorization"]},
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("product")


@pytest.fixture(scope="module")
def product(folder: Path) -> Iterator[Program]:
    with running(CLI, "run", "--port", str(free_port()), GATEWAY_DATA_DIR=str(folder)) as program:
        program.wait_for("curl ")
        program.wait_for("\n\n")
        yield program


def test_pasted_line_answers_through_the_embedded_worker(product: Program) -> None:
    with httpx.Client() as client:
        answer = client.send(call_from(curl_line_of(product.text)))
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"]
    assert answer.headers["x-gateway-lane"] == "worker"


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


def test_second_process_on_the_port_is_refused(product: Program, tmp_path: Path) -> None:
    port = call_from(curl_line_of(product.text)).url.port
    with running(CLI, "run", "--port", str(port), GATEWAY_DATA_DIR=str(tmp_path)) as second:
        assert second.wait() == 1
    assert f"Port {port} on 127.0.0.1 is taken" in second.text


def test_beat_has_the_worker_probe_the_demo_providers(product: Program, folder: Path) -> None:
    with closing(sqlite3.connect(folder / "gatehouse.sqlite3")) as database:
        health = "SELECT health FROM providers_provider WHERE slug = 'demo-a'"
        wait_until(lambda: database.execute(health).fetchone() == ("healthy",), "the first probe")


def test_ctrl_c_lets_an_open_stream_end_and_the_next_start_prints_no_secret(
    port: int, tmp_path: Path
) -> None:
    with running(CLI, "run", "--port", str(port), GATEWAY_DATA_DIR=str(tmp_path)) as product:
        product.wait_for("curl ")
        with httpx.stream(**slow_stream(product), timeout=30) as answer:
            lines = answer.iter_lines()
            next(lines)
            product.process.send_signal(signal.SIGINT)
            assert list(lines)[-2:] == ["data: [DONE]", ""]
        assert product.wait() == 0
        assert "Traceback" not in product.text
    with running(CLI, "run", "--port", str(port), GATEWAY_DATA_DIR=str(tmp_path)) as second:
        second.wait_for("$GATEWAY_KEY")
        assert "sk-gw-" not in second.text
        assert second.end(signal.SIGTERM) == 0


def test_port_of_the_demo_is_skipped_where_it_is_taken(port: int, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + 1))
        other.listen()
        with running(CLI, "run", "--port", str(port), GATEWAY_DATA_DIR=str(tmp_path)) as program:
            program.wait_for("curl ")
            assert httpx.get(f"http://127.0.0.1:{port + 2}/demo-a/v1/models").status_code == 200
            assert program.end() == 0
