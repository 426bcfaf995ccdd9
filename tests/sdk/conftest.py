"""What the SDKs are given: where the product is, and keys; or a gateway in front of every wire format."""

from collections.abc import Iterator

import pytest

from tests.sdk.house import House, running_house
from tests.system.admin_pages import AdminPages
from tests.system.embedded import Product


@pytest.fixture(scope="session")
def limited_keys(product: Product) -> list[str]:
    """Two keys for one request a minute each."""
    with AdminPages(product.url, username="admin", password=product.admin_password) as admin_pages:
        return [admin_pages.issue_key(f"limited {number}", requests_per_minute="1") for number in range(2)]


@pytest.fixture(scope="module")
def open_house() -> Iterator[House]:
    with running_house() as house:
        yield house


@pytest.fixture
def house(open_house: House) -> House:
    """As if nobody had called yet."""
    open_house.forget()
    return open_house
