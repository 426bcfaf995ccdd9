"""A browser at a live server. Tests that use it are transactional: another thread answers."""

from collections.abc import Iterator

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.pages import Browser, running_browser


@pytest.fixture(scope="session")
def one_browser(live_server: LiveServer) -> Iterator[Browser]:
    with running_browser(live_server.url) as browser:
        yield browser


@pytest.fixture
def browser(one_browser: Browser) -> Browser:
    """As new, though its process is shared: starting one takes seconds."""
    one_browser.forget()
    return one_browser
