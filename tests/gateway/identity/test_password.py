"""One's own password, changed in the portal."""

import pytest
from django.test import Client

from accounts.guesses import WRONG_PASSWORDS
from accounts.models import AuditEntry, User
from tests.make import make_user

pytestmark = pytest.mark.django_db
NEW = "a-long-phrase-9"


@pytest.fixture
def mary(client: Client) -> User:
    user = make_user("mary")
    client.force_login(user)
    return user


def change(client: Client, *, old: str = "password", new: str = NEW, again: str = NEW) -> str:
    form = {"old_password": old, "new_password1": new, "new_password2": again}
    return client.post("/password", form, follow=True).text


def test_new_password_opens_and_the_old_one_does_not(client: Client, mary: User) -> None:
    assert "Your password is changed." in change(client)
    mary.refresh_from_db()
    assert mary.check_password(NEW)
    assert not mary.check_password("password")


def test_sessions_elsewhere_end_and_this_one_goes_on(client: Client, mary: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(mary)
    change(client)
    assert client.get("/keys").status_code == 200
    assert elsewhere.get("/keys").status_code == 302


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        ({"old": "wrong"}, "Your old password was entered incorrectly."),
        ({"again": "another-phrase-9"}, "The two password fields"),
        ({"new": "short", "again": "short"}, "This password is too short."),
        ({"new": "password1", "again": "password1"}, "This password is too common."),
    ],
)
def test_answer_that_cannot_be_taken_changes_nothing(
    client: Client, mary: User, answers: dict[str, str], complaint: str
) -> None:
    assert complaint in change(client, **answers)
    mary.refresh_from_db()
    assert mary.check_password("password")


def test_old_password_can_be_guessed_no_more_often_than_at_the_sign_in(client: Client, mary: User) -> None:
    for _ in range(WRONG_PASSWORDS.free + 1):
        change(client, old="wrong")
    form = {"old_password": "password", "new_password1": NEW, "new_password2": NEW}
    answer = client.post("/password", form)
    assert answer.status_code == 429
    assert "Too many wrong passwords" in answer.text


def test_audit_says_that_it_changed_and_not_to_what(client: Client, mary: User) -> None:
    change(client)
    entry = AuditEntry.objects.filter(page=f"accounts.user/{mary.pk}").latest("id")
    assert (entry.actor, entry.changes) == (mary, {"password": ["•••", "•••"]})


def test_stranger_is_asked_to_sign_in_first(client: Client) -> None:
    assert client.get("/password").headers["Location"] == "/sign-in?next=/password"


def test_every_page_links_to_it(client: Client, mary: User) -> None:
    assert 'href="/account"' in client.get("/keys").text
    assert 'href="/password"' in client.get("/account").text
