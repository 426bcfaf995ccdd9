"""Away to an identity provider and back in a real browser, which obeys our own policy for pages."""

import pytest

from accounts.models import IdentityProvider, User
from tests.gateway.identity.oidc.provider import OpenId
from tests.pages import Browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def sign_in_with_provider(browser: Browser) -> None:
    browser.open("/sign-in")
    browser.find("form[action='/sign-in/with/okta'] button").click()


def test_somebody_comes_back_signed_in(browser: Browser, openid: OpenId, row: IdentityProvider) -> None:
    openid.person |= {"email": "ada@x.example", "email_verified": True, "preferred_username": "ada"}
    sign_in_with_provider(browser)
    browser.wait_until(lambda: browser.address.startswith("/overview"))
    browser.open("/account")
    assert "ada" in browser.find("dl").text
    assert "you may sign in by it" in browser.find("#providers").text
    assert browser.complaints() == []
    assert User.objects.get().username == "ada"


def test_what_is_not_believed_is_said_at_the_sign_in(
    browser: Browser, openid: OpenId, row: IdentityProvider
) -> None:
    openid.person |= {"email": "ada@x.example", "email_verified": True}
    openid.faults.claims = {"aud": "another"}
    sign_in_with_provider(browser)
    browser.wait_until(lambda: browser.address == "/sign-in" and browser.count(".notice.error"))
    assert "another client" in browser.find(".notice.error").text
