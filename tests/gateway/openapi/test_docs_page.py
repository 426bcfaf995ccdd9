"""The API reference in a real browser: in both themes, on a phone, without scripts."""

import pytest
from selenium.webdriver import Keys

from tests.pages import DESKTOP, PHONE, Browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


# All of its parts are made alike, and each takes a tenth of a second to look at: so many are passed over.
@pytest.mark.parametrize(
    ("size", "each"),
    [pytest.param(DESKTOP, 12, marks=pytest.mark.drill), (PHONE, 40)],
    ids=["desktop", "phone"],
)
def test_reference_keeps_nobody_out(browser: Browser, size: tuple[int, int], each: int) -> None:
    browser.resize(size)
    browser.open("/docs")
    browser.run(f"document.querySelectorAll('details').forEach((part, at) => part.open = at % {each} === 0)")
    assert browser.barriers_in_both_schemes() == []
    assert browser.run("return document.documentElement.scrollWidth") <= size[0]


def test_reference_loads_nothing_from_elsewhere(browser: Browser) -> None:
    browser.open("/docs")
    assert browser.hosts_asked() == {browser.base_url.removeprefix("http://")}
    assert browser.complaints() == []


def test_reference_can_be_read_without_scripts(browser: Browser) -> None:
    browser.allow_scripts(False)
    browser.open("/docs#post-v1-chat-completions")
    browser.find("#post-v1-chat-completions details:nth-of-type(2) > summary").send_keys(Keys.ENTER)
    assert "max_completion_tokens" in browser.text
