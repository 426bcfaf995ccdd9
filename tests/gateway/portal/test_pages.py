"""The portal and the admin in a real browser: the keyboard, the colours, and that nothing comes from elsewhere."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from selenium.webdriver import Keys

from accounts.alerts import channels
from accounts.budgeting import make_budget, raise_budget
from accounts.limiting import set_limit
from accounts.memberships import suspend_member
from accounts.models import AlertChannel, Key, Membership, Project, ServiceAccount, Team, User
from accounts.rights import Role
from tests.make import (
    make_entry,
    make_key,
    make_membership,
    make_offering,
    make_published,
    make_staff,
    make_team,
    make_user,
)
from tests.pages import DESKTOP, PHONE, Browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

CHIPS = ["good", "info", "warning", "bad", "neutral"]
ADMIN_PAGES = [
    "/admin/",
    "/admin/catalogue/model/",
    "/admin/catalogue/model/add/",
    "/admin/catalogue/offering/",
    "/admin/catalogue/organisation/",
    "/admin/catalogue/edition/",
    "/admin/providers/provider/",
    "/admin/providers/provider/add/",
    "/admin/accounts/team/",
    "/admin/accounts/key/add/",
    "/admin/accounts/user/",
    "/admin/accounts/ledgerentry/",
    "/admin/accounts/alert/",
    "/admin/accounts/alertchannel/add/",
]


@pytest.fixture
def team() -> Team:
    team = make_team("atlas")
    make_user("mary", teams=[team], role="admin")
    return team


def test_key_is_created_and_revoked_by_keyboard_alone(browser: Browser, team: Team) -> None:
    browser.open("/")
    browser.wait_for("[name=username]:focus")
    browser.press("mary", Keys.TAB, "password", Keys.ENTER)
    browser.wait_for_address("/overview")
    browser.tab_to("[name=name]").send_keys("nightly", Keys.ENTER)
    assert browser.wait_for("#new-key").text.startswith("sk-gw-")
    browser.tab_to("a.danger").send_keys(Keys.ENTER)
    browser.wait_for("dl")
    browser.tab_to("button.danger").send_keys(Keys.ENTER)
    assert "“nightly” is revoked." in browser.wait_for(".notice.success").text
    assert Key.objects.get().revoked_at is not None


def test_copy_button_copies_the_whole_key(browser: Browser, team: Team) -> None:
    browser.enter("mary")
    browser.find("[name=name]").send_keys("nightly", Keys.ENTER)
    key = browser.wait_for("#new-key").text
    browser.tab_to("[data-copy=new-key]").send_keys(Keys.ENTER)
    browser.wait_for("[data-copy].done")
    browser.find("[name=name]").send_keys(Keys.CONTROL, "v")
    assert browser.find("[name=name]").get_property("value") == key


def test_key_is_gone_after_a_reload_and_after_going_back(browser: Browser, team: Team) -> None:
    browser.enter("mary")
    browser.find("[name=name]").send_keys("nightly", Keys.ENTER)
    browser.wait_for("#new-key")
    browser.driver.refresh()
    assert browser.count("#new-key") == 0
    browser.open("/models")
    browser.driver.execute_script("history.back()")
    browser.wait_for("[name=name]")
    assert browser.count("#new-key") == 0


def test_portal_works_without_scripts(browser: Browser, team: Team) -> None:
    browser.allow_scripts(False)
    browser.sign_in("mary")
    browser.find("[name=name]").send_keys("nightly", Keys.ENTER)
    assert browser.wait_for("#new-key").text.startswith("sk-gw-")
    assert not browser.find("[data-copy=new-key]").is_displayed()


def test_chosen_scheme_is_remembered_by_portal_and_admin(browser: Browser, team: Team) -> None:
    make_staff("boss")
    browser.enter("boss")
    switch = browser.find("[data-scheme-switch]")
    switch.click()
    switch.click()
    browser.driver.refresh()
    assert browser.find("[data-scheme-switch]").text == "Theme: dark"
    assert background(browser) == "rgb(18, 22, 27)"
    browser.open("/admin/")
    browser.wait_for("html.dark")


# The sections of the column come first; who knows them skips to the content.
MOST_TAB_STOPS = 16


def test_member_comes_to_a_key_its_limit_and_its_last_call_in_five_acts(browser: Browser, team: Team) -> None:
    """Sign in, name the key, copy the call, open the key with the call in sight, limit it."""
    browser.sign_in("mary")
    assert browser.tab_stops_before("[name=name]") <= MOST_TAB_STOPS
    browser.find("[name=name]").send_keys("nightly", Keys.ENTER)
    browser.wait_for("[data-copy=sample-curl]").click()
    browser.wait_for("[data-copy].done")
    make_entry(Key.objects.get(), request_id="req_019c0b7e")
    assert browser.tab_stops_before("tbody th a") <= MOST_TAB_STOPS
    browser.find("tbody th a").click()
    assert "req_019c0b7e" in browser.wait_for("#calls tbody tr").text
    assert browser.tab_stops_before("[name=requests_per_minute]") <= MOST_TAB_STOPS
    browser.find("[name=requests_per_minute]").send_keys("5", Keys.ENTER)
    assert "“nightly” is changed." in browser.wait_for(".notice.success").text
    assert Key.objects.get().requests_per_minute == 5


def test_code_in_another_language_is_copied_with_the_new_key(browser: Browser, team: Team) -> None:
    browser.enter("mary")
    browser.find("[name=name]").send_keys("nightly", Keys.ENTER)
    key = browser.wait_for("#new-key").text
    browser.find("label[for=show-python]").click()
    browser.find("[data-copy=sample-python]").click()
    browser.wait_for("[data-copy].done")
    browser.run("document.querySelector('[name=model_patterns]').closest('details').open = true")
    browser.find("[name=model_patterns]").send_keys(Keys.CONTROL, "v")
    pasted = str(browser.find("[name=model_patterns]").get_property("value"))
    assert f'api_key="{key}"' in pasted
    assert f'base_url="{browser.base_url}/v1"' in pasted


@pytest.mark.parametrize("size", [PHONE, pytest.param(DESKTOP, marks=pytest.mark.drill)])
def test_portal_keeps_nobody_out(browser: Browser, team: Team, size: tuple[int, int]) -> None:
    key, _ = make_key(team, "nightly", model_patterns=["acme/*"])
    make_published("acme/one")
    make_entry(key, "cut", error_code="provider_truncated", request_id="req_019c0b7e2f31a4c2d5e6f7a8b9c0d1e2")
    browser.resize(size)
    browser.enter("mary")
    for address in ("/keys", f"/keys/{key.public_id}", f"/keys/{key.public_id}/revoke", "/password"):
        browser.open(address)
        assert browser.barriers_in_both_schemes() == [], address
        assert browser.run("return document.documentElement.scrollWidth") <= size[0], address


@pytest.mark.parametrize("size", [PHONE, pytest.param(DESKTOP, marks=pytest.mark.drill)])
def test_pages_of_alerts_keep_nobody_out(browser: Browser, team: Team, size: tuple[int, int]) -> None:
    Membership.objects.update(role=Role.OWNER)
    channel, _ = channels.make_channel(
        team=team, kind="webhook", name="on-call", address="https://hooks.example.com/a"
    )
    channels.make_channel(team=team, kind="slack", name="chat", address="https://hooks.example.com/b")
    AlertChannel.objects.filter(kind="slack").update(
        is_active=False, disabled_because="It answered 410 Gone."
    )
    channels.test_channel(channel=channel)
    browser.resize(size)
    browser.enter("mary")
    for address in ("/team/alerts", f"/team/alerts/{channel.public_id}", "/notifications"):
        browser.open(address)
        browser.run("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert browser.barriers_in_both_schemes() == [], address
        assert browser.run("return document.documentElement.scrollWidth") <= size[0], address


@pytest.mark.parametrize("size", [PHONE, pytest.param(DESKTOP, marks=pytest.mark.drill)])
def test_pages_of_limits_and_budgets_keep_nobody_out(
    browser: Browser, team: Team, size: tuple[int, int]
) -> None:
    browser.resize(size)
    browser.enter("mary")
    for address in limited_pages(team):
        browser.open(address)
        assert browser.barriers_in_both_schemes() == [], address
        assert browser.run("return document.documentElement.scrollWidth") <= size[0], address


def limited_pages(team: Team) -> list[str]:
    """Of a team of mary's, whose everybody has a limit and a budget, one of them raised."""
    Membership.objects.update(role=Role.OWNER)
    mary = Membership.objects.get()
    robot = ServiceAccount.objects.create(team=team, slug="robot", name="Nightly reports")
    blue = Project.objects.create(team=team, slug="blue", name="Invoices")
    key, _ = make_key(team, "nightly", service_account=robot, project=blue)
    terms: Any = {"zone": "Europe/Berlin", "amount_usd": Decimal("12.5")}
    for subject in (mary, robot, blue, key, team):
        set_limit(subject=subject, unit="tokens", window="minute", amount=90_000)
        budget = make_budget(subject=subject, window="month", **terms)
    raise_budget(budget=budget, by_usd=Decimal(5), until=timezone.now() + timedelta(days=2))
    parts = (f"members/{mary.pk}", "service-accounts/robot", "projects/blue", f"budgets/{budget.pk}")
    suspended = make_membership(team)
    make_key(team, owner=suspended.user)
    suspend_member(membership=suspended)
    people = (
        "/team/members",
        "/team/left-behind",
        "/team/leave",
        f"/team/members/{suspended.pk}",
        "/invitation",
    )
    return [
        f"/keys/{key.public_id}",
        "/team",
        "/team/limits",
        "/team/projects",
        *people,
        *(f"/team/{part}?team=atlas" for part in parts),
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_chip_can_be_read(browser: Browser, team: Team, scheme: str) -> None:
    browser.prefer(scheme)
    browser.enter("mary")
    for chip in CHIPS:
        browser.run(
            "document.querySelector('main').insertAdjacentHTML('beforeend', arguments[0])",
            f'<i class="chip {chip}" id="{chip}">word</i>',
        )
        style = "const s = getComputedStyle(document.getElementById(arguments[0])); return [s.color, s.backgroundColor]"
        assert contrast(*browser.run(style, chip)) >= 4.5, (scheme, chip)


def test_page_on_a_phone_scrolls_its_table_and_not_itself(browser: Browser, team: Team) -> None:
    make_key(team, "a key with a rather long name of several words", model_patterns=["anthropic/*"] * 3)
    browser.resize(PHONE)
    browser.enter("mary")
    browser.wait_for(".scroll")
    wider = "const e = document.querySelector(arguments[0]); return e.scrollWidth > e.clientWidth"
    assert browser.run(wider, ".scroll")
    assert not browser.run(wider, "html")


def test_portal_loads_nothing_from_elsewhere_and_complains_of_nothing(browser: Browser, team: Team) -> None:
    key, _ = make_key(team, owner=User.objects.get(username="mary"))
    browser.enter("mary")
    make_entry(key, "cut")
    for address in ("/keys", f"/keys/{key.public_id}", f"/keys/{key.public_id}/revoke", "/password", "/docs"):
        browser.open(address)
    assert browser.hosts_asked() == {urlsplit(browser.base_url).netloc}
    assert browser.complaints() == []


def test_admin_loads_nothing_from_elsewhere_and_complains_of_nothing(browser: Browser, team: Team) -> None:
    make_staff("boss")
    offering = make_offering(make_published("acme/one"))
    browser.enter("boss")
    pages = [f"/admin/catalogue/model/{offering.model_id}/change/"]
    pages.append(f"/admin/providers/provider/{offering.provider_id}/change/")
    for address in [*ADMIN_PAGES, *pages]:
        browser.open(address)
        browser.wait_for("#nav-sidebar")
    assert browser.hosts_asked() == {urlsplit(browser.base_url).netloc}
    assert browser.complaints() == []


def background(browser: Browser) -> str:
    return str(browser.run("return getComputedStyle(document.body).backgroundColor"))


def contrast(one: str, other: str) -> float:
    """Of two colours as the browser writes them. Source: WCAG 2.2, contrast ratio."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
