"""OpenAI's SDK for Python in the major version before the locked one: the same tests, once more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import LONG_HANG_S
from tests.services import require_service

FOLDER = Path(sys.prefix) / "openai-2"
TESTS = Path(__file__).with_name("test_openai_formats.py")


def run_python(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """With that version in front of what is installed."""
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(FOLDER)},
        check=False,
        capture_output=True,
        text=True,
        timeout=LONG_HANG_S,
    )


@pytest.mark.drill
def test_the_same_tests_pass_with_version_2() -> None:
    require_service("OpenAI's SDK 2 (make install)", FOLDER.is_dir())
    version = run_python("-c", "import openai; print(openai.__version__)").stdout
    assert version.startswith("2.")
    done = run_python("-m", "pytest", "-q", str(TESTS))
    assert done.returncode == 0, done.stdout + done.stderr
