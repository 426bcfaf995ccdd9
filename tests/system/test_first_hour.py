"""The first hour: from what the first start printed to an answer of a real provider, in few clicks."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages import Browser, running_browser
from tests.patience import HANG_S
from tests.services import require_service, wait_until
from tests.system.embedded import Prepared, Product
from tests.upstream import ScriptedProvider

pytestmark = pytest.mark.slow
MOST_CLICKS = 6


class Newcomer:
    """Somebody at a browser whose clicks are counted; Enter counts as one."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.clicks = 0

    def click(self, selector: str) -> None:
        self.clicks += 1
        element = self.browser.wait_for(selector)
        self.browser.run("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def type(self, selector: str, text: str) -> None:
        self.browser.wait_for(selector).send_keys(text)


@pytest.fixture
def product(tmp_path: Path, prepared: Prepared) -> Iterator[Product]:
    with prepared.started(tmp_path / "data") as product:
        yield product


@pytest.fixture
def newcomer(product: Product) -> Iterator[Newcomer]:
    with running_browser(product.url) as browser:
        yield Newcomer(browser)


def paste(product: Product, call: str) -> str:
    """The answer to a call that is pasted into a shell with the first key."""
    require_service("curl", shutil.which("curl") is not None)
    said = subprocess.check_output(
        ["sh", "-c", f"{call} -sS"],
        text=True,
        timeout=HANG_S,
        env={"GATEWAY_KEY": product.key, "PATH": "/usr/bin:/bin"},
    )
    return str(json.loads(said)["choices"][0]["message"]["content"])


def test_newcomer_comes_to_the_first_real_answer_in_six_clicks(
    product: Product, newcomer: Newcomer, upstream: ScriptedProvider
) -> None:
    printed = next(line.strip() for line in product.log.splitlines() if line.endswith("/admin/connect/"))
    newcomer.browser.open(printed.removeprefix(product.url))
    newcomer.type("[name=username]", "admin")
    newcomer.type("[name=password]", product.admin_password)
    newcomer.click("form.card button.primary")
    newcomer.type("[name=own-address]", upstream.address)
    newcomer.click("button[name=act][value=own]")
    newcomer.click("[name=own-is_allowed]")
    newcomer.click("button[name=act][value=own]")
    call = newcomer.browser.wait_for("#call").text
    assert "1 model can be called now" in newcomer.browser.text
    newcomer.click("[data-copy=call]")
    newcomer.browser.wait_for("[data-copy=call].done")
    wait_until(lambda: "server-at-port" in " ".join(product.model_ids()), "noticing the new provider")
    seen = len(upstream.calls)
    assert paste(product, call)
    assert len(upstream.calls) == seen + 1
    assert newcomer.clicks <= MOST_CLICKS


def test_pages_of_connecting_keep_nobody_out_and_load_nothing_from_elsewhere(
    product: Product, newcomer: Newcomer, upstream: ScriptedProvider
) -> None:
    browser = newcomer.browser
    browser.sign_in("admin", product.admin_password)
    browser.open("/admin/connect/")
    assert browser.barriers_in_both_schemes() == []
    newcomer.type("[name=own-address]", upstream.address)
    newcomer.click("button[name=act][value=own]")
    browser.wait_for(".wrong")
    assert browser.barriers() == []
    newcomer.click("[name=own-is_allowed]")
    newcomer.click("button[name=act][value=own]")
    browser.wait_for("#call")
    assert browser.barriers() == []
    assert browser.hosts_asked() == {browser.base_url.removeprefix("http://")}
    assert browser.complaints() == []
