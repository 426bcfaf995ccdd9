"""What the operator demands at the door: a second factor, no local passwords but one, accounts by invitation."""

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Alert, AuditEntry, Team, User
from gateway.ops.doctor import examine
from tests.gateway.identity.people import SECRET, code, give_app, give_password, is_in
from tests.make import make_staff, make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return make_team("atlas")


@pytest.fixture
def mary(team: Team) -> User:
    """A member, no owner."""
    return make_user("mary", teams=[team])


def test_a_demanded_factor_is_set_up_before_anything_else(client: Client, mary: User, settings: Any) -> None:
    settings.SECOND_FACTOR = "all"
    give_password(client)
    answer = client.get("/keys", follow=True)
    assert answer.redirect_chain == [("/account", 302)]
    assert "A second factor is demanded of you" in answer.text
    assert client.get("/account/app").status_code == 200


@pytest.mark.parametrize(
    "page", ["/keys", "/playground", "/notifications", "/team", "/models", "/admin/", "/password"]
)
def test_without_it_no_page_opens(client: Client, settings: Any, page: str) -> None:
    settings.SECOND_FACTOR = "staff"
    make_staff("mary")
    give_password(client)
    assert client.get(page).headers["Location"] == "/account"


def test_without_it_nothing_is_changed_and_the_api_says_why(
    client: Client, mary: User, team: Team, settings: Any
) -> None:
    settings.SECOND_FACTOR = "all"
    give_password(client)
    answer = client.post("/keys", {"name": "sly"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "second_factor_required")
    assert not team.keys.exists()
    answer = client.get("/v1/keys")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "second_factor_required")


def test_signing_out_is_always_possible(client: Client, mary: User, settings: Any) -> None:
    settings.SECOND_FACTOR = "all"
    give_password(client)
    assert client.post("/sign-out").headers["Location"] == "/sign-in"


def test_whoever_showed_one_goes_everywhere(client: Client, mary: User, settings: Any) -> None:
    settings.SECOND_FACTOR = "all"
    give_app(mary)
    give_password(client)
    client.post("/sign-in/code", {"code": code()})
    assert is_in(client)
    assert client.get("/v1/keys").status_code == 200


def test_a_session_from_before_is_asked_for_the_factor(client: Client, mary: User, settings: Any) -> None:
    give_password(client)
    give_app(mary)
    settings.SECOND_FACTOR = "all"
    asked = client.get("/notifications").headers["Location"]
    assert asked == "/sign-in/again/code?next=%2Fnotifications"
    assert client.post(asked, {"code": code()}).headers["Location"] == "/notifications"
    assert is_in(client)


@pytest.mark.parametrize("page", ["/account/app", "/account/passkeys/add"])
def test_whoever_has_not_shown_the_factor_adds_none_of_their_own(
    client: Client, mary: User, settings: Any, page: str
) -> None:
    """A password that was stolen before the factor was set up, and a session of then."""
    give_password(client)
    factor = TOTP.activate(mary, SECRET).instance
    settings.SECOND_FACTOR = "all"
    client.post("/sign-in/again", {"password": "password"})
    assert client.get(page)["Location"].startswith("/sign-in/again/code?")
    assert client.post(page, {"code": code()}).status_code == 403
    assert list(Authenticator.objects.filter(user=mary)) == [factor]


@pytest.mark.parametrize(
    ("demanded", "asked"),
    [
        ("none", []),
        ("staff", ["staff"]),
        ("owners", ["owner", "staff"]),
        ("all", ["member", "owner", "staff"]),
    ],
)
def test_it_is_demanded_of_exactly_those(team: Team, settings: Any, demanded: str, asked: list[str]) -> None:
    make_user("member", teams=[team])
    make_user("owner", teams=[team]).memberships.update(role="owner")
    make_staff("staff")
    settings.SECOND_FACTOR = demanded
    found = []
    for name in ("member", "owner", "staff"):
        client = Client()
        give_password(client, name)
        if not is_in(client):
            found.append(name)
    assert found == asked


def test_the_last_factor_stays_where_one_is_demanded(client: Client, mary: User, settings: Any) -> None:
    settings.SECOND_FACTOR = "all"
    factor = give_app(mary)
    give_password(client)
    client.post("/sign-in/code", {"code": code()})
    assert "add another one before you remove this one" in client.post("/account/app/remove").text
    factor.refresh_from_db()


def test_factors_that_were_lost_are_taken_away_by_a_superuser(client: Client, mary: User) -> None:
    give_app(mary)
    make_staff("root")
    elsewhere = Client()
    elsewhere.force_login(mary)
    assert is_in(elsewhere)
    give_password(client, "root")
    button = reverse("admin:accounts_user_take_factors", args=[mary.pk])
    client.post(button, {"_form_submitted": "True"})
    assert give_password(Client()) == "/overview"
    assert not is_in(elsewhere)
    assert AuditEntry.objects.filter(event="factor.taken").exists()


# Passwords off


@pytest.fixture
def without_passwords(settings: Any) -> None:
    settings.LOCAL_PASSWORDS, settings.BREAK_GLASS = False, "root"


@pytest.fixture
def root() -> User:
    return make_staff("root", email="root@example.com")


def test_without_local_passwords_the_right_one_is_refused_as_a_wrong_one(
    client: Client, mary: User, without_passwords: None
) -> None:
    right = client.post("/sign-in", {"username": "mary", "password": "password"})
    assert "do not match" in right.text
    assert not is_in(client)


def test_the_break_glass_login_opens_and_is_told(client: Client, root: User, without_passwords: None) -> None:
    assert "Break-glass login" in client.get("/sign-in").text
    assert give_password(client, "root") == "/overview"
    alert = Alert.objects.get(kind="login.break_glass")
    assert "root" in alert.title
    assert "127.0.0.1" in alert.text
    assert AuditEntry.objects.filter(event="session.break_glass", page=f"accounts.user/{root.pk}").exists()


def test_each_opening_by_break_glass_is_told_anew(
    client: Client, root: User, without_passwords: None
) -> None:
    for _ in range(2):
        give_password(client, "root")
        client.post("/sign-out")
    assert Alert.objects.filter(kind="login.break_glass").count() == 2


def test_sessions_go_on_when_passwords_are_switched_off(client: Client, mary: User, settings: Any) -> None:
    give_password(client)
    settings.LOCAL_PASSWORDS, settings.BREAK_GLASS = False, "root"
    assert is_in(client)
    assert client.get("/password").status_code == 404


def test_a_passkey_alone_opens_nothing_without_local_passwords(
    client: Client, without_passwords: None
) -> None:
    assert client.get("/sign-in/passkey").status_code == 404


@pytest.mark.parametrize("page", ["/sign-up", "/sign-up/new"])
def test_nobody_makes_an_account_without_an_invitation(client: Client, page: str) -> None:
    assert client.get(page).status_code == 404
    assert client.post(page, {"email": "eve@example.com"}).status_code == 404
    assert "Make one" not in client.get("/sign-in").text


def test_a_break_glass_login_that_opens_nothing_is_found_by_the_doctor(
    root: User, without_passwords: None
) -> None:
    def says() -> tuple[bool, str]:
        found = next(each for each in examine() if each.part == "sign-in")
        return found.is_well, found.says

    assert says() == (True, "break-glass login 'root'")
    User.objects.update(is_active=False)
    is_well, words = says()
    assert not is_well
    assert "no active superuser with a password" in words


def test_the_last_superuser_is_helped_by_a_command(client: Client, root: User) -> None:
    give_app(root)
    call_command("take_factors", "root", stdout=StringIO())
    assert give_password(client, "root") == "/overview"
    with pytest.raises(CommandError, match="There is no login 'nobody'"):
        call_command("take_factors", "nobody")
