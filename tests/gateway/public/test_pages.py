"""The catalogue's pages in a real browser: keyboard, phone, colours, and that nothing comes from elsewhere."""

from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Keys
from selenium.webdriver.support.select import Select

from providers.models import Provider
from tests.gateway.public.conftest import make_offered
from tests.make import publish_all
from tests.pages import DESKTOP, PHONE, Browser

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.usefixtures("catalogue"),
]

PAGES = [
    "/models",
    "/models?organisation=acme&q=big",
    "/models?q=nothing-of-this-name",
    "/models/acme/big",
    "/models/acme/old",
    "/models/compare",
    "/models/compare?id=acme/big&id=zeta/small",
    "/models/retirements",
]
SHOWN = "[...document.querySelectorAll('.models tbody th a')].map(link => link.textContent)"


@pytest.mark.parametrize("size", [pytest.param(DESKTOP, marks=pytest.mark.drill), PHONE])
def test_nobody_is_kept_out_and_no_page_scrolls_sideways(browser: Browser, size: tuple[int, int]) -> None:
    browser.resize(size)
    for page in PAGES:
        browser.open(page)
        assert browser.barriers_in_both_schemes() == [], page
        assert not browser.run("const e = document.documentElement; return e.scrollWidth > e.clientWidth"), (
            page
        )


def test_barriers_are_found_where_there_are_some(browser: Browser) -> None:
    browser.open("/models")
    bad = "<input><img src='/static/gateway/logo.svg'>"
    browser.run("document.querySelector('main').insertAdjacentHTML('beforeend', arguments[0])", bad)
    assert {finding.partition(":")[0] for finding in browser.barriers()} == {"label", "image-alt"}


def test_pages_load_nothing_from_elsewhere_and_complain_of_nothing(browser: Browser) -> None:
    for page in PAGES:
        browser.open(page)
    assert browser.hosts_asked() == {urlsplit(browser.base_url).netloc}
    assert browser.complaints() == []


def test_slash_goes_to_the_search_and_enter_searches(browser: Browser) -> None:
    browser.open("/models")
    browser.press("/")
    browser.press("small", Keys.ENTER)
    browser.wait_for_address("/models?q=small")
    assert shown(browser) == ["Small"]


def test_slash_inside_a_field_is_a_letter(browser: Browser) -> None:
    browser.open("/models/compare")
    browser.press("/")
    browser.press("acme/big", Keys.ENTER)
    browser.wait_for_address("/models/compare?id=acme%2Fbig")


def test_choice_answers_at_once_and_keeps_its_focus(browser: Browser) -> None:
    browser.open("/models")
    browser.run("window.isSamePage = true")
    browser.tab_to("#facet-organisation summary").send_keys(Keys.ENTER)
    browser.tab_to("[name=organisation][value=acme]").send_keys(Keys.SPACE)
    browser.wait_for_address("/models?organisation=acme")
    assert shown(browser) == ["Big"]
    assert browser.run("return document.activeElement.value") == "acme"
    assert browser.find("[data-announcer]").get_property("textContent") == "1 model"
    assert browser.run("return window.isSamePage")


def test_of_two_that_exclude_each_other_one_is_chosen(browser: Browser) -> None:
    browser.open("/models?open_weights=true")
    browser.find("#open_weights-any").click()
    browser.wait_for_address("/models")
    assert shown(browser) == ["Big", "Small"]


def test_going_back_brings_the_wider_list_back(browser: Browser) -> None:
    browser.open("/models")
    choose(browser, "organisation", "zeta")
    browser.wait_for_address("/models?organisation=zeta")
    browser.driver.back()
    browser.wait_for("[name=organisation][value=zeta]:not(:checked)")
    assert shown(browser) == ["Big", "Small"]


def test_copy_button_works_after_the_list_has_changed(browser: Browser) -> None:
    browser.open("/models")
    choose(browser, "organisation", "zeta")
    browser.wait_for_address("/models?organisation=zeta")
    browser.find("[data-copy='id-zeta/small']").click()
    browser.wait_for("[data-copy].done")
    browser.find("#q").send_keys(Keys.CONTROL, "v")
    assert browser.find("#q").get_property("value") == "zeta/small"


def test_ticks_survive_narrowing_and_lead_to_the_comparison(browser: Browser) -> None:
    browser.open("/models")
    browser.find("[id='tick-acme/big']").click()
    browser.wait_for_address("/models?id=acme/big")
    choose(browser, "organisation", "zeta")
    browser.wait_for_address("/models?id=acme/big&organisation=zeta")
    browser.find("[id='tick-zeta/small']").click()
    browser.wait_for_address("/models?id=acme/big&id=zeta/small&organisation=zeta")
    browser.find(".compare-bar button").send_keys(Keys.ENTER)
    browser.wait_for(".sides")
    assert set(browser.address.partition("?")[2].split("&")) == {"id=acme%2Fbig", "id=zeta%2Fsmall"}


def test_list_and_comparison_work_without_scripts(browser: Browser) -> None:
    browser.allow_scripts(False)
    browser.open("/models")
    choose(browser, "organisation", "zeta")
    browser.find("button.apply").send_keys(Keys.ENTER)
    browser.wait_for_address("/models?organisation=zeta")
    browser.find("[id='tick-zeta/small']").click()
    browser.find(".compare-bar button").send_keys(Keys.ENTER)
    browser.wait_for(".sides")


def test_filters_of_a_phone_open_and_close_without_scripts(browser: Browser) -> None:
    browser.allow_scripts(False)
    browser.resize(PHONE)
    browser.open("/models")
    assert not browser.find("#facets").is_displayed()
    browser.find("#to-facets").click()
    assert browser.find("#facets").is_displayed()
    browser.find("a.to-found").click()
    assert not browser.find("#facets").is_displayed()


def test_filters_of_a_phone_stay_open_while_they_are_chosen(browser: Browser) -> None:
    browser.resize(PHONE)
    browser.open("/models")
    browser.find("#to-facets").click()
    choose(browser, "organisation", "zeta")
    browser.wait_for_address("/models?organisation=zeta")
    assert browser.find("#facets").is_displayed()
    assert browser.find("a.to-found").text == "Show 1 model"


def test_phone_shows_the_prices_without_scrolling(browser: Browser) -> None:
    browser.resize(PHONE)
    browser.open("/models?q=big")
    edge = "return document.querySelector('.models tbody td:nth-of-type(4)').getBoundingClientRect().right"
    assert browser.run(edge) <= PHONE[0]


def test_languages_of_the_code_are_chosen_by_keyboard(browser: Browser) -> None:
    browser.open("/models/acme/big")
    browser.tab_to("#show-curl").send_keys(Keys.ARROW_RIGHT)
    assert browser.find("#sample-python").is_displayed()
    assert not browser.find("#sample-curl").is_displayed()


MOST_TAB_STOPS = 15
CHEAPEST_VISION = "/models?capabilities=tools&capabilities=vision&min_context=200000&sort=prompt_price"


def test_keyboard_comes_to_the_first_row_in_fifteen_stops(browser: Browser) -> None:
    browser.open("/models")
    stops = browser.tab_stops_before(".models tbody input")
    assert stops <= MOST_TAB_STOPS, stops
    browser.open("/models")
    browser.tab_to("#to-facets").send_keys(Keys.ENTER)
    browser.press(Keys.TAB)
    assert browser.run("return document.activeElement.name") == "capabilities"


def test_visitor_finds_the_cheapest_vision_model_with_tools_in_four_acts(
    browser: Browser, open_provider: Provider
) -> None:
    for name, prompt, params, context in (
        ("dear", "3", ["tools"], 200_000),
        ("cheap", "2", ["tools"], 400_000),
        ("short", "1", ["tools"], 128_000),
        ("idle", "1", [], 400_000),
    ):
        model = make_offered(
            f"acme/{name}",
            open_provider,
            prompt=prompt,
            context_length=context,
            input_types=["text", "image"],
        )
        model.offerings.update(params=params)
    publish_all()
    browser.open("/models")
    for act in (
        lambda: browser.find("[name=capabilities][value=vision]").click(),
        lambda: browser.find("[name=capabilities][value=tools]").click(),
        lambda: Select(browser.find("#min_context")).select_by_value("200000"),
        lambda: browser.find("#sort-prompt").click(),
    ):
        before = browser.address
        act()
        browser.wait_until(lambda before=before: browser.address != before)
        assert browser.run("return scrollY") == 0
    browser.wait_for_address(CHEAPEST_VISION)
    assert shown(browser) == ["Cheap", "Dear"]


def test_long_filter_is_searched_and_keeps_what_was_typed(browser: Browser, open_provider: Provider) -> None:
    for number in range(12):
        make_offered(f"maker-{number}/one", open_provider)
    publish_all()
    browser.open("/models")
    browser.find("#facet-organisation summary").click()
    browser.find("#find-organisation").send_keys("maker-7")
    visible = (
        "return [...document.querySelectorAll('#facet-organisation .option')].filter(o => !o.hidden).length"
    )
    assert browser.run(visible) == 1
    browser.find("[name=organisation][value=maker-7]").click()
    browser.wait_for_address("/models?organisation=maker-7")
    assert browser.find("#find-organisation").get_property("value") == "maker-7"
    assert browser.run(visible) == 1


def test_exact_prices_show_without_a_mouse_and_without_scripts(browser: Browser) -> None:
    browser.allow_scripts(False)
    browser.open("/models?q=big")
    exact = browser.find(".models .exact:not(:empty)")
    assert not exact.is_displayed()
    browser.find("#show-exact").send_keys(Keys.SPACE)
    assert exact.is_displayed()
    browser.open("/models/acme/big")
    assert browser.find("[id^=price-]").text == "0.000001 USD for one token"


def test_unknown_address_asks_for_a_search(browser: Browser) -> None:
    browser.open("/models/acme/bigg")
    browser.tab_to(".near a").send_keys(Keys.ENTER)
    browser.wait_for_address("/models/acme/big")


def choose(browser: Browser, facet: str, value: str) -> None:
    """As somebody who opens the filter and clicks a choice; with scripts it stays open."""
    if not browser.find(f"#facet-{facet}").get_attribute("open"):
        browser.find(f"#facet-{facet} summary").click()
    browser.find(f"[name={facet}][value={value}]").click()


def shown(browser: Browser) -> list[str]:
    names: list[str] = browser.run(f"return {SHOWN}")
    return names
