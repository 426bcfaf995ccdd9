"""The playground in a real browser, against a real gateway and a provider that does what its prompts say."""

import base64
import json
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing

import pytest
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By

from tests.pages import DESKTOP, PHONE, Browser, running_browser
from tests.services import wait_until
from tests.system.admin_pages import AdminPages
from tests.system.embedded import Product
from tests.system.playing import (
    DOT,
    TOOL_WORDS,
    ask,
    code,
    copy_picture,
    drop,
    fill,
    finish,
    open_page,
    post,
    send,
    start,
    type_again,
)
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


def outcomes(product: Product, model: str) -> list[str]:
    """Of the model's attempts, the newest first."""
    query = "SELECT outcome FROM accounts_ledgerentry WHERE model = ? ORDER BY started_at DESC"
    with closing(sqlite3.connect(f"file:{product.folder}/gatehouse.sqlite3?mode=ro", uri=True)) as database:
        return [outcome for (outcome,) in database.execute(query, [model])]


def playground_keys(product: Product) -> list[str]:
    query = "SELECT public_id FROM accounts_key WHERE is_playground AND revoked_at IS NULL"
    with closing(sqlite3.connect(f"file:{product.folder}/gatehouse.sqlite3?mode=ro", uri=True)) as database:
        return [public_id for (public_id,) in database.execute(query)]


class TestPlayground:
    def test_four_models_answer_side_by_side_with_their_figures(self, browser: Browser) -> None:
        models = ["demo/chat", "auto", "demo/chat:cheap", "nobody/none"]
        columns = ask(browser, f"Say {SCRIPT}", *models)
        assert [column.splitlines()[0] for column in columns] == models
        assert all("First token" in each and "Cost" in each and "Receipt" in each for each in columns[:3])
        assert all(SCRIPT in each for each in columns[:3])
        assert "does not exist" in columns[3]
        assert browser.driver.title != "taken"
        assert browser.count(".answer script") == 0

    def test_conversation_goes_on_with_what_was_said(
        self, browser: Browser, scripted: str, upstream: ScriptedProvider
    ) -> None:
        open_page(browser, scripted)
        fill(browser, {"[name=system]": "Be brief", "[name=temperature]": "0,5", "[name=stop]": "END"})
        send(browser, "First")
        browser.wait_for("[data-turn]")
        finish(browser)
        send(browser, "Second")
        browser.wait_until(lambda: browser.count("[data-turn]") == 2)
        finish(browser)
        body = upstream.calls[-1].body
        assert [(each["role"], each["content"]) for each in body["messages"]] == [
            ("system", "Be brief"),
            ("user", "First"),
            ("assistant", "You said: First"),
            ("user", "Second"),
        ]
        assert (body["temperature"], body["stop"]) == (0.5, ["END"])

    def test_one_column_is_stopped_at_its_provider_while_another_goes_on(
        self, browser: Browser, product: Product, scripted: str, upstream: ScriptedProvider
    ) -> None:
        upstream.script("never-ending")
        start(browser, "Go on for ever", scripted, "demo/chat")
        first, second = browser.driver.find_elements(By.CSS_SELECTOR, ".answer")
        browser.wait_until(lambda: "≈" in first.find_element(By.CSS_SELECTOR, "dl").text)
        browser.wait_until(lambda: "Done" in second.text)
        seen = upstream.calls[-1]
        first.find_element(By.CSS_SELECTOR, "[data-stop]").click()
        browser.wait_until(lambda: "Stopped" in first.text)
        wait_until(lambda: seen.has_hung_up, "hanging up on the provider")
        wait_until(lambda: outcomes(product, scripted)[:1] == ["cancelled"], "the ledger saying so")

    def test_all_are_stopped_at_once(
        self, browser: Browser, scripted: str, upstream: ScriptedProvider
    ) -> None:
        upstream.script("never-ending", "never-ending")
        start(browser, "Go on", scripted, f"{scripted}:fast")
        browser.wait_until(lambda: browser.count(".answer .text") == 2)
        seen = upstream.calls[-2:]
        # By keyboard: the answers that grow push it down.
        browser.find("[data-stop-all]").send_keys(Keys.ENTER)
        assert all("Stopped" in column for column in finish(browser))
        wait_until(lambda: all(each.has_hung_up for each in seen), "hanging up on the provider")

    def test_slow_model_waits_for_its_first_token(
        self, browser: Browser, scripted: str, upstream: ScriptedProvider
    ) -> None:
        upstream.script("ok?hold=0&chunks=20&delay=0.02")
        start(browser, "Slowly", scripted)
        browser.wait_until(lambda: "Waiting for the first token" in browser.find(".answer").text)
        upstream.go_on()
        (column,) = finish(browser)
        assert "word19" in column
        assert "tokens a second" in column

    def test_error_in_midstream_is_told_beside_what_came_and_tried_again(
        self, browser: Browser, scripted: str, upstream: ScriptedProvider
    ) -> None:
        upstream.script("eof-mid")
        (column,) = ask(browser, "Break", scripted)
        assert "Failed" in column
        assert browser.find(".answer .text").text
        assert "charged as far as it came" in browser.find("[data-trouble]").text
        browser.find("[data-trouble] [data-retry]").click()
        browser.wait_until(lambda: "Done" in browser.find(".answer").text)
        assert "You said: Break" in browser.find(".answer .text").text

    def test_refusal_says_how_long_to_wait(
        self, browser: Browser, scripted: str, upstream: ScriptedProvider
    ) -> None:
        upstream.script(*["429?retry-after=30"] * 3)
        ask(browser, "Too much", scripted)
        trouble = browser.find("[data-trouble]")
        assert "It may be tried again in" in trouble.text
        assert not trouble.find_element(By.CSS_SELECTOR, "[data-retry]").is_enabled()

    def test_tool_is_called_answered_and_the_model_goes_on(self, browser: Browser) -> None:
        open_page(browser, "demo/chat")
        fill(browser, {"[name=max_tokens]": "200"})
        browser.find("[data-add-tool]").click()
        schema = '{"type": "object", "properties": {"place": {"type": "string"}}}'
        fill(browser, {"[data-tool-name]": "weather", "[data-tool-parameters]": schema})
        send(browser, "Is it raining?")
        browser.wait_for(".step")
        assert "no answer is given for that tool" in finish(browser)[0]
        fill(browser, {"[data-tool-result]": "Rain, 8 degrees"})
        send(browser, "Is it raining?")
        browser.wait_until(lambda: browser.count("[data-turn]") == 2)
        (column,) = finish(browser)
        assert "→ weather({" in column
        assert "← Rain, 8 degrees" in column
        assert "You said: “Rain, 8 degrees”" in column
        for surface, words in TOOL_WORDS.items():
            shown = code(browser, surface, "curl")
            assert [word in shown for word in words] == [True] * len(words), surface

    def test_schema_decides_the_form_of_the_answer(self, browser: Browser) -> None:
        open_page(browser, "demo/chat")
        schema = '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}'
        fill(browser, {"[name=schema]": schema})
        send(browser, "Rome")
        browser.wait_for(".answer .text")
        finish(browser)
        assert "city" in json.loads(browser.find(".answer .text").text)

    def test_fault_of_what_was_typed_is_said_before_anything_is_asked(self, browser: Browser) -> None:
        open_page(browser, "demo/chat")
        fill(browser, {"[name=schema]": "{city"})
        send(browser, "Rome")
        browser.wait_until(lambda: "The schema is not JSON" in browser.find("[data-fault]").text)
        assert browser.find("[name=prompt]").get_property("value") == "Rome"
        assert browser.count(".answer") == 0

    def test_image_is_attached_and_stands_in_the_code_of_each_api(
        self, browser: Browser, product: Product
    ) -> None:
        open_page(browser, "demo/chat")
        browser.wait_until(lambda: "does not read images" in browser.find(".attach").text)
        assert not browser.find("#images").is_enabled()
        open_page(browser, "auto")
        picture = product.folder.parent / "dot.png"
        picture.write_bytes(DOT)
        browser.find("#images").send_keys(str(picture))
        browser.wait_for(".thumbs img")
        browser.find("[name=prompt]").send_keys("What is it?")
        shown = {surface: code(browser, surface, "curl") for surface in TOOL_WORDS}
        encoded = base64.b64encode(DOT).decode()
        assert all(encoded in text for text in shown.values())
        browser.find(".thumbs button").click()
        assert encoded not in code(browser, "chat", "curl")

    def test_images_are_pasted_and_dropped_and_text_is_not_taken_for_one(
        self, browser: Browser, product: Product
    ) -> None:
        browser.complaints()
        open_page(browser, "auto")
        picture = product.folder.parent / "dot.png"
        picture.write_bytes(DOT)
        prompt = browser.find("[name=prompt]")
        copy_picture(browser)
        prompt.send_keys("What is it?", Keys.CONTROL, "v")
        browser.wait_until(lambda: browser.count(".thumbs img") == 1)
        drop(browser, prompt, files=[str(picture)])
        browser.wait_until(lambda: browser.count(".thumbs img") == 2)
        drop(browser, browser.find("h1"), files=[str(picture)])
        browser.wait_until(lambda: browser.count(".thumbs img") == 3)
        drop(browser, prompt, items=[{"mimeType": "text/plain", "data": "A dot."}])
        browser.wait_until(lambda: "A dot." in str(prompt.get_property("value")))
        assert browser.count(".thumbs img") == 3
        assert code(browser, "messages", "curl").count(base64.b64encode(DOT).decode()) >= 2
        open_page(browser, "demo/chat")
        browser.wait_until(lambda: "does not read images" in browser.find(".attach").text)
        drop(browser, browser.find("[name=prompt]"), files=[str(picture)])
        browser.wait_until(lambda: "reads images" in browser.find("[data-fault]").text)
        assert browser.complaints() == []

    @pytest.mark.parametrize("surface", ["chat", "responses", "messages", "gemini"])
    def test_code_for_each_api_is_answered(self, browser: Browser, product: Product, surface: str) -> None:
        open_page(browser, "demo/chat")
        fill(browser, {"[name=system]": "Be brief", "[name=max_tokens]": "99", "[name=temperature]": "0.5"})
        browser.find("[name=prompt]").send_keys("It's me: “x”")
        line = code(browser, surface, "curl")
        answered = subprocess.run(
            ["bash", "-c", f"{line} --silent --fail-with-body"],
            env={"PATH": os.environ["PATH"], "GATEWAY_KEY": product.key},
            capture_output=True,
            text=True,
            check=False,
        )
        assert answered.returncode == 0, answered.stdout + answered.stderr
        assert "It's me" in answered.stdout
        compile(code(browser, surface, "python"), "sample.py", "exec")
        node = code(browser, surface, "node")
        checked = subprocess.run(
            ["node", "--check", "--input-type=module"],
            input=node,
            capture_output=True,
            text=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stderr

    def test_what_an_api_has_no_word_for_is_said(self, browser: Browser) -> None:
        open_page(browser, "auto")
        fill(browser, {"[name=seed]": "7"})
        code(browser, "messages", "curl")
        assert "no such parameter: seed" in browser.find("[data-remarks]").text

    def test_prompt_is_kept_under_a_name_loaded_and_deleted(self, browser: Browser) -> None:
        open_page(browser, "demo/chat")
        browser.find("[name=prompt]").send_keys("Kept & <b>well</b>")
        fill(browser, {"[name=saved_name]": "<i>mine</i>", "[name=system]": "S"})
        browser.find("[name=saved_name]").send_keys(Keys.ENTER)
        browser.wait_until(lambda: "<i>mine</i>" in browser.find("[data-saved]").text)
        for name in ("prompt", "system"):
            browser.find(f"[name={name}]").clear()
        browser.open("/playground")
        browser.wait_for("form[data-ready]")
        fill(browser, {})
        browser.find("[data-saved] button").click()
        assert browser.find("[name=prompt]").get_property("value") == "Kept & <b>well</b>"
        assert browser.find("[name=system]").get_property("value") == "S"
        browser.find("[data-saved] .danger").click()
        assert "None yet" in browser.find("[data-saved]").text

    def test_model_is_found_by_keyboard_with_its_price_and_context(self, browser: Browser) -> None:
        open_page(browser, "")
        field = browser.find(".model-line input")
        browser.wait_until(lambda: type_again(field, "demo cha") and browser.count("[role=option]"))
        assert "$0.10 in, $0.40 out per million · 128K context" in browser.find("[role=option]").text
        field.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
        assert field.get_property("value") == "demo/chat"
        assert "128K context" in browser.find("[data-terms]").text

    def test_key_that_was_revoked_is_followed_by_another_one(
        self, browser: Browser, product: Product
    ) -> None:
        ask(browser, "One", "demo/chat")
        text = post(browser, "/playground/key", team="demo")["key"]
        for public_id in playground_keys(product):
            post(browser, f"/keys/{public_id}/revoke")
        wait_until(lambda: product.chat(key=text).status_code == 401, "refusing the keys")
        send(browser, "Two")
        browser.wait_until(lambda: browser.count("[data-turn]") == 2)
        assert "You said: “Two”" in finish(browser)[0]

    @pytest.mark.parametrize("size", [PHONE, DESKTOP])
    def test_prompt_and_what_stops_stay_in_view_however_long_answers_are(
        self, browser: Browser, scripted: str, size: tuple[int, int]
    ) -> None:
        browser.resize(size)
        open_page(browser, scripted)
        # Pasted: to type it takes ten seconds.
        browser.run(
            "arguments[0].value = arguments[1]", browser.find("[name=prompt]"), "Tell me of gates. " * 300
        )
        browser.find("[name=prompt]").send_keys("Now", Keys.CONTROL, Keys.ENTER)
        browser.wait_for(".answer")
        finish(browser)
        browser.run("scrollTo(0, document.querySelector('[data-answers]').offsetTop)")
        send(browser, "Go on")
        browser.wait_until(lambda: len(finish(browser)) and browser.count("[data-turn]") == 2)
        for selector in ("[name=prompt]", "[data-run]"):
            place = browser.find(selector)
            box = browser.run("return arguments[0].getBoundingClientRect().toJSON()", place)
            assert 0 <= box["top"] < box["bottom"] <= size[1]
        asked = browser.run(
            "return [...document.querySelectorAll('[data-asked]')].at(-1).getBoundingClientRect().top"
        )
        assert 0 <= asked < size[1]
        browser.resize(DESKTOP)

    def test_screen_readers_are_told_what_happened_and_not_every_word(self, browser: Browser) -> None:
        ask(browser, "Say it", "demo/chat")
        browser.wait_until(lambda: "has answered" in browser.find("[data-told]").get_property("textContent"))
        assert browser.find(".turns").get_attribute("aria-live") is None

    def test_page_keeps_nobody_out_and_asks_nobody_else(self, browser: Browser, product: Product) -> None:
        browser.hosts_asked()
        browser.complaints()
        ask(browser, "Say hello", "demo/chat")
        browser.find("[data-add-tool]")
        fill(browser, {})
        browser.find("[data-add-tool]").click()
        assert browser.barriers_in_both_schemes() == []
        assert browser.complaints() == []
        assert browser.hosts_asked() == {product.url.removeprefix("http://")}
        browser.resize(PHONE)
        assert browser.run("return document.documentElement.scrollWidth") <= PHONE[0]
        browser.resize(DESKTOP)
