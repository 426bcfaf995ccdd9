"""The `gatehouse` command: what it refuses and with what words, and what it prints."""

import fcntl
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import Mock

import httpx
import psycopg
import pytest

from gateway import cli
from gateway.boot import greeting, preparing
from gateway.boot.first_run import Issued
from gateway.server.serving import CannotStart
from tests.gateway.program import accepts, call_from, running
from tests.patience import HANG_S
from tests.services import free_port, wait_until
from tests.system.embedded import Prepared

CLI = "gateway.cli"


@pytest.fixture
def port() -> int:
    return free_port()


def test_pasted_line_carries_key_and_body() -> None:
    request = call_from(greeting.curl_line("http://127.0.0.1:8000", "sk-gw-x"))
    assert request.headers["authorization"] == "Bearer sk-gw-x"
    assert b'"demo/chat"' in request.content


def test_line_without_a_key_reads_it_from_the_shell() -> None:
    assert '"Authorization: Bearer $GATEWAY_KEY"' in greeting.curl_line("http://127.0.0.1:8000", None)


def test_nothing_is_printed_of_secrets_that_were_not_made() -> None:
    assert greeting.secrets_text(Issued()) == ""


@pytest.mark.parametrize("missing", ["DATABASE_URL", "REDIS_URL"])
def test_several_processes_are_refused_without_their_services(port: int, missing: str) -> None:
    services = {"DATABASE_URL": "postgres://127.0.0.1/x", "REDIS_URL": "redis://127.0.0.1/0", missing: ""}
    with running(CLI, "web", "--workers", "2", "--port", str(port), **services) as program:
        assert program.wait() == 1
    assert f"2 web processes need {missing}:" in program.text


def test_several_processes_say_that_they_need_a_folder_for_temporary_files(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", Mock(side_effect=FileNotFoundError))
    services = {"DATABASE_URL": "postgres://127.0.0.1/x", "REDIS_URL": "redis://127.0.0.1/0"}
    for name, text in {**services, "HOST": "127.0.0.1", "PORT": str(port)}.items():
        monkeypatch.setenv(name, text)
    with pytest.raises(CannotStart, match="Mount one at /tmp, or name one in TMPDIR"):
        cli.web(cli._parser().parse_args(["web", "--workers", "2"]))


def test_folder_that_cannot_be_written_is_named(port: int, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "data"
    with running(CLI, "run", "--port", str(port), GATEWAY_DATA_DIR=str(folder)) as program:
        assert program.wait() == 1
    assert f"gatehouse: The data folder {folder} cannot be used" in program.text
    assert "Traceback" not in program.text


def test_bad_variable_is_named(port: int, tmp_path: Path) -> None:
    with running(
        CLI, "run", "--port", str(port), GATEWAY_DATA_DIR=str(tmp_path), GATEWAY_CHAT_LANE="fast"
    ) as program:
        assert program.wait() == 1
    assert "GATEWAY_CHAT_LANE is 'fast'; use one of auto, worker, direct." in program.text


def test_unreachable_database_is_named(port: int, tmp_path: Path) -> None:
    url = f"postgres://gatehouse@127.0.0.1:{free_port()}/nowhere"
    with running(
        CLI, "run", "--port", str(port), GATEWAY_DATA_DIR=str(tmp_path), DATABASE_URL=url
    ) as program:
        assert program.wait() == 1
    assert "nowhere cannot be used" in program.text
    assert "Check that it runs and that DATABASE_URL names it" in program.text
    assert "Traceback" not in program.text


def test_web_refuses_a_database_that_is_not_prepared(port: int, tmp_path: Path) -> None:
    with running(CLI, "web", "--port", str(port), GATEWAY_DATA_DIR=str(tmp_path)) as program:
        assert program.wait() == 1
    assert "Run 'gatehouse prepare' first." in program.text


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "The database is not prepared for this version. Run 'gatehouse prepare' first."),
        ({"DATABASE_URL": "postgres://gatehouse@127.0.0.1:1/nowhere"}, "1/nowhere cannot be used"),
        ({"GATEWAY_DRAIN_S": "soon"}, "GATEWAY_DRAIN_S is 'soon'; use a number."),
    ],
)
def test_command_of_django_says_in_a_sentence_what_it_lacks(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    with running("manage", "close_month", "2026-10", GATEWAY_DATA_DIR=str(tmp_path), **variables) as program:
        assert program.wait() == 1
    assert "manage.py: " in program.text
    assert said in program.text
    assert "Traceback" not in program.text


def test_demo_alone_answers_and_ends_with_code_0(port: int) -> None:
    with running(CLI, "demo", "--port", str(port)) as program:
        url = f"http://127.0.0.1:{port}/demo-a/v1/models"
        wait_until(lambda: accepts(port), "starting the demo provider")
        assert httpx.get(url).status_code == 200
        assert program.end(signal.SIGINT) == 0


def test_prepare_prints_secrets_once(prepared: Prepared, tmp_path: Path) -> None:
    with running(CLI, "prepare", GATEWAY_DATA_DIR=str(prepared.copied(tmp_path / "data"))) as second:
        assert second.wait() == 0
    assert all(prepared.secrets.values())
    assert "sk-gw-" not in second.text


@contextmanager
def being_prepared(database_url: str, folder: Path) -> Iterator[None]:
    """As by another process."""
    if database_url:
        with psycopg.connect(database_url) as holder:
            holder.execute("SELECT pg_advisory_lock(%s)", [preparing._LOCK])
            yield
    else:
        with (folder / "gatehouse.preparing").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


@pytest.mark.drill
@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_of_three_at_once_one_prepares_and_the_others_wait_and_say_so(
    vendor: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres_url") if vendor == "postgresql" else ""
    # With Redis, as on several machines: else the data folder alone would put them into a line.
    settings = {"GATEWAY_DATA_DIR": str(tmp_path), "DATABASE_URL": url}
    if url:
        settings["REDIS_URL"] = "redis://127.0.0.1:1/0"
    with ExitStack() as stack:
        with being_prepared(url, tmp_path):
            programs = [stack.enter_context(running(CLI, "prepare", **settings)) for _ in range(3)]
            for program in programs:
                program.wait_for(preparing.WAITING, HANG_S)
        assert [program.wait(HANG_S) for program in programs] == [0, 0, 0]
    assert sorted("sk-gw-" in program.text for program in programs) == [False, False, True]
    assert sorted("prepared already" in program.text for program in programs) == [False, True, True]
