"""The door in a real browser: passkeys of a device that DevTools stand in for, apps, codes and sessions."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from selenium.webdriver import Keys

from accounts.models import User
from tests.gateway.identity.people import code, give_app, give_password, is_in, recovery_codes_of
from tests.make import make_staff, make_team, make_user
from tests.pages import PHONE, Browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def at_number(browser: Browser) -> Iterator[Browser]:
    """The same server by its address."""
    by_name = browser.base_url
    browser.base_url = by_name.replace("localhost", "127.0.0.1")
    browser.forget()
    yield browser
    browser.base_url = by_name


@pytest.fixture
def device(browser: Browser) -> Iterator[str]:
    browser.driver.execute_cdp_cmd("WebAuthn.enable", {})
    added = browser.driver.execute_cdp_cmd("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    yield added["authenticatorId"]
    browser.driver.execute_cdp_cmd("WebAuthn.disable", {})


@pytest.fixture
def mary() -> User:
    return make_user("mary", teams=[make_team("atlas")])


def add_passkey(browser: Browser) -> None:
    browser.open("/account/passkeys/add")
    browser.wait_for("form[data-passkey] button[type=button]").click()
    browser.wait_for("#recovery-codes")


def sign_out(browser: Browser) -> None:
    browser.find("form[action='/sign-out'] button").click()
    browser.wait_for("[name=username]")


def press_passkey(browser: Browser) -> None:
    browser.wait_for("form[data-passkey] button[type=button]").click()


def test_a_passkey_opens_the_door_alone_and_as_the_second_step(
    browser: Browser, device: str, mary: User
) -> None:
    browser.sign_in("mary")
    add_passkey(browser)
    sign_out(browser)
    press_passkey(browser)
    browser.wait_for("form[action='/sign-out']")
    browser.wait_for_address("/overview")
    sign_out(browser)
    browser.find("[name=username]").send_keys("mary")
    browser.find("[name=password]").send_keys("password", Keys.ENTER)
    browser.wait_for_address("/sign-in/code")
    press_passkey(browser)
    browser.wait_for_address("/overview")
    assert browser.complaints() == []
    used = Authenticator.objects.get(type="webauthn")
    assert used.last_used_at is not None


def test_a_passkey_leads_where_one_wanted_and_proves_that_one_is_still_there(
    browser: Browser, device: str
) -> None:
    make_staff("boss")
    browser.sign_in("boss")
    add_passkey(browser)
    sign_out(browser)
    browser.open("/admin/catalogue/model/")
    press_passkey(browser)
    browser.wait_for_address("/admin/catalogue/model/")
    browser.open("/sign-in/again/passkey?next=/account")
    press_passkey(browser)
    browser.wait_for_address("/account")


def test_a_device_that_does_not_verify_its_user_is_only_a_second_step(
    browser: Browser, device: str, mary: User
) -> None:
    browser.sign_in("mary")
    add_passkey(browser)
    browser.driver.execute_cdp_cmd(
        "WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False}
    )
    sign_out(browser)
    press_passkey(browser)
    browser.wait_until(lambda: browser.count(".notice.error:not([hidden])"))
    assert browser.count("form[action='/sign-out']") == 0


def test_what_a_passkey_signed_for_another_site_opens_nothing(
    browser: Browser, device: str, mary: User
) -> None:
    """The signature of a real device, shown here with what another site's page would have had it sign."""
    browser.sign_in("mary")
    add_passkey(browser)
    sign_out(browser)
    proof = browser.driver.execute_async_script(
        "const done = arguments[0];"
        "fetch('/sign-in/passkey').then(a => a.json()).then(o => webauthnJSON.get(o)).then(done, e => done(String(e)))"
    )
    assert isinstance(proof, dict), proof
    for change in ({"origin": "https://evil.example"}, {"challenge": "AAAA"}, {"type": "webauthn.create"}):
        assert _send(browser, _changed(proof, change)) == "/sign-in"
    assert browser.count("form[action='/sign-out']") == 0


def _changed(proof: dict[str, Any], change: dict[str, str]) -> dict[str, Any]:

    raw = proof["response"]["clientDataJSON"]
    said = json.loads(urlsafe_b64decode(raw + "=" * (-len(raw) % 4))) | change
    words = urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    return proof | {"response": proof["response"] | {"clientDataJSON": words}}


def _send(browser: Browser, proof: dict[str, Any]) -> str:
    """Where the page's own form leads with that proof."""
    browser.run(
        "const form = document.querySelector('form[data-passkey]');"
        "form.elements.credential.value = arguments[0]; form.submit()",
        json.dumps(proof),
    )
    browser.wait_for("[name=username]")
    assert "was not accepted" in browser.text
    return browser.address


@pytest.mark.parametrize(
    "credential",
    ["", "1", "[]", "{}", "null", '"x"', '{"id":1}', '{"response":[]}', '{"response":{"userHandle":"é"}}'],
)
def test_what_is_no_passkey_is_refused_and_no_fault(client: Client, mary: User, credential: str) -> None:
    client.get("/sign-in/passkey")
    answer = client.post("/sign-in/passkey", {"credential": credential})
    assert answer.headers["Location"] == "/sign-in"
    give_password(client)
    assert client.post("/account/passkeys/add", {"credential": credential, "name": "x"}).status_code == 200
    client.post("/sign-out")
    give_app(mary)
    give_password(client)
    assert client.post("/sign-in/code", {"credential": credential}).status_code == 200
    assert not is_in(client)


def test_an_app_is_added_and_a_recovery_code_opens_by_keyboard_on_a_phone(
    browser: Browser, mary: User
) -> None:
    browser.resize(PHONE)
    browser.sign_in("mary")
    browser.open("/account/app")
    secret = browser.find("#app-key").get_attribute("textContent")
    browser.find("[name=code]").send_keys(code(secret=str(secret)), Keys.ENTER)
    codes = re.findall(r"\d{8}", browser.wait_for("#recovery-codes").text)
    assert codes == recovery_codes_of(mary)
    assert browser.barriers() == []
    browser.tab_to("button.menu").send_keys(Keys.ENTER)
    browser.tab_to("form[action='/sign-out'] button").send_keys(Keys.ENTER)
    browser.wait_for("[name=username]:focus")
    browser.press("mary", Keys.TAB, "password", Keys.ENTER)
    browser.wait_for("[name=code]:focus")
    assert browser.barriers() == []
    browser.press(codes[0], Keys.ENTER)
    browser.wait_for_address("/overview")
    assert browser.complaints() == []


def test_sessions_are_listed_and_ended_by_keyboard(browser: Browser, mary: User) -> None:
    elsewhere = Client(HTTP_USER_AGENT="curl/8")
    give_password(elsewhere)
    browser.sign_in("mary")
    browser.open("/account")
    assert browser.count("#sessions tbody tr") == 2
    assert browser.barriers_in_both_schemes() == []
    browser.tab_to("#sessions .heading button").send_keys(Keys.ENTER)
    browser.wait_until(lambda: browser.count("#sessions tbody tr") == 1)
    assert not is_in(elsewhere)


def test_a_demanded_factor_keeps_the_browser_at_its_page(browser: Browser, settings: Any) -> None:
    settings.SECOND_FACTOR = "staff"
    make_staff("boss")
    browser.sign_in("boss")
    browser.wait_for_address("/account")
    browser.open("/admin/")
    browser.wait_for_address("/account")
    browser.open("/account/app")
    secret = browser.find("#app-key").get_attribute("textContent")
    browser.find("[name=code]").send_keys(code(secret=str(secret)), Keys.ENTER)
    browser.wait_for("#recovery-codes")
    browser.open("/admin/")
    browser.wait_for_address("/admin/")


def test_at_a_number_passkeys_are_not_offered_and_the_page_says_why(at_number: Browser, mary: User) -> None:
    at_number.open("/sign-in")
    assert not at_number.find("form[data-passkey]").is_displayed()
    at_number.sign_in("mary")
    at_number.open("/account/passkeys/add")
    assert "http://localhost" in at_number.wait_for("[data-passkey-missing]:not([hidden])").text
    assert at_number.barriers() == []


@pytest.mark.parametrize(
    "page", ["/sign-in", "/password/forgotten", "/password/new", "/account", "/account/app"]
)
@pytest.mark.parametrize("size", [PHONE])
def test_pages_of_the_door_fit_a_phone_and_bar_nobody(
    browser: Browser, mary: User, page: str, size: tuple[int, int]
) -> None:
    if page.startswith("/account"):
        browser.enter("mary")
    browser.resize(size)
    browser.open(page)
    assert browser.run("return document.documentElement.scrollWidth") <= size[0]
    assert browser.barriers_in_both_schemes() == []
    assert browser.complaints() == []


def test_the_secret_of_a_mailed_link_leaves_the_address(browser: Browser) -> None:
    browser.open("/password/new#MQ-secret")
    browser.wait_until(lambda: browser.address == "/password/new")
    assert browser.find("[name=secret]").get_attribute("value") == "MQ-secret"
