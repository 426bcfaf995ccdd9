"""OpenAI's SDK for Node: its tests are in the folder `node`, with a lock file of their own."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.services import require_service
from tests.system.embedded import Product

FOLDER = Path(__file__).parent / "node"


def test_nodes_sdk_works_unchanged(product: Product, limited_keys: list[str]) -> None:
    node = shutil.which("node")
    require_service("Node.js", node is not None)
    require_service("openai for Node (npm ci --prefix tests/sdk/node)", (FOLDER / "node_modules").is_dir())
    keys = {"GATEHOUSE_KEY": product.key, "GATEHOUSE_LIMITED_KEY": limited_keys[1]}
    done = subprocess.run(
        [str(node), "--test", "--test-reporter=tap", "openai.test.js"],
        cwd=FOLDER,
        env={**os.environ, **keys, "GATEHOUSE_URL": product.url},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 16" in done.stdout, done.stdout
