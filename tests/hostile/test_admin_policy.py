"""The admin's pages in a real browser: its theme works under a policy that runs nothing that stands in a page."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.gateway.conftest import browser, one_browser
from tests.make import make_key, make_offering, make_published, make_staff, make_team
from tests.pages import Browser

__all__ = ["browser", "one_browser"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
NOT_ADDED_BY_HAND = {
    "accessrequest",
    "alert",
    "auditentry",
    "auditreceiver",
    "edition",
    "invitation",
    "ledgerentry",
    "membership",
    "scimgroup",
    "statement",
    "centrestatement",
}


@pytest.fixture
def admin_pages(browser: Browser) -> Browser:  # pytest's way
    make_staff("root")
    browser.enter("root")
    return browser


def all_pages() -> list[str]:
    """The list of each model and the form for a new row, and what is there besides."""
    names = [model._meta.model_name for model in admin.site._registry]
    labels = [model._meta.app_label for model in admin.site._registry]
    pages = [
        "/admin/",
        "/admin/password_change/",
        "/admin/catalogue/model/import/",
        "/admin/catalogue/model/export/",
    ]
    for label, name in zip(labels, names, strict=True):
        pages.append(reverse(f"admin:{label}_{name}_changelist"))
        if name not in NOT_ADDED_BY_HAND:
            pages.append(reverse(f"admin:{label}_{name}_add"))
    return pages


def test_policy_of_the_admin_has_no_inline_code_nor_styles(client: Client) -> None:
    policy = client.get("/admin/login/")["Content-Security-Policy"]
    assert "unsafe-inline" not in policy
    assert "style-src 'self' 'sha256-" in policy


@pytest.mark.drill
def test_every_page_of_the_admin_does_with_its_policy(admin_pages: Browser) -> None:
    offering = make_offering(make_published("acme/one"))
    key, _ = make_key(make_team("atlas"))
    pages = [f"/admin/catalogue/model/{offering.model_id}/change/", f"/admin/accounts/key/{key.pk}/change/"]
    pages.append(f"/admin/providers/provider/{offering.provider_id}/change/")
    complaints = {}
    for address in [*all_pages(), *pages]:
        admin_pages.open(address)
        complaints[address] = admin_pages.complaints()
    assert {address: said for address, said in complaints.items() if said} == {}


def test_colours_of_the_theme_are_believed(admin_pages: Browser) -> None:
    admin_pages.open("/admin/")
    colour = "return getComputedStyle(document.documentElement).getPropertyValue('--color-primary-600')"
    assert admin_pages.run(colour).strip()


def test_actions_of_a_list_and_dialogs_work(admin_pages: Browser) -> None:
    key, _ = make_key(make_team("atlas"))
    admin_pages.open("/admin/accounts/key/")
    admin_pages.run("document.querySelector('input.action-select').click()")
    bar = admin_pages.wait_for("#changelist-actions")
    assert bar.is_displayed()
    assert bar.size["width"] > 300
    admin_pages.open(f"/admin/accounts/key/{key.pk}/change/")
    admin_pages.wait_until(lambda: revoke_buttons(admin_pages))
    (button,) = revoke_buttons(admin_pages)
    button.click()
    admin_pages.wait_for("form[hx-post]")
    assert "for good" in admin_pages.text
    assert admin_pages.complaints() == []


def revoke_buttons(pages: Browser) -> list[WebElement]:
    """Those that are shown: an element that is not yet has no text."""
    found = pages.driver.find_elements(By.CSS_SELECTOR, "a, button")
    return [each for each in found if each.text == "Revoke"]


@pytest.mark.parametrize(
    "smuggled",
    [
        '<img src="/static/gateway/none.svg" onerror="window.hit = 1">',
        '<iframe srcdoc="&lt;script&gt;parent.hit = 1&lt;/script&gt;"></iframe>',
        '<a id="bait" href="javascript:window.hit = 1">x</a>',
    ],
)
def test_code_that_was_smuggled_into_a_page_does_not_run(admin_pages: Browser, smuggled: str) -> None:
    admin_pages.open("/admin/")
    admin_pages.run("document.body.insertAdjacentHTML('beforeend', arguments[0])", smuggled)
    admin_pages.run("document.getElementById('bait')?.click()")
    admin_pages.run("return new Promise(done => setTimeout(done, 300))")
    assert admin_pages.run("return window.hit") is None
    assert any("Content Security Policy" in said for said in admin_pages.complaints())
