"""Second factors: setting them up, the second step, codes that open once, and proof that somebody is still there."""

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import guesses
from accounts.guesses import WRONG_CODES, codes_of
from accounts.models import AuditEntry, User
from gateway.core.store.tries import Tries
from providers.services import rotate_secrets
from tests.gateway.identity.people import (
    code,
    give_app,
    give_password,
    is_in,
    recovery_codes_of,
    stored,
    wrong_code,
)
from tests.make import make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def mary() -> User:
    return make_user("mary", teams=[make_team("atlas")])


@pytest.fixture
def with_app(mary: User) -> User:
    give_app(mary)
    return mary


def set_up(client: Client) -> tuple[str, Any]:
    """An app, by the page's own form: its secret and the answer."""
    page = client.get("/account/app").text
    secret = re.search(r'id="app-key">([A-Z2-7]+)<', page)
    box = re.search(r'name="secret_box" value="([^"]+)"', page)
    assert secret, page
    assert box, page
    form = {"secret_box": box[1], "code": code(secret=secret[1])}
    return secret[1], client.post("/account/app", form, follow=True)


def test_an_app_is_set_up_and_asked_for_from_then_on(client: Client, mary: User) -> None:
    give_password(client)
    secret, answer = set_up(client)
    assert answer.redirect_chain == [("/account/recovery-codes", 302)]
    assert len(re.findall(r"^\d{8}$|(?<=>)\d{8}$", answer.text, re.MULTILINE)) == 10
    client.post("/sign-out")
    assert give_password(client) == "/sign-in/code"
    assert not is_in(client)
    assert client.post("/sign-in/code", {"code": code(1, secret)}).headers["Location"] == "/overview"
    assert is_in(client)


def test_the_code_that_set_an_app_up_opens_nothing(client: Client, mary: User) -> None:
    give_password(client)
    secret, _ = set_up(client)
    used = code(secret=secret)
    client.post("/sign-out")
    give_password(client)
    assert "it was used already" in client.post("/sign-in/code", {"code": used}).text


def test_recovery_codes_are_shown_once(client: Client, mary: User) -> None:
    give_password(client)
    set_up(client)
    again = client.get("/account/recovery-codes").text
    assert "are not shown again: 10 of 10 are left" in again
    assert not any(each in again for each in recovery_codes_of(mary))


def test_a_wrong_first_code_sets_nothing_up(client: Client, mary: User) -> None:
    give_password(client)
    page = client.get("/account/app").text
    box = re.search(r'name="secret_box" value="([^"]+)"', page)
    assert box
    answer = client.post("/account/app", {"secret_box": box[1], "code": "000000"})
    assert "This is not what the app should show" in answer.text
    assert not Authenticator.objects.exists()


def test_the_box_of_another_person_is_not_taken(client: Client, mary: User) -> None:
    make_user("eve")
    eve = Client()
    give_password(eve, "eve")
    page = eve.get("/account/app").text
    box = re.search(r'name="secret_box" value="([^"]+)"', page)
    secret = re.search(r'id="app-key">([A-Z2-7]+)<', page)
    assert box
    assert secret
    give_password(client)
    client.post("/account/app", {"secret_box": box[1], "code": code(secret=secret[1])})
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize("box", ["", "nonsense", "\x00", "a" * 600])
def test_what_is_no_box_is_refused_in_words(client: Client, mary: User, box: str) -> None:
    give_password(client)
    assert client.post("/account/app", {"secret_box": box, "code": "123456"}).status_code == 200
    assert not Authenticator.objects.exists()


def test_secrets_rest_sealed_in_factors_and_sessions(client: Client, mary: User) -> None:
    give_password(client)
    secret, _ = set_up(client)
    kept = stored()
    sessions = str([each.get_decoded() for each in Session.objects.all()])
    codes = recovery_codes_of(mary)
    assert not any(word in kept + sessions for word in (secret, *codes))
    told = str(list(AuditEntry.objects.values("changes", "object_repr", "event")))
    assert not any(word in told for word in (secret, *codes))


def test_a_code_opens_once_whichever_process_it_comes_to(
    client: Client, with_app: User, settings: Any
) -> None:
    shown = code()
    give_password(client)
    assert client.post("/sign-in/code", {"code": shown}).status_code == 302
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    another = Client()
    give_password(another)
    assert "it was used already" in another.post("/sign-in/code", {"code": shown}).text
    assert not is_in(another)


def test_a_recovery_code_opens_once(client: Client, with_app: User) -> None:
    shown = recovery_codes_of(with_app)[3]
    give_password(client)
    assert client.post("/sign-in/code", {"code": shown}).status_code == 302
    assert len(recovery_codes_of(with_app)) == 9
    another = Client()
    give_password(another)
    assert another.post("/sign-in/code", {"code": shown}).status_code == 200
    assert not is_in(another)


def test_wrong_codes_wait_by_account_from_wherever_they_come(client: Client, with_app: User) -> None:
    for number in range(WRONG_CODES.free + 1):
        guesser = Client(REMOTE_ADDR=f"203.0.113.{number}")
        give_password(guesser)
        assert guesser.post("/sign-in/code", {"code": wrong_code()}).status_code == 200
    guesses.here.counter = Tries(clock=lambda: 1000.0)
    for _ in range(WRONG_CODES.free + 1):
        guesses.here.counter.take(codes_of(with_app.pk), WRONG_CODES)
    give_password(client)
    answer = client.post("/sign-in/code", {"code": code()})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert "Too many wrong codes came for this account" in answer.text
    assert not is_in(client)


def test_the_second_step_is_nobody_s_without_the_first(client: Client, with_app: User) -> None:
    assert client.post("/sign-in/code", {"code": code()}).headers["Location"] == "/sign-in"
    assert not is_in(client)


def test_a_half_done_sign_in_opens_no_page_and_can_begin_again(client: Client, with_app: User) -> None:
    give_password(client)
    assert client.get("/keys").status_code == 302
    assert client.get("/account").headers["Location"].startswith("/sign-in")
    client.post("/sign-out")
    assert client.get("/sign-in/code").headers["Location"] == "/sign-in"


def test_a_half_done_sign_in_ends_by_itself(
    client: Client, with_app: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_password(client)
    later = time.time() + 16 * 60
    monkeypatch.setattr(time, "time", lambda: later)
    assert client.post("/sign-in/code", {"code": code()}).headers["Location"] == "/sign-in"


def test_somebody_switched_off_between_the_steps_stays_out(client: Client, with_app: User) -> None:
    give_password(client)
    User.objects.update(is_active=False)
    client.post("/sign-in/code", {"code": code()})
    assert not is_in(client)


def test_after_a_while_factors_are_changed_only_by_who_proves_to_be_there(
    client: Client, with_app: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_password(client)
    client.post("/sign-in/code", {"code": code()})
    later = time.time() + 400
    monkeypatch.setattr(time, "time", lambda: later)
    asked = client.post("/account/app/remove")
    assert asked.headers["Location"].startswith("/sign-in/again?next=")
    assert Authenticator.objects.filter(type="totp").exists()
    answer = client.post(asked.headers["Location"], {"password": "wrong"})
    assert "This is not your password" in answer.text
    client.post(asked.headers["Location"], {"password": "password"}, follow=True)
    client.post("/account/app/remove")
    assert not Authenticator.objects.exists()


def test_the_last_factor_takes_the_recovery_codes_with_it(client: Client, with_app: User) -> None:
    give_password(client)
    client.post("/sign-in/code", {"code": code()})
    assert client.post("/account/app/remove").headers["Location"] == "/account"
    assert not Authenticator.objects.exists()
    client.post("/sign-out")
    assert give_password(client) == "/overview"


def test_new_recovery_codes_end_the_old_ones(client: Client, with_app: User) -> None:
    old = recovery_codes_of(with_app)
    give_password(client)
    client.post("/sign-in/code", {"code": code()})
    assert client.post("/account/recovery-codes/new").headers["Location"] == "/account/recovery-codes"
    assert not set(old) & set(recovery_codes_of(with_app))


def test_a_secret_that_no_key_opens_is_said_and_is_no_fault(
    client: Client, with_app: User, settings: Any
) -> None:
    settings.CREDENTIAL_KEYS = ["MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="]
    give_password(client)
    assert "No key of this gateway opens" in client.post("/sign-in/code", {"code": "123456"}).text


def test_factors_open_with_a_new_key_once_they_are_encrypted_anew(
    client: Client, with_app: User, settings: Any
) -> None:
    codes = recovery_codes_of(with_app)
    old, new = settings.CREDENTIAL_KEYS[0], "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    settings.CREDENTIAL_KEYS = [new, old]
    assert rotate_secrets() == []
    settings.CREDENTIAL_KEYS = [new]
    assert recovery_codes_of(with_app) == codes
    give_password(client)
    assert client.post("/sign-in/code", {"code": code()}).status_code == 302
    settings.CREDENTIAL_KEYS = [old]
    assert len(rotate_secrets()) == 2


def test_factors_are_told_to_the_audit(
    client: Client, mary: User, django_capture_on_commit_callbacks: Any
) -> None:
    give_password(client)
    with django_capture_on_commit_callbacks(execute=True):
        set_up(client)
    client.post("/account/app/remove")
    events = set(AuditEntry.objects.filter(page=f"accounts.user/{mary.pk}").values_list("event", flat=True))
    assert {"session.opened", "factor.added", "factor.removed"} <= events


@pytest.mark.parametrize(
    "page", ["/account", "/account/app", "/account/passkeys/add", "/account/recovery-codes"]
)
def test_strangers_are_asked_to_sign_in_first(client: Client, page: str) -> None:
    assert client.get(page).headers["Location"].startswith("/sign-in?next=")


@pytest.mark.parametrize(
    "address",
    [
        "/accounts/",
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/2fa/",
        "/accounts/social/signup/",
        "/accounts/3rdparty/",
        "/login/",
        "/2fa/",
        "/_allauth/browser/v1/config",
    ],
)
def test_pages_of_the_package_are_served_nowhere(client: Client, mary: User, address: str) -> None:
    assert client.get(address).status_code == 404
    client.force_login(mary)
    assert client.get(address).status_code == 404


def test_an_app_that_is_sent_twice_at_once_is_set_up_by_one_of_them(
    client: Client, mary: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    activate = TOTP.activate

    def twice(person: User, secret: str) -> Any:
        activate(person, secret)
        return activate(person, secret)

    give_password(client)
    monkeypatch.setattr(TOTP, "activate", twice)
    assert set_up(client)[1].redirect_chain == [("/account", 302)]
