"""The playground's code for each API, run with each vendor's own SDK for Python and for Node."""

import pytest

from tests.pages import Browser
from tests.system.embedded import Product
from tests.system.playing import TOOL_WORDS, fill, finish, open_page, run_samples, send
from tests.system.test_playground import browser

__all__ = ["browser"]
pytestmark = [pytest.mark.slow, pytest.mark.drill]


@pytest.mark.parametrize("surface", TOOL_WORDS)
def test_code_for_each_sdk_is_answered(browser: Browser, product: Product, surface: str) -> None:
    # What is deep in an object, Node does not print.
    says = {"responses": ("message",) * 3}.get(surface, ("It's me", "city", "Rain"))
    open_page(browser, "demo/chat")
    terms = {
        "system": "Be brief",
        "max_tokens": "99",
        "temperature": "0.5",
        "top_p": "0.9",
        "stop": "END",
    }
    fill(browser, {f"[name={name}]": value for name, value in terms.items()})
    browser.find("[name=prompt]").send_keys("It's me: “x” \\ here")
    run_samples(browser, product, surface, says[0])
    open_page(browser, "demo/chat")
    schema = '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}'
    fill(browser, {"[name=schema]": schema})
    browser.find("[name=prompt]").send_keys("Rome")
    run_samples(browser, product, surface, says[1])
    open_page(browser, "demo/chat")
    fill(browser, {})
    browser.find("[data-add-tool]").click()
    schema = '{"type": "object", "properties": {"place": {"type": "string"}}}'
    tool = {"name": "weather", "parameters": schema, "result": "Rain, 8 degrees"}
    fill(browser, {f"[data-tool-{name}]": value for name, value in tool.items()})
    send(browser, "Is it raining?")
    browser.wait_for("[data-turn]")
    finish(browser)
    run_samples(browser, product, surface, says[2])
