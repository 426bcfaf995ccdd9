"""What docs/operating.md promises is proved by the tests that it names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TABLE = (ROOT / "docs" / "operating.md").read_text("utf-8").partition("## What happens when")[2]
ROWS = [line for line in TABLE.splitlines() if line.startswith("| ")][1:]
TESTS = frozenset(
    name
    for file in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
)


@pytest.mark.parametrize("row", ROWS, ids=[row.split("|")[1].strip() for row in ROWS])
def test_each_line_of_what_happens_when_names_a_test(row: str) -> None:
    (name,) = re.findall(r"`(test_\w+)`", row)
    assert name in TESTS


def test_the_image_installs_the_locked_packages_and_what_buckets_need() -> None:
    locked, image = (
        set(re.findall(r"^(\S+)==(\S+)", (ROOT / name).read_text("utf-8"), re.MULTILINE))
        for name in ("requirements.lock", "requirements-s3.lock")
    )
    assert locked < image
    assert {name for name, _ in image - locked} == {"obstore"}
    assert "-r requirements-s3.lock" in (ROOT / "Dockerfile").read_text("utf-8")
