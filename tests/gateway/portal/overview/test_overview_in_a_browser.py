"""The overview in a real browser: its chart by keyboard and pointer, its switches without a reload, its weight."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.support.select import Select

from accounts.models import Team
from accounts.recording import record_attempts
from tests.gateway.conftest import browser, one_browser
from tests.gateway.spooling import attempt
from tests.make import make_key, make_team, make_user
from tests.pages import DESKTOP, PHONE, Browser

__all__ = ["browser", "one_browser"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
XSS = "<img src=x onerror=alert(1)>"
MOST_BYTES = 60_000
"""Of the page with all that it loads, as it is sent."""


@pytest.fixture
def team() -> Team:
    team = make_team("atlas")
    make_user("mary", teams=[team], role="owner")
    return team


def use(team: Team) -> None:
    """Ten models that cost 1 to 10 USD today, and half of that yesterday."""
    now = timezone.now()
    for days in (0, 1):
        at = (now - timedelta(days=days)).timestamp()
        record_attempts(
            [
                attempt(
                    team_id=team.pk,
                    started_at=at,
                    project=XSS,
                    model=f"acme/model-{n}",
                    end={"cost_usd": f"{n / (days + 1)}", "first_token_ms": 80.0},
                )
                for n in range(1, 11)
            ]
        )


def told(browser: Browser) -> str:
    return str(browser.find("[data-told]").get_attribute("textContent"))


def test_chart_is_read_by_keyboard_and_by_pointer(browser: Browser, team: Team) -> None:
    use(team)
    browser.enter("mary")
    browser.open("/overview?team=atlas")
    browser.wait_for(".plot canvas")
    browser.tab_to(".plot")
    browser.wait_until(lambda: ", not over: $55; acme/model-10 $10; acme/model-9 $9" in told(browser))
    assert told(browser).endswith("others $3")
    browser.press(Keys.ARROW_LEFT)
    assert ": $27.5; acme/model-10 $5" in told(browser)
    browser.press(Keys.ARROW_LEFT)
    assert told(browser).endswith(": $0")
    browser.press(Keys.HOME, Keys.ARROW_LEFT)
    assert told(browser).endswith(": $0")
    browser.press(Keys.END)
    assert "$55" in browser.find(".told").text
    browser.press(Keys.ESCAPE)
    assert not browser.find(".told").is_displayed()
    over = browser.find(".u-over")
    ActionChains(browser.driver).move_to_element_with_offset(over, over.size["width"] // 2 - 4, 0).perform()
    assert "acme/model-9" in browser.find(".told").text
    assert browser.complaints() == []


def test_switch_changes_the_chart_alone_and_its_address(browser: Browser, team: Team) -> None:
    use(team)
    browser.enter("mary")
    browser.open("/overview?team=atlas")
    browser.wait_for(".plot canvas")
    browser.run("window.stayed = true")
    browser.find("#figure-calls").click()
    browser.wait_until(lambda: browser.address == "/overview?team=atlas&measure=calls")
    browser.wait_for("#figure-calls[aria-current]")
    browser.wait_for(".plot canvas")
    browser.find(".numbers tbody a").click()
    browser.wait_until(lambda: browser.address.endswith("&by=key&model=acme/model-1"))
    browser.wait_for("#switch-2-4[aria-current]")
    browser.find(".filter").click()
    browser.wait_until(lambda: not browser.count(".filter"))
    browser.find(".narrowing summary").click()
    Select(browser.find("#pick_model")).select_by_visible_text("acme/model-9")
    browser.find(".narrowing button").click()
    browser.wait_until(
        lambda: browser.address == "/overview?team=atlas&measure=calls&by=key&model=acme/model-9"
    )
    browser.wait_for(".filter").click()
    browser.wait_until(lambda: not browser.count(".filter"))
    browser.find("#switch-2-3").click()
    browser.wait_for("#switch-2-3[aria-current]")
    browser.wait_until(lambda: XSS in browser.find(".legend").text)
    assert browser.run("return window.stayed")
    assert browser.count(".plot canvas") == 1
    browser.driver.back()
    browser.wait_until(lambda: "by=project" not in browser.address)
    browser.wait_for(".plot canvas")
    assert browser.complaints() == []
    assert browser.hosts_asked() == {browser.base_url.removeprefix("http://")}


def test_page_keeps_nobody_out(browser: Browser, team: Team) -> None:
    use(team)
    browser.enter("mary")
    for size in (DESKTOP, PHONE):
        browser.resize(size)
        for measure in ("spend", "first_token"):
            browser.open(f"/overview?team=atlas&measure={measure}&period=7d")
            browser.wait_for(".plot canvas")
            assert browser.barriers_in_both_schemes() == []
            assert browser.run("return document.documentElement.scrollWidth") <= size[0]
    assert browser.complaints() == []


def test_without_scripts_the_table_stays_and_switches_are_links(browser: Browser, team: Team) -> None:
    use(team)
    browser.enter("mary")
    browser.allow_scripts(False)
    browser.open("/overview?team=atlas")
    assert "acme/model-10" in browser.find(".numbers").text
    assert not browser.find("[data-chart]").is_displayed()
    browser.find("#figure-calls").click()
    browser.wait_for_address("/overview?team=atlas&measure=calls")


def test_new_team_sees_its_steps_tick_off(browser: Browser, team: Team) -> None:
    browser.enter("mary")
    browser.open("/overview?team=atlas")
    assert browser.barriers_in_both_schemes() == []
    make_key(team)
    browser.wait_until(lambda: browser.count(".steps .done") == 1)
    use(team)
    browser.wait_until(lambda: browser.count(".steps .done") == 3)
    browser.find("#start a.primary").click()
    browser.wait_for(".plot canvas")
    assert browser.complaints() == []


def test_first_page_is_light(browser: Browser, team: Team) -> None:
    use(team)
    browser.enter("mary")
    browser.open("/overview?team=atlas")
    loaded = browser.run("return performance.getEntriesByType('resource').map(each => each.name)")
    page = Client()
    page.force_login(team.memberships.get().user)
    sent = page.get("/overview?team=atlas", headers={"accept-encoding": "gzip"})
    assert sent.headers["Content-Encoding"] == "gzip"
    sizes = {"/overview": len(sent.content)}
    for address in {str(each).removeprefix(browser.base_url) for each in loaded}:
        answer = page.get(address, headers={"accept-encoding": "gzip"})
        sizes[address] = len(b"".join(answer) if answer.streaming else answer.content)
    assert sum(sizes.values()) < MOST_BYTES, json.dumps(sizes, indent=1)
    assert any("uplot.min.js" in each for each in sizes)
