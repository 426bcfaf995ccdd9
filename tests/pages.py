"""A headless Chromium for tests of pages: what it loads, what it complains about, and its keyboard."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client
from selenium.webdriver import Chrome, ChromeOptions, Keys
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from accounts.models import User
from tests.patience import HANG_S
from tests.services import require_service

PHONE = (390, 844)
DESKTOP = (1280, 900)
MOST_QUERIES = 14
"""That a page may ask, whatever there is to show."""
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_DRIVER = shutil.which("chromedriver")
_TAB_LIMIT = 60
# Of what passes, only that it does. A colour that is still changing into another one is neither.
_FIND_BARRIERS = """
document.getAnimations().filter(each => each instanceof CSSTransition).forEach(each => each.finish());
const options = {resultTypes: ["violations"], selectors: false, ...arguments[0]};
axe.run(options).then(found => arguments[1](found.violations));
"""
_OF_COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
_AXE = Path(__file__).parent / "browser" / "node_modules" / "axe-core" / "axe.min.js"


class Browser:
    """One window. `base_url` stands before every address."""

    def __init__(self, driver: Chrome, base_url: str) -> None:
        self.driver = driver
        self.base_url = base_url
        self._patient = WebDriverWait(driver, HANG_S, poll_frequency=0.05)

    def open(self, address: str) -> None:
        self.driver.get(self.base_url + address)

    @property
    def address(self) -> str:
        """Path and query."""
        return self.driver.current_url.removeprefix(self.base_url)

    @property
    def text(self) -> str:
        return self.find("body").text

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def count(self, selector: str) -> int:
        return len(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, selector: str) -> WebElement:
        """Press Tab until that element has the focus, as somebody without a mouse would."""
        for _ in range(_TAB_LIMIT):
            focused = self.driver.switch_to.active_element
            if self.run("return arguments[0].matches(arguments[1])", focused, selector):
                return focused
            self.press(Keys.TAB)
        raise AssertionError(f"Tab does not reach {selector}.")

    def tab_stops_before(self, selector: str) -> int:
        """How often Tab is pressed, from the top of the page, before that element has the focus."""
        self.run("document.activeElement.blur(); scrollTo(0, 0)")
        for stops in range(_TAB_LIMIT):
            self.press(Keys.TAB)
            focused = self.driver.switch_to.active_element
            if self.run("return arguments[0].matches(arguments[1])", focused, selector):
                return stops
        raise AssertionError(f"Tab does not reach {selector}.")

    def wait_until(self, is_so: Callable[[], object]) -> None:
        self._patient.until(lambda _: is_so())

    def wait_for(self, selector: str) -> WebElement:
        self._patient.until(lambda _: self.count(selector), f"{selector} did not appear")
        return self.find(selector)

    def wait_for_address(self, address: str) -> None:
        self._patient.until(lambda _: self.address == address, f"not at {address}")

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def resize(self, size: tuple[int, int]) -> None:
        """The page's size, which a window's may not be: windows have a least width."""
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, scheme: str) -> None:
        """`light` or `dark`, as the system's setting."""
        # The driver clicks where an element was while a page still scrolls smoothly to it.
        wanted = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wanted.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def allow_scripts(self, is_allowed: bool) -> None:
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not is_allowed})

    def forget(self) -> None:
        """As new: nobody signed in, nothing stored, nothing logged, a desktop's size."""
        self.allow_scripts(True)
        self.open("/healthz")
        self.driver.execute_cdp_cmd(
            "Storage.clearDataForOrigin", {"origin": self.base_url, "storageTypes": "all"}
        )
        self.prefer("light")
        self.resize(DESKTOP)
        self.hosts_asked()
        self.complaints()

    def sign_in(self, username: str, password: str = "password") -> None:
        self.open("/sign-in")
        self.find("[name=username]").send_keys(username)
        self.find("[name=password]").send_keys(password, Keys.ENTER)
        self.wait_for("form[action='/sign-out']")

    def enter(self, username: str) -> None:
        """Signed in and at the portal, where the server is in this process: the form takes longer than most pages."""
        client = Client()
        client.force_login(User.objects.get(username=username))
        session = {
            "name": settings.SESSION_COOKIE_NAME,
            "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
        }
        self.driver.execute_cdp_cmd("Network.setCookie", {**session, "url": self.base_url, "httpOnly": True})
        self.open("/keys")

    def save_picture(self, path: Path) -> None:
        self.driver.save_screenshot(str(path))

    def barriers(self) -> list[str]:
        """What keeps people from using the page, as axe-core finds it: serious and critical findings."""
        return self._find_barriers({})

    def colour_barriers(self) -> list[str]:
        """Those of colours: all that may differ between a page in light and in dark."""
        return self._find_barriers(_OF_COLOURS)

    def barriers_in_both_schemes(self) -> list[str]:
        """Of a page that follows the system's setting at once."""
        found = self.barriers()
        self.prefer("dark")
        found += self.colour_barriers()
        self.prefer("light")
        return found

    def _find_barriers(self, options: dict[str, Any]) -> list[str]:
        require_service("axe-core (npm ci --prefix tests/browser)", _AXE.is_file())
        if self.run("return typeof axe === 'undefined'"):
            self.run(_AXE.read_text(encoding="utf-8"))
        found = self.driver.execute_async_script(_FIND_BARRIERS, options)
        return [
            f"{finding['id']}: {node['html']}"
            for finding in found
            if finding["impact"] in {"serious", "critical"}
            for node in finding["nodes"]
        ]

    def hosts_asked(self) -> set[str]:
        """Every host:port that pages asked for anything since this was called last."""
        entries = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        urls = [
            entry["params"]["request"]["url"]
            for entry in entries
            if entry["method"] == "Network.requestWillBeSent"
        ]
        return {
            urlsplit(url).netloc for url in urls if urlsplit(url).scheme in {"http", "https", "ws", "wss"}
        }

    def complaints(self) -> list[str]:
        """What the console said of errors, refused content included, since this was called last."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@contextmanager
def running_browser(base_url: str) -> Iterator[Browser]:
    """Skips the test where there is no Chromium or no driver of it."""
    require_service("chromium", _CHROMIUM is not None)
    require_service("chromedriver", _DRIVER is not None)
    driver = Chrome(options=_options(), service=Service(_DRIVER))
    driver.set_script_timeout(HANG_S)
    driver.set_page_load_timeout(HANG_S)
    try:
        browser = Browser(driver, base_url)
        browser.forget()
        yield browser
    finally:
        driver.quit()


def _options() -> ChromeOptions:
    options = ChromeOptions()
    options.binary_location = _CHROMIUM or ""
    for flag in _FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    return options
