"""Rules of sessions, cookies and logs at the door, and settings that would shut everybody out."""

import importlib
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import connection
from django.test import Client

from accounts.models import User
from gateway import identity_settings
from gateway.env import BadEnvironment
from gateway.identity.codes import opens
from tests.gateway.identity.people import code, give_app, give_password, is_in, recovery_codes_of, wrong_code
from tests.make import make_team, make_user

pytestmark = pytest.mark.django_db
POSTED = [
    "/sign-in",
    "/sign-in/code",
    "/sign-in/passkey",
    "/sign-in/again",
    "/sign-in/again/code",
    "/sign-in/again/passkey",
    "/sign-out",
    "/password",
    "/password/forgotten",
    "/password/new",
    "/account/app",
    "/account/app/remove",
    "/account/passkeys/add",
    "/account/passkeys/1/remove",
    "/account/recovery-codes/new",
    "/account/sessions/1/end",
    "/account/sessions/end-others",
    "/sign-up",
    "/sign-up/new",
]


@pytest.fixture
def mary() -> User:
    return make_user("mary", teams=[make_team("atlas")])


@pytest.mark.parametrize("address", POSTED)
def test_nothing_is_taken_without_the_forms_token(mary: User, settings: Any, address: str) -> None:
    settings.SIGN_UP = "open"
    client = Client(enforce_csrf_checks=True)
    client.force_login(mary)
    assert client.post(address, {"code": "1"}).status_code == 403


def test_each_step_has_a_session_key_of_its_own(client: Client, mary: User) -> None:
    """Whoever planted a key in a browser before somebody signs in there has one that opens nothing."""
    give_app(mary)
    client.get("/sign-in/passkey")
    planted = client.session.session_key
    give_password(client)
    half = client.session.session_key
    client.post("/sign-in/code", {"code": code()})
    opened = client.session.session_key
    assert is_in(client)
    assert opened not in {planted, half}


@pytest.mark.parametrize(
    "page", ["/sign-in", "/account", "/account/app", "/sign-in/passkey", "/password/new"]
)
def test_pages_of_the_door_are_kept_by_nobody(client: Client, mary: User, page: str) -> None:
    if page.startswith("/account"):
        give_password(client)
    assert "no-store" in client.get(page).headers["Cache-Control"]


def test_cookies_are_out_of_scripts_reach_and_of_other_sites(client: Client, mary: User) -> None:
    give_password(client)
    cookie = client.cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_what_opens_the_door_stands_in_no_log(
    client: Client, mary: User, caplog: pytest.LogCaptureFixture
) -> None:
    give_app(mary)
    shown = [code(), wrong_code(), recovery_codes_of(mary)[0], "password-typed-wrong"]
    with caplog.at_level(logging.DEBUG):
        client.post("/sign-in", {"username": "mary", "password": shown[3]})
        give_password(client)
        client.post("/sign-in/code", {"code": shown[1]})
        client.post("/sign-in/code", {"code": shown[0]})
        client.post("/sign-in/again/code", {"code": shown[2]})
        client.post("/password/new", {"secret": "MQ-secret-of-a-link"})
    # Django's own statements, which only DEBUG logs, are not among them.
    said = "\n".join(each.getMessage() for each in caplog.records if each.name != "django.db.backends")
    assert not any(word in said for word in [*shown, "secret-of-a-link"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["totp", "recovery_codes"])
def test_of_two_who_send_one_code_at_once_one_comes_in(mary: User, kind: str) -> None:
    give_app(mary)
    factor = Authenticator.objects.get(user=mary, type=kind)
    shown = code() if kind == "totp" else recovery_codes_of(mary)[0]

    def send(_: int) -> bool:
        try:
            return opens(Authenticator.objects.get(pk=factor.pk), shown)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(send, range(4))) == [False, False, False, True]


def test_without_passwords_somebody_has_to_be_able_to_come_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_LOCAL_PASSWORDS", "0")
    with pytest.raises(BadEnvironment, match="GATEWAY_BREAK_GLASS is not set"):
        importlib.reload(identity_settings)
    monkeypatch.undo()
    importlib.reload(identity_settings)


@pytest.mark.parametrize(
    ("name", "value"), [("GATEWAY_SECOND_FACTOR", "everybody"), ("GATEWAY_SIGN_UP", "closed")]
)
def test_words_that_no_setting_knows_are_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadEnvironment, match=f"{name} is '{value}'; use one of"):
        importlib.reload(identity_settings)
    monkeypatch.undo()
    importlib.reload(identity_settings)


def test_staff_are_led_to_the_door_and_members_hear_that_the_admin_is_not_theirs(
    client: Client, mary: User
) -> None:
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/sign-in?next=%2Fadmin%2F"
    give_password(client)
    assert client.get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_admins_address_never_leads_to_another_site(client: Client, place: str) -> None:
    answer = client.get("/admin/login/", {"next": place})
    assert answer.headers["Location"] == "/sign-in?next=%2Fadmin%2F"


@pytest.mark.parametrize("place", ["é", "\ufffd", "account_login", "?x", "keys"])
def test_whatever_the_admins_address_is_told_is_a_place_and_no_fault(client: Client, place: str) -> None:
    make_user("boss", is_staff=True)
    give_password(client, "boss")
    assert client.get("/admin/login/", {"next": place}).status_code == 302
