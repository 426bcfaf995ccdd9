"""The curator's pages in a real browser: its own pages, on a phone too, and the links inside one page."""

from typing import Any

import pytest
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from accounts.models import User
from catalogue.models import Edition, Model, Offering
from catalogue.publishing.editions import publish
from tests.make import (
    make_entry,
    make_key,
    make_offering,
    make_organisation,
    make_price,
    make_provider,
    make_published,
    make_staff,
    make_team,
)
from tests.pages import DESKTOP, PHONE, Browser
from tests.upstream import ScriptedProvider

HIGHEST_FOLDED = 60
"""Pixels: two lines of text."""

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def model() -> Model:
    """Published twice, with more offerings than the page opens by itself."""
    model = make_published(aliases=["uno"])
    for number in range(4):
        make_price(make_offering(model, make_provider(f"p{number}")))
    Model.objects.update(name="Uno")
    publish([model])
    return model


@pytest.fixture
def curator(browser: Browser) -> Browser:
    make_staff("ada")
    make_team("atlas")
    browser.enter("ada")
    return browser


def pages(model: Model) -> list[str]:
    newer, older = Edition.objects.values_list("number", flat=True)
    return [
        f"/admin/catalogue/model/{model.pk}/change/",
        f"/admin/catalogue/model/{model.pk}/editions/",
        f"/admin/catalogue/model/{model.pk}/history/",
        "/admin/catalogue/model/worklist/",
        f"/admin/catalogue/edition/{newer}/change/",
        f"/admin/catalogue/edition/compare/?from={older}&to={newer}",
        f"/admin/catalogue/edition/{older}/rollback/?model=acme/one",
        "/admin/accounts/auditentry/",
    ]


def test_pages_of_staff_load_nothing_from_elsewhere_and_complain_of_nothing(
    curator: Browser, model: Model
) -> None:
    curator.resize(PHONE)
    for address in pages(model):
        curator.open(address)
        width = curator.run("return document.documentElement.scrollWidth")
        assert width <= PHONE[0], address
    assert curator.hosts_asked() == {curator.base_url.removeprefix("http://")}
    assert curator.complaints() == []


def test_link_beside_an_offering_opens_its_prices_on_the_same_page(curator: Browser, model: Model) -> None:
    offering = Offering.objects.order_by("pk").last()
    assert offering is not None
    address = f"/admin/catalogue/model/{model.pk}/change/"
    curator.open(address)
    table = curator.wait_for(f"#prices-{offering.pk}")
    assert not table.is_displayed()
    link = curator.driver.find_element(By.CSS_SELECTOR, f"a[href='#prices-{offering.pk}']")
    curator.run("arguments[0].click()", link)
    assert table.is_displayed()
    assert curator.address == f"{address}#prices-{offering.pk}"


def test_call_is_found_from_any_page_by_keyboard_in_three_acts(curator: Browser) -> None:
    """The letter t, the request id, Enter."""
    make_entry(make_key()[0], request_id="req_019c0b7e")
    curator.open("/admin/accounts/team/")
    curator.wait_for("#nav-filter")
    curator.press("t")
    curator.press("req_019c0b7e", Keys.ENTER)
    curator.wait_for_address("/admin/accounts/ledgerentry/?q=req_019c0b7e")


def test_dialog_takes_the_focus_keeps_it_and_gives_it_back(curator: Browser) -> None:
    key, _ = make_key()
    curator.open(f"/admin/accounts/key/{key.pk}/change/")
    opener = f"a[href='/admin/accounts/key/{key.pk}/revoke/']"
    curator.wait_for(opener)
    curator.tab_to(opener).send_keys(Keys.ENTER)
    curator.wait_for("[role=dialog][aria-label='Revoke this key?'] a:focus")
    for _ in range(3):
        curator.press(Keys.TAB)
        assert curator.count("[role=dialog] :focus") == 1
    curator.press(Keys.SHIFT, Keys.TAB)
    assert curator.count("[role=dialog] :focus") == 1
    curator.press(Keys.ESCAPE)
    curator.wait_for(f"{opener}:focus")
    assert key.revoked_at is None


@pytest.mark.drill
def test_curators_pages_keep_nobody_out(curator: Browser, model: Model) -> None:
    offering = Offering.objects.earliest("pk")
    catalogue = "/admin/catalogue"
    for address in (
        *pages(model),
        f"{catalogue}/model/",
        f"{catalogue}/model/add/",
        f"{catalogue}/model/{model.pk}/delete/",
        f"{catalogue}/model/import/",
        f"{catalogue}/offering/",
        f"{catalogue}/offering/add/",
        f"{catalogue}/offering/{offering.pk}/change/",
        f"{catalogue}/organisation/",
        f"{catalogue}/edition/",
        "/admin/providers/provider/",
        "/admin/providers/provider/add/",
        f"/admin/providers/provider/{offering.provider_id}/change/",
        "/admin/accounts/key/add/",
        "/admin/accounts/team/",
        "/admin/accounts/user/add/",
        f"/admin/accounts/user/{User.objects.get().pk}/change/",
        "/admin/auth/group/add/",
        "/admin/accounts/ledgerentry/",
    ):
        curator.open(address)
        curator.wait_for("#nav-filter")
        assert curator.barriers_in_both_schemes() == [], address
        assert not curator.run("const e = document.documentElement; return e.scrollWidth > e.clientWidth"), (
            address
        )
    assert curator.complaints() == []


def test_right_is_given_by_its_name_from_the_keyboard(curator: Browser) -> None:
    curator.open(f"/admin/accounts/user/{User.objects.get().pk}/change/")
    search = curator.wait_for(".field-user_permissions .select2-search__field")
    search.send_keys("view offering")
    curator.wait_until(lambda: curator.count(".select2-results__option") == 1)
    search.send_keys(Keys.ENTER)
    curator.find("[name=_save]").click()
    curator.wait_for("#result_list")
    assert User.objects.get().user_permissions.get().codename == "view_offering"


def test_errors_of_a_form_are_reached_from_its_top(curator: Browser) -> None:
    curator.open("/admin/catalogue/model/add/")
    curator.find("[name=_save]").click()
    curator.wait_for(".errornote a[href='#id_slug']").click()
    assert curator.barriers() == []
    assert curator.address.endswith("#id_slug")


def test_all_of_a_page_of_the_worklist_are_selected_at_once(curator: Browser, model: Model) -> None:
    curator.open("/admin/catalogue/model/worklist/")
    every = curator.wait_for("[data-all=finding]")
    every.click()
    boxes = curator.driver.find_elements(By.CSS_SELECTOR, "[name=finding]")
    assert boxes
    assert all(box.is_selected() for box in boxes)
    boxes[0].click()
    assert not every.is_selected()
    curator.allow_scripts(False)
    curator.open("/admin/catalogue/model/worklist/")
    assert not curator.find("[data-all=finding]").is_displayed()


@pytest.mark.drill
def test_curator_comes_from_nothing_to_a_callable_model_on_one_page(curator: Browser, settings: Any) -> None:
    with ScriptedProvider() as upstream:
        settings.PRIVATE_ADDRESSES_ALLOWED = [upstream.address]
        make_provider("fast", name="Fast", base_url=upstream.base_url)
        make_organisation("acme", name="Acme")
        curator.open("/admin/catalogue/model/add/")
        curator.wait_for("[aria-label=Organisation][role=combobox]").click()
        curator.press("Acme")
        curator.wait_for(".select2-results__option--highlighted")
        curator.press(Keys.ENTER)
        curator.find("#id_slug").send_keys("one")
        curator.find("#id_name").send_keys("One")
        add = curator.find("#offerings-group a.add-row")
        curator.run("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", add)
        Select(curator.wait_for("#id_offerings-0-provider")).select_by_visible_text("Fast")
        curator.find("#id_offerings-0-upstream_name").send_keys("scripted-model")
        endpoints = curator.driver.find_element(
            By.XPATH, "//details[.//input[@name='offerings-0-endpoints']]"
        )
        assert endpoints.size["height"] < HIGHEST_FOLDED
        endpoints.find_element(By.TAG_NAME, "summary").click()
        known = endpoints.find_elements(By.CSS_SELECTOR, ".ticks label")
        assert all(each.size["height"] < HIGHEST_FOLDED for each in known)
        known[0].click()
        curator.find("[name=catalogue_model_save_and_test]").click()
        curator.wait_for(".standing")
    assert "acme/one can be called now." in curator.text


@pytest.mark.parametrize("size", [PHONE, pytest.param(DESKTOP, marks=pytest.mark.drill)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_search_ledger_and_keys_keep_nobody_out(
    curator: Browser, model: Model, scheme: str, size: tuple[int, int]
) -> None:
    key, _ = make_key(make_team("acme-team"))
    row = make_entry(key, "cut", error_code="provider_truncated", number=2, request_id="req_019c0b7e")
    curator.prefer(scheme)
    curator.resize(size)
    for address in (
        "/admin/",
        "/admin/search/?s=acme",
        "/admin/search/?s=nowhere",
        "/admin/accounts/ledgerentry/?period=day",
        f"/admin/accounts/ledgerentry/{row.pk}/change/",
        "/admin/accounts/key/",
        f"/admin/accounts/key/{key.pk}/change/",
    ):
        curator.open(address)
        curator.wait_for("#nav-filter")
        found = curator.barriers() if scheme == "light" else curator.colour_barriers()
        assert found == [], address
        assert curator.run("return document.documentElement.scrollWidth") <= size[0], address
    assert curator.complaints() == []
