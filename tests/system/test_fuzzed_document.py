"""Schemathesis makes requests from the API document, good and bad, and holds the answers to it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import LONG_HANG_S
from tests.system.admin_pages import AdminPages
from tests.system.embedded import Prepared, Product

pytestmark = [pytest.mark.drill, pytest.mark.apart, pytest.mark.slow]

FOLDER = Path(__file__).parent
MANAGED = (
    "^/v1/(keys|key$|limits|budgets|allowances|team|projects|service-accounts|usage|organization|generation|credits"
    "|analytics)"
)


@pytest.fixture
def trusting_product(tmp_path: Path, prepared: Prepared) -> Iterator[Product]:
    """Behind us as its proxy: see schemathesis_hooks.py. Whoever counts tokens does so often."""
    with prepared.started(
        tmp_path / "data", GATEWAY_TRUSTED_PROXIES="127.0.0.1", GATEWAY_COUNTS_PER_MINUTE="100000"
    ) as product:
        yield product
    assert "Traceback" not in product.log, product.log


@pytest.mark.parametrize(
    ("scope", "share"), [("management", "--include-path-regex"), ("inference", "--exclude-path-regex")]
)
def test_schemathesis_finds_nothing(
    trusting_product: Product, tmp_path: Path, scope: str, share: str
) -> None:
    product = trusting_product
    with AdminPages(product.url, username="admin", password=product.admin_password) as pages:
        key = pages.issue_key("schemathesis", scope=scope)
    found = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(FOLDER / "schemathesis.toml")),
            *("run", f"{product.url}/openapi.json", "-H", f"Authorization: Bearer {key}", share, MANAGED),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(FOLDER), "SCHEMATHESIS_HOOKS": "schemathesis_hooks"},
        check=False,
        capture_output=True,
        text=True,
        timeout=LONG_HANG_S,
    )
    assert found.returncode == 0, found.stdout + found.stderr
