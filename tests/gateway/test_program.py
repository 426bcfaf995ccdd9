"""Programs of ours run with what production has, though the tests' tools are installed beside it."""

import re
from importlib.metadata import packages_distributions

import pytest

from tests.gateway.program import HIDDEN, ROOT, running


def test_a_program_finds_nothing_that_only_tools_of_the_tests_need() -> None:
    tries = [
        f"try: import {name}\nexcept ImportError: pass\nelse: raise SystemExit('{name}')" for name in HIDDEN
    ]
    with running("timeit", "-n1", "-r1", "\n".join(tries)) as program:
        assert program.wait() == 0, program.text


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-s3.lock"])
def test_nothing_is_hidden_that_is_installed_in_production(lock: str) -> None:
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / lock).read_text(), re.MULTILINE))
    installed = packages_distributions()
    assert locked
    assert not [name for name in HIDDEN if locked & {each.lower() for each in installed.get(name, [])}]
