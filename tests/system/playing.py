"""The playground as its tests use it: what is typed, dropped and read there, and its code as somebody runs it."""

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select

from tests.pages import Browser
from tests.patience import LONG_HANG_S
from tests.services import require_service
from tests.system.embedded import Product

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
TOOL_WORDS = {
    "chat": ["tool_calls", "tool_call_id"],
    "responses": ["function_call_output", "call_id"],
    "messages": ["tool_use", "tool_result", "input_schema"],
    "gemini": ["functionCall", "functionResponse", "parametersJsonSchema"],
}


def ask(browser: Browser, prompt: str, *models: str) -> list[str]:
    """What the columns say once all are over."""
    start(browser, prompt, *models)
    return finish(browser)


def finish(browser: Browser) -> list[str]:
    browser.wait_until(lambda: not browser.find("[data-run]").get_attribute("hidden"))
    return [column.text for column in browser.driver.find_elements(By.CSS_SELECTOR, ".answer")]


def start(browser: Browser, prompt: str, *models: str) -> None:
    open_page(browser, *models)
    send(browser, prompt)
    browser.wait_for(".answer")


def open_page(browser: Browser, *models: str) -> None:
    """As somebody who was never here."""
    address = f"/playground?{urlencode([('model', model) for model in models])}"
    browser.open("/healthz")
    browser.run("localStorage.clear()")
    browser.open(address)
    browser.wait_for("form[data-ready]")


def send(browser: Browser, prompt: str) -> None:
    field = browser.find("[name=prompt]")
    field.clear()
    field.send_keys(prompt)
    field.send_keys(Keys.CONTROL, Keys.ENTER)


def fill(browser: Browser, values: dict[str, str]) -> None:
    """Fields by their selectors, those in closed parts of the page too."""
    browser.run("document.querySelectorAll('details').forEach(each => { each.open = true })")
    for selector, text in values.items():
        browser.find(selector).send_keys(text)


def code(browser: Browser, surface: str, language: str) -> str:
    for field, value in (("surface", surface), ("language", language)):
        Select(browser.find(f"#{field}")).select_by_value(value)
    return str(browser.find("#playground-code").get_property("textContent"))


def run_samples(browser: Browser, product: Product, surface: str, told: str) -> None:
    """What the page says for Python and Node, as somebody pastes it into a file."""
    folder = Path(__file__).parents[1] / "sdk" / "node"
    require_service(
        "SDKs for Node (npm ci --prefix tests/sdk/node)", (folder / "node_modules/@google").is_dir()
    )
    for language, line in (("python", [sys.executable, "-"]), ("node", ["node", "--input-type=module"])):
        text = code(browser, surface, language)
        done = subprocess.run(
            line,
            input=text,
            cwd=folder,
            env={**os.environ, "GATEWAY_KEY": product.key},
            capture_output=True,
            text=True,
            check=False,
            timeout=LONG_HANG_S,
        )
        assert done.returncode == 0, f"{text}\n{done.stderr}"
        assert told in done.stdout, text


def post(browser: Browser, address: str, **fields: str) -> Any:
    """As a form of the page would; what JSON says, or None."""
    script = """
        const done = arguments[2];
        const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
        const body = new URLSearchParams({csrfmiddlewaretoken: token, ...arguments[1]});
        fetch(arguments[0], {method: "POST", body}).then(each => each.json()).then(done, () => done(null));
    """
    return browser.driver.execute_async_script(script, address, fields)


def copy_picture(browser: Browser) -> None:
    """Into the clipboard, as another program would."""
    allowed = ["clipboardReadWrite", "clipboardSanitizedWrite"]
    browser.driver.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": allowed, "origin": browser.base_url}
    )
    script = """
        const bytes = Uint8Array.from(atob(arguments[0]), (letter) => letter.charCodeAt(0));
        const item = new ClipboardItem({"image/png": new Blob([bytes], {type: "image/png"})});
        navigator.clipboard.write([item]).then(() => arguments[1](""), arguments[1]);
    """
    assert browser.driver.execute_async_script(script, base64.b64encode(DOT).decode()) == ""


def drop(browser: Browser, place: WebElement, **data: Any) -> None:
    """As a hand does that drags it there from another program."""
    script = "const box = arguments[0].getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]"
    x, y = browser.run(script, place)
    told = {"x": x, "y": y, "data": {"items": [], "dragOperationsMask": 1, **data}}
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.driver.execute_cdp_cmd("Input.dispatchDragEvent", {"type": kind, **told})


def type_again(field: WebElement, text: str) -> bool:
    """Until what there is to find has come."""
    field.clear()
    field.send_keys(text)
    return True
