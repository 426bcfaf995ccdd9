"""The log of requests in a real browser: rows come in, wait while somebody reads, and are walked by keys."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from accounts.models import Key
from tests.make import make_entry, make_key, make_team, make_user
from tests.pages import PHONE, Browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def call(key: Key, name: str, **fields: Any) -> None:
    now = timezone.now()
    make_entry(key, request_id=name, call_id=uuid4(), ended_at=now, **{"started_at": now} | fields)


def test_rows_come_in_wait_while_one_reads_and_are_walked(browser: Browser) -> None:
    team = make_team("atlas")
    key, _ = make_key(team)
    make_user("mary", teams=[team])
    for number in range(3):
        call(key, f"req_{number}", started_at=timezone.now() - timedelta(minutes=number))
    browser.enter("mary")
    browser.open("/requests")
    assert browser.barriers_in_both_schemes() == []
    ActionChains(browser.driver).move_to_element(browser.find("h1")).perform()
    call(key, "req_new")
    browser.wait_for("a.call[href='/requests/req_new']")

    browser.press("j", "j")
    second = "return document.activeElement.getAttribute('href')"
    assert browser.run(second) == "/requests/req_0"
    call(key, "req_later")
    browser.wait_until(lambda: browser.find("[data-waiting]").text == "1 new")
    assert browser.count("a.call[href='/requests/req_later']") == 0
    browser.press("k")
    assert browser.run(second) == "/requests/req_new"
    browser.find("[data-waiting]").click()
    assert browser.find("table.log tbody a.call").get_attribute("href").endswith("/requests/req_later")

    browser.find("[data-live-switch]").click()
    assert browser.find("[data-live-switch]").text == "Paused"
    browser.resize(PHONE)
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE[0]
    browser.press("j", Keys.ENTER)
    browser.wait_until(lambda: browser.address.startswith("/requests/req_"))
    assert browser.barriers_in_both_schemes() == []
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE[0]
    assert browser.complaints() == []
