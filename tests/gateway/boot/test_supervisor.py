"""Several web processes behind one socket."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.gateway.program import Program, running
from tests.patience import HANG_S
from tests.services import free_port, wait_until


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def pair(port: int) -> Iterator[Program]:
    with running("tests.gateway.small_supervisor", str(port)) as program:
        wait_until(lambda: len(_started(program)) == 2, "starting two processes")
        yield program
        for child in _started(program):
            _kill(child)


def test_two_processes_answer_on_one_port(pair: Program, port: int) -> None:
    assert _who_answers(port) in _started(pair)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_all_of_them_with_code_0(pair: Program, number: signal.Signals) -> None:
    assert pair.end(number) == 0
    assert pair.text.count("lifespan ended") == 2
    assert pair.text.count("Press Ctrl-C again to stop now.") == 1


def test_dead_process_is_replaced(pair: Program, port: int) -> None:
    for child in _started(pair):
        _kill(child)
    wait_until(lambda: len(_started(pair)) == 4, "starting two more processes")
    assert _who_answers(port) in _started(pair)[2:]
    assert pair.end() == 0


def test_killed_process_that_forks_is_replaced_with_all_its_children(pair: Program, port: int) -> None:
    first = _started(pair)
    _kill(_parent_of(first[0]))
    wait_until(lambda: len(_started(pair)) == 4, "starting two more processes")
    wait_until(lambda: pair.text.count("lifespan ended") == 2, "the former two ending")
    assert _who_answers(port) in _started(pair)[2:]
    assert pair.end() == 0


def test_processes_end_with_a_killed_supervisor(pair: Program) -> None:
    pair.process.kill()
    wait_until(lambda: pair.text.count("lifespan ended") == 2, "ending without a supervisor")


def test_second_signal_hurries_all_of_them(pair: Program) -> None:
    pair.process.send_signal(signal.SIGINT)
    assert pair.end(signal.SIGINT) == 0


def test_processes_that_cannot_start_end_the_supervisor(port: int) -> None:
    with running("tests.gateway.small_supervisor", str(port), REFUSE_TO_START="1") as program:
        assert program.wait() == 3


def _started(program: Program) -> list[int]:
    return [int(pid) for pid in re.findall(r"^ready (\d+)$", program.text, re.MULTILINE)]


def _who_answers(port: int) -> int:
    return int(httpx.get(f"http://127.0.0.1:{port}/", timeout=HANG_S).text)


def _parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
