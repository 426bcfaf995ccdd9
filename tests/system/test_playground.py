"""The playground in a real browser, against a real gateway and a provider that does what its prompts say."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By

from tests.pages import PHONE, Browser, running_browser
from tests.services import wait_until
from tests.system.admin_pages import AdminPages
from tests.system.embedded import Product
from tests.upstream import ScriptedProvider

pytestmark = pytest.mark.slow
SCRIPT = "<script>document.title = 'taken'</script>"


@pytest.fixture(scope="module")
def browser(product: Product) -> Iterator[Browser]:
    with running_browser(product.url) as browser:
        browser.sign_in("member", product.member_password)
        yield browser


@pytest.fixture(scope="module")
def scripted(product: Product, upstream: ScriptedProvider) -> str:
    """The id of a model at a provider that does what it is told."""
    with AdminPages(product.url, username="admin", password=product.admin_password) as pages:
        pages.submit(
            "/admin/providers/provider/add/",
            name="Played",
            slug="played",
            base_url=upstream.base_url,
            is_probed=[],
            **{"credential-0-kind": "none"},
        )
        offering = {
            "provider": pages.row_id("providers/provider", "played"),
            "upstream_name": "scripted-model",
            "endpoints": "chat.completions",
            "position": "0",
            "is_enabled": "on",
        }
        pages.submit(
            "/admin/catalogue/model/add/",
            organisation="demo",
            slug="played",
            name="Played",
            input_types="text",
            **{"offerings-TOTAL_FORMS": "1", "aliases-TOTAL_FORMS": "0"},
            **{f"offerings-0-{name}": value for name, value in offering.items()},
        )
    wait_until(lambda: product.chat("demo/played").status_code == 200, "serving the model")
    return "demo/played"


def ask(browser: Browser, prompt: str, *models: str) -> list[str]:
    """What the cards say once all are over."""
    start(browser, prompt, *models)
    browser.wait_until(lambda: not browser.find("[data-run]").get_attribute("hidden"))
    return [card.text for card in browser.driver.find_elements(By.CSS_SELECTOR, ".answer")]


def start(browser: Browser, prompt: str, *models: str) -> None:
    browser.open(f"/playground?model={models[0]}")
    browser.run("localStorage.clear()")
    for model in models[1:]:
        browser.find("[data-add-model]").click()
        browser.driver.switch_to.active_element.send_keys(model)
    browser.find("[name=prompt]").clear()
    browser.find("[name=prompt]").send_keys(prompt)
    browser.run("document.querySelector('[data-run]').click()")
    browser.wait_for(".answer")


def test_four_models_answer_side_by_side_with_their_figures(browser: Browser) -> None:
    cards = ask(browser, f"Say {SCRIPT}", "demo/chat", "auto", "demo/chat:cheap", "nobody/none")
    assert [card.splitlines()[0] for card in cards] == ["demo/chat", "auto", "demo/chat:cheap", "nobody/none"]
    assert all("First token" in card and "Cost" in card and "Receipt" in card for card in cards[:3])
    assert all(SCRIPT in card for card in cards[:3])
    assert "does not exist" in cards[3]
    assert browser.driver.title != "taken"


def test_call_is_shown_as_code_for_each_api(browser: Browser) -> None:
    ask(browser, "Say it's me", "demo/chat")
    for surface, path in (
        ("chat", "/v1/chat/completions"),
        ("responses", "/v1/responses"),
        ("messages", "/v1/messages"),
    ):
        choose(browser, "surface", surface)
        choose(browser, "language", "curl")
        assert path in browser.find("#playground-code").text
        for language, word in (("python", "client"), ("node", "await client")):
            choose(browser, "language", language)
            assert word in browser.find("#playground-code").text


def choose(browser: Browser, field: str, value: str) -> None:
    browser.run(
        "const field = document.getElementById(arguments[0]); field.value = arguments[1];"
        "field.dispatchEvent(new Event('change', {bubbles: true}))",
        field,
        value,
    )


def test_stop_ends_the_call_at_the_provider(
    browser: Browser, scripted: str, upstream: ScriptedProvider
) -> None:
    upstream.script("never-ending")
    start(browser, "Go on for ever", scripted)
    browser.wait_until(lambda: browser.find("[data-text]").text)
    seen = upstream.calls[-1]
    browser.find("[data-stop]").click()
    browser.wait_until(lambda: "Stopped" in browser.find(".answer").text)
    wait_until(lambda: seen.has_hung_up, "hanging up on the provider")


def test_error_in_midstream_is_told_beside_what_came(
    browser: Browser, scripted: str, upstream: ScriptedProvider
) -> None:
    upstream.script("eof-mid")
    (card,) = ask(browser, "Break", scripted)
    assert "Failed" in card
    assert browser.find("[data-text]").text
    assert browser.find("[data-error]").text


def test_page_keeps_nobody_out_and_asks_nobody_else(browser: Browser, product: Product) -> None:
    browser.hosts_asked()
    browser.complaints()
    ask(browser, "Say hello", "demo/chat")
    browser.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert browser.barriers_in_both_schemes() == []
    assert browser.complaints() == []
    assert browser.hosts_asked() == {product.url.removeprefix("http://")}
    browser.resize(PHONE)
    assert browser.run("return document.documentElement.scrollWidth") <= PHONE[0]
