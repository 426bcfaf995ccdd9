"""A browser opens every page as each role: nothing complains, comes from elsewhere, breaks out or keeps people out.

With GATEHOUSE_SCREENSHOTS each page is kept there as a picture, by role and width.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from tests.console.test_pages import ASKED, opened
from tests.console.world import BROKEN_OUT, World, make_world
from tests.pages import DESKTOP, Browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
NARROW = (375, 812)
PICTURES = os.environ.get("GATEHOUSE_SCREENSHOTS", "")
_WIDTH = "return document.documentElement.scrollWidth"
# A date may stand above its time of day.
_BROKEN_TIMES = """
const isBroken = (text, piece) => {
  const range = document.createRange();
  range.setStart(text, piece.index);
  range.setEnd(text, piece.index + piece[0].length);
  return new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1;
};
const texts = [...document.querySelectorAll("main time")].flatMap((each) => [...each.childNodes]);
return texts.filter((text) => [...text.data.matchAll(/[^, ][^,]*/g)].some((piece) => isBroken(text, piece)))
  .map((text) => text.data);
"""
_SQUEEZED = """
const isWords = (each) => each.childElementCount === 0 && each.textContent.length > 60;
return [...document.querySelectorAll(".scroll td")]
  .filter((each) => isWords(each) && each.clientWidth < 100 && each.clientHeight > 300)
  .map((each) => each.textContent.slice(0, 30));
"""
_OPEN_FOLDS = "document.querySelectorAll('details').forEach(each => each.open = true)"


def enter(browser: Browser, world: World, who: str) -> list[str]:
    """Signed in as they are; the pages that open for them."""
    client = world.client(who)
    pages = [address for address in world.pages() if opened(client, address)]
    browser.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    if session := client.cookies.get(settings.SESSION_COOKIE_NAME):
        cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session.value, "url": browser.base_url}
        browser.driver.execute_cdp_cmd("Network.setCookie", {**cookie, "httpOnly": True})
    return pages


def faults(browser: Browser, address: str, who: str) -> Iterator[str]:
    """What is wrong with a page on a phone, for everybody alike."""
    browser.open(f"{address}?{ASKED.get(address, '')}")
    browser.run(_OPEN_FOLDS)
    if browser.run(BROKEN_OUT):
        yield "what somebody typed became part of the page"
    if (width := browser.run(_WIDTH)) > NARROW[0]:
        yield f"it scrolls sideways: {width}"
    if broken := browser.run(_BROKEN_TIMES):
        yield f"times break within themselves: {broken[:3]}"
    if squeezed := browser.run(_SQUEEZED):
        yield f"a column has one word a line: {squeezed[:3]}"
    yield from browser.complaints()
    if others := browser.hosts_asked() - {urlsplit(browser.base_url).netloc}:
        yield f"it asks {others}"
    keep_picture(browser, address, who)


def keep_picture(browser: Browser, address: str, who: str) -> None:
    if PICTURES:
        width = browser.run("return window.innerWidth")
        name = re.sub(r"\W+", "-", address).strip("-") or "home"
        folder = Path(PICTURES) / who
        folder.mkdir(parents=True, exist_ok=True)
        browser.save_picture(folder / f"{name}-{width}.png")


def walk(browser: Browser, who: str, *, is_whole: bool) -> dict[str, list[str]]:
    """What is wrong, by page. `is_whole` looks at them in a desktop's width and in the dark, too."""
    world, found = make_world(), dict[str, list[str]]()
    browser.resize(NARROW)
    for address in enter(browser, world, who):
        wrong = list(faults(browser, address, who))
        if is_whole:
            wrong += browser.barriers_in_both_schemes()
            browser.resize(DESKTOP)
            wrong += browser.barriers()
            keep_picture(browser, address, who)
            browser.resize(NARROW)
        if wrong:
            found[address] = wrong
    return found


@pytest.mark.drill
@pytest.mark.parametrize("who", ["owner", "admin", "member", "viewer", "support", "nobody"])
def test_everybody_walks_every_page(browser: Browser, who: str) -> None:
    assert walk(browser, who, is_whole=who in {"owner", "nobody"}) == {}
