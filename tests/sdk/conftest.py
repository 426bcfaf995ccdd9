"""What both SDKs are given: where the product is, and keys."""

import pytest

from tests.system.desk import Desk
from tests.system.embedded import Product


@pytest.fixture(scope="session")
def limited_keys(product: Product) -> list[str]:
    """Two keys for one request a minute each."""
    with Desk(product.url, username="admin", password=product.admin_password) as desk:
        return [desk.issue_key(f"limited {number}", requests_per_minute="1") for number in range(2)]
