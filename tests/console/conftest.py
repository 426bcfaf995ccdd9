"""The browser of the other tests of pages."""

from tests.gateway.conftest import browser, one_browser

__all__ = ["browser", "one_browser"]
