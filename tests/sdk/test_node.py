"""SDKs for Node: their tests are in the folder `node`, with a lock file of their own."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tests.patience import LONG_HANG_S
from tests.sdk.house import House
from tests.services import require_service
from tests.system.admin_pages import AdminPages
from tests.system.embedded import Product

FOLDER = Path(__file__).parent / "node"


def run_tests(file: str, environment: dict[str, str], *, folder: Path = FOLDER) -> int:
    """How many there are and have passed; none has failed."""
    node = shutil.which("node")
    require_service("Node.js", node is not None)
    require_service("SDKs for Node (npm ci --prefix tests/sdk/node)", (FOLDER / "node_modules/ai").is_dir())
    done = subprocess.run(
        [str(node), "--test", "--test-reporter=tap", file],
        cwd=folder,
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=LONG_HANG_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed, done.stdout
    return int(passed[1])


def test_openais_sdk_works_unchanged(product: Product, limited_keys: list[str]) -> None:
    keys = {"GATEHOUSE_KEY": product.key, "GATEHOUSE_LIMITED_KEY": limited_keys[1]}
    assert run_tests("openai.test.js", {**keys, "GATEHOUSE_URL": product.url}) == 16


def test_openais_sdk_reads_usage_and_costs(product: Product) -> None:
    with AdminPages(product.url, username="admin", password=product.admin_password) as pages:
        reader = pages.issue_key("reader of usage", scopes="usage")
    keys = {"GATEHOUSE_KEY": product.key, "GATEHOUSE_USAGE_KEY": reader}
    assert run_tests("usage.test.js", {**keys, "GATEHOUSE_URL": product.url}) == 3


def test_vercels_ai_sdk_reaches_every_wire_format(house: House) -> None:
    assert run_tests("ai.test.js", {"GATEHOUSE_KEY": house.key, "GATEHOUSE_URL": house.url}) == 87
