"""Tests in several processes: none is lost, and what one process says of them is what this one reports."""

import faulthandler
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.at_once import Watch
from tests.patience import HANG_S

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow
FINE = """
import os, pytest

@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    yield tmp_path_factory.mktemp("kept")
    with open({torn!r}, "a") as file:
        file.write("x")

@pytest.mark.parametrize("number", range(20))
def test_fine(number, kept): pass
def test_skipped(): pytest.skip("not here")
"""
BAD = """
import os

def test_fails():
    print("said before")
    assert 1 == 2
def test_dies(): os.kill(os.getpid(), 9)
def test_never(): pass
"""


def run(folder: Path, *options: str, **files: str) -> tuple[int, str]:
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-c", os.devnull, f"--rootdir={folder}"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", "-p", "tests.at_once", *options, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_every_test_runs_once_and_every_process_takes_down_what_it_set_up(tmp_path):
    torn = tmp_path / "torn"
    fine = FINE.format(torn=str(torn))
    code, said = run(tmp_path, one=fine, two=fine, three="def test_alone(): pass")
    assert (code, "41 passed, 2 skipped" in said) == (0, True), said
    assert torn.read_text() in {"x", "xx"}


def test_tests_that_are_marked_apart_are_handed_out_one_by_one(tmp_path):
    apart = """
import os, pytest, time

@pytest.mark.filterwarnings("ignore::pytest.PytestUnknownMarkWarning")
@pytest.mark.apart
@pytest.mark.parametrize("number", range(2))
def test_meets_the_other(number):
    # Each waits for the other, which one process alone could not do.
    open(f"{folder}/{number}", "w").close()
    while not os.path.exists(f"{folder}/{1 - number}"):
        time.sleep(0.01)
""".replace("{folder}", str(tmp_path))
    code, said = run(tmp_path, apart=apart)
    assert (code, "2 passed" in said) == (0, True), said


def test_files_that_are_marked_together_are_handed_out_to_one_process(tmp_path):
    together = """
import os, pytest

pytestmark = [
    pytest.mark.together("shared"), pytest.mark.filterwarnings("ignore::pytest.PytestUnknownMarkWarning")
]

def test_notes_its_process():
    with open({noted!r}, "a") as file:
        print(os.getpid(), file=file)
""".format(noted=str(tmp_path / "noted"))
    code, said = run(tmp_path, one=together, other=together, three="def test_alone(): pass")
    assert (code, "3 passed" in said) == (0, True), said
    one, other = (tmp_path / "noted").read_text().split()
    assert one == other


def test_a_process_that_dies_fails_its_test_and_what_did_not_run_is_told(tmp_path):
    code, said = run(tmp_path, bad=BAD, fine="def test_alone(): pass")
    assert (code, "2 failed, 1 passed" in said) == (1, True), said
    assert "assert 1 == 2" in said
    assert "said before" in said
    assert "The process that ran this test ended with -9." in said
    assert "1 tests did not run" in said


def test_the_first_failure_ends_them_all_where_that_is_asked_for(tmp_path):
    code, said = run(tmp_path, "-x", bad=BAD)
    assert (code, "1 failed" in said) == (1, True), said
    assert "stopping after 1 failures" in said


def test_a_test_that_hangs_ends_its_process_and_is_shown_where_it_hangs(tmp_path):
    hanging = "import threading\ndef test_hangs(): threading.Event().wait()"
    options = [f"--override-ini=faulthandler_{each}" for each in ("timeout=4", "exit_on_timeout=true")]
    code, said = run(tmp_path, *options, hanging=hanging)
    assert (code, "1 failed" in said) == (1, True), said
    assert "Timeout (0:00:04.4" in said
    assert "in test_hangs" in said
    assert "The process that ran this test ended with 1." in said


def test_the_clock_of_a_hang_is_set_anew_where_a_tenth_of_it_is_over(monkeypatch):
    set_for: list[float] = []
    monkeypatch.setattr(
        faulthandler, "dump_traceback_later", lambda timeout_s, **_: set_for.append(timeout_s)
    )
    watch = Watch(10)
    for now in (100.0, 100.5, 100.9, 101.0, 101.9, 150.0):
        watch.begin(now)
    assert set_for == [11.0, 11.0, 11.0]
