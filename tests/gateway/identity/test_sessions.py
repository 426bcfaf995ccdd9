"""Sessions: listed, ended one by one and together, and those that began before they were listed."""

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from accounts.models import AuditEntry, User
from gateway.identity.account import name_browser
from tests.gateway.identity.people import give_password, is_in
from tests.make import make_team, make_user

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0"


@pytest.fixture
def mary() -> User:
    return make_user("mary", teams=[make_team("atlas")])


@pytest.fixture
def elsewhere(mary: User) -> Client:
    client = Client(HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="203.0.113.7")
    give_password(client)
    return client


def test_sessions_are_listed_by_browser_and_address(client: Client, elsewhere: Client) -> None:
    give_password(client)
    page = client.get("/account").text
    assert "Firefox on Windows" in page
    assert "203.0.113.7" in page
    assert page.count("this one") == 1


def test_one_session_is_ended_and_the_others_go_on(client: Client, elsewhere: Client) -> None:
    give_password(client)
    row = UserSession.objects.get(ip="203.0.113.7")
    assert client.post(f"/account/sessions/{row.pk}/end").headers["Location"] == "/account"
    assert is_in(client)
    assert not is_in(elsewhere)
    assert "203.0.113.7" not in client.get("/account").text


def test_the_session_that_one_is_in_can_be_ended_too(client: Client, mary: User) -> None:
    give_password(client)
    row = UserSession.objects.get()
    assert client.post(f"/account/sessions/{row.pk}/end").headers["Location"] == "/sign-in"
    assert not is_in(client)


def test_all_others_are_ended_at_once(client: Client, elsewhere: Client) -> None:
    give_password(client)
    client.post("/account/sessions/end-others")
    assert is_in(client)
    assert not is_in(elsewhere)


def test_nobody_ends_or_sees_another_s_session(client: Client, elsewhere: Client) -> None:
    make_user("eve")
    give_password(client, "eve")
    row = UserSession.objects.get(ip="203.0.113.7")
    assert client.post(f"/account/sessions/{row.pk}/end").status_code == 404
    assert is_in(elsewhere)
    assert "203.0.113.7" not in client.get("/account").text


def test_sessions_that_began_before_they_were_listed_go_on_and_appear(client: Client, mary: User) -> None:
    client.force_login(mary)
    assert not UserSession.objects.exists()
    assert is_in(client)
    assert "this one" in client.get("/account").text


def test_a_changed_password_ends_the_others_and_lists_this_one(client: Client, elsewhere: Client) -> None:
    give_password(client)
    new = "a-long-phrase-9"
    client.post("/password", {"old_password": "password", "new_password1": new, "new_password2": new})
    assert is_in(client)
    assert not is_in(elsewhere)
    page = client.get("/account").text
    assert "this one" in page
    assert "203.0.113.7" not in page


def test_the_address_is_the_client_s_by_trusted_proxies_only(client: Client, mary: User) -> None:
    forged = Client(HTTP_X_FORWARDED_FOR="198.51.100.99")
    give_password(forged)
    assert list(UserSession.objects.values_list("ip", flat=True)) == ["127.0.0.1"]


def test_opening_closing_and_failing_is_told_to_the_audit(client: Client, mary: User) -> None:
    client.post("/sign-in", {"username": "mary", "password": "wrong"})
    client.post("/sign-in", {"username": "nobody", "password": "wrong"})
    give_password(client)
    client.post("/sign-out")
    told = AuditEntry.objects.filter(event__startswith="session.").order_by("id")
    assert [entry.event for entry in told] == ["session.failed", "session.opened", "session.closed"]
    assert {entry.page for entry in told} == {f"accounts.user/{mary.pk}"}


def test_failures_told_are_bounded(client: Client, mary: User) -> None:
    for number in range(40):
        guesser = Client(REMOTE_ADDR=f"203.0.113.{number}")
        guesser.post("/sign-in", {"username": "mary", "password": "wrong"})
    assert AuditEntry.objects.filter(event="session.failed").count() <= 25


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("page", ["/account/sessions/1/end", "/account/sessions/end-others"])
def test_sessions_are_ended_by_post_only(client: Client, mary: User, page: str, method: str) -> None:
    give_password(client)
    assert getattr(client, method)(page).status_code == 405


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Windows"),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        ("curl/8.5.0", "curl"),
        ("", "unknown"),
        ("<script>", "unknown"),
    ],
)
def test_browsers_are_named_as_people_know_them(user_agent: str, name: str) -> None:
    assert name_browser(user_agent) == name


@pytest.mark.parametrize("peer", ["", "a socket"])
def test_session_from_behind_a_socket_of_this_machine_is_listed(client: Client, peer: str) -> None:
    make_user("mary", teams=[make_team("atlas")])
    client.post("/sign-in", {"username": "mary", "password": "password"}, REMOTE_ADDR=peer)
    assert client.get("/notifications", REMOTE_ADDR=peer).status_code == 200
    assert UserSession.objects.get().ip == "0.0.0.0"
