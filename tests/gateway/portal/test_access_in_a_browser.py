"""An access request in a real browser: asked from the page of limits, granted from the team's list."""

import pytest
from selenium.webdriver.support.select import Select

from accounts.limiting import set_limit
from accounts.models import AccessRequest, Limit
from tests.make import make_membership, make_team, make_user
from tests.pages import PHONE, Browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_member_asks_for_more_and_owner_grants_it(browser: Browser) -> None:
    team = make_team("atlas")
    make_membership(team, make_user("mary"))
    make_membership(team, make_user("ann"), role="owner")
    set_limit(subject=team, unit="requests", window="minute", amount=60)
    browser.enter("mary")
    browser.open("/team/limits")
    browser.find("a[href*='kind=limit']").click()
    browser.wait_for("[name=amount]").send_keys("120")
    assert Select(browser.find("[name=row]")).first_selected_option.text.startswith("60 requests a minute")
    browser.find("[name=reason]").send_keys("The backfill")
    assert browser.barriers_in_both_schemes() == []
    browser.find("form.card button.primary").click()
    browser.wait_for(".chip.info")
    browser.forget()
    browser.enter("ann")
    browser.open("/team/requests")
    browser.find("[name=note]").send_keys("Until May")
    assert browser.barriers_in_both_schemes() == []
    browser.find("button[value=grant]").click()
    browser.wait_for(".chip.good")
    assert (AccessRequest.objects.get().note, Limit.objects.get().amount) == ("Until May", 120)
    browser.resize(PHONE)
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE[0]
    assert browser.complaints() == []
