"""A forgotten password and a new account: by a mailed link, with one answer for everybody who asks."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from kombu.exceptions import OperationalError

from accounts.guesses import MAILS_TO, WRONG_LINKS
from accounts.models import AuditEntry, User
from gateway.celery import app
from gateway.identity.tasks import mail_notice
from tests.gateway.identity.people import code, give_app, give_password, is_in
from tests.make import make_team, make_user

pytestmark = pytest.mark.django_db
NEW = "a-long-phrase-9"
GIVEN = {"new_password1": NEW, "new_password2": NEW}


@pytest.fixture(autouse=True)
def at_once() -> Iterator[None]:
    """Tasks are done where they are asked for."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture
def mary() -> User:
    return make_user("mary", teams=[make_team("atlas")], email="mary@example.com")


def ask(client: Client, name: str = "mary") -> Any:
    return client.post("/password/forgotten", {"name": name})


def secret_of(letter: mail.EmailMessage) -> str:
    found = re.search(r"#(\S+)", str(letter.body))
    assert found
    return found[1]


def set_new(client: Client, secret: str, **given: str) -> Any:
    return client.post("/password/new", {"secret": secret, **GIVEN, **given})


@pytest.mark.parametrize("name", ["mary", "mary@example.com", "MARY@Example.COM"])
def test_a_mailed_link_sets_a_password_once(client: Client, mary: User, name: str) -> None:
    ask(client, name)
    letter = mail.outbox[0]
    assert letter.to == ["mary@example.com"]
    assert "http://testserver/password/new#" in str(letter.body)
    secret = secret_of(letter)
    assert set_new(client, secret).headers["Location"] == "/sign-in"
    mary.refresh_from_db()
    assert mary.check_password(NEW)
    assert "too old, or it was used already" in set_new(client, secret).text


def test_one_answer_for_everybody_who_asks(client: Client, mary: User) -> None:
    make_user("nomail")
    make_user("gone", email="gone@example.com", is_active=False)
    answers = {ask(client, name).text for name in ("mary", "nobody", "nomail", "gone", "x@example.com")}
    assert len(answers) == 1
    assert [letter.to for letter in mail.outbox] == [["mary@example.com"]]


def test_asking_does_the_same_work_for_everybody(
    client: Client, mary: User, django_assert_num_queries: Any
) -> None:
    """Looking somebody up and writing to them is a worker's, so that no time tells."""
    app.conf.task_always_eager = False
    for name in ("mary", "nobody"):
        with django_assert_num_queries(0):
            assert ask(client, name).status_code == 200
    assert not mail.outbox


def test_an_address_of_two_people_is_nobody_s(client: Client, mary: User) -> None:
    make_user("twin", email="Mary@example.com")
    ask(client, "mary@example.com")
    assert not mail.outbox
    assert (
        "do not match"
        in client.post("/sign-in", {"username": "mary@example.com", "password": "password"}).text
    )


def test_whoever_an_identity_provider_lets_in_is_mailed_no_other_way(client: Client) -> None:
    person = make_user("sue", email="sue@example.com")
    person.set_unusable_password()
    person.save()
    assert ask(client, "sue").status_code == 200
    assert not mail.outbox


def test_password_is_set_though_nobody_can_be_told(
    client: Client, mary: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(client)

    def away(*_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(mail_notice, "delay", away)
    assert set_new(client, secret_of(mail.outbox[0])).headers["Location"] == "/sign-in"
    mary.refresh_from_db()
    assert mary.check_password(NEW)


def test_people_sign_in_by_their_address(client: Client, mary: User) -> None:
    assert give_password(client, "Mary@Example.com") == "/overview"


def test_a_user_name_that_is_another_s_address_stays_its_own(client: Client, mary: User) -> None:
    make_user("mary@example.com")
    give_password(client, "mary@example.com")
    assert client.get("/account").text.count("mary@example.com</dd>") == 1


def test_a_new_password_ends_all_sessions_and_asks_for_the_factor_all_the_same(
    client: Client, mary: User
) -> None:
    give_app(mary)
    elsewhere = Client()
    elsewhere.force_login(mary)
    assert is_in(elsewhere)
    ask(client)
    set_new(client, secret_of(mail.outbox[0]))
    assert not is_in(elsewhere)
    answer = client.post("/sign-in", {"username": "mary", "password": NEW})
    assert answer.headers["Location"] == "/sign-in/code"
    client.post("/sign-in/code", {"code": code()})
    assert is_in(client)


def test_the_person_and_the_audit_are_told(client: Client, mary: User) -> None:
    ask(client)
    secret = secret_of(mail.outbox[0])
    set_new(client, secret)
    assert "was set anew by a mailed link" in mail.outbox[1].subject
    entries = AuditEntry.objects.filter(page=f"accounts.user/{mary.pk}")
    assert "password.reset" in entries.values_list("event", flat=True)
    assert secret not in str(list(entries.values()))


@pytest.mark.parametrize("secret", ["", "x", "MQ-", "MQ-abc-def", "-", "\x00", "9" * 700, "é-é", "!!!-abc"])
def test_what_is_no_link_is_refused_in_words(client: Client, mary: User, secret: str) -> None:
    answer = set_new(client, secret)
    assert answer.status_code == 200
    assert "too old, or it was used already" in answer.text


def test_a_password_that_is_too_short_is_said_and_the_link_stays_good(client: Client, mary: User) -> None:
    ask(client)
    secret = secret_of(mail.outbox[0])
    assert "too short" in set_new(client, secret, new_password1="x", new_password2="x").text
    assert set_new(client, secret).status_code == 302


def test_wrong_links_wait(client: Client, mary: User) -> None:
    answers = [set_new(client, f"MQ-{number}") for number in range(WRONG_LINKS.free + 5)]
    assert answers[-1].status_code == 429
    assert "Too many wrong links" in answers[-1].text


def test_nobody_s_mailbox_is_filled(client: Client, mary: User) -> None:
    answers = [
        Client(REMOTE_ADDR=f"203.0.113.{number}").post("/password/forgotten", {"name": "mary"}).status_code
        for number in range(MAILS_TO.free + 5)
    ]
    assert answers[-1] == 429
    assert len(mail.outbox) < len(answers)


def test_a_link_goes_to_where_people_know_the_gateway(client: Client, mary: User, settings: Any) -> None:
    settings.PUBLIC_URL = type(settings.PUBLIC_URL)(
        origin="https://gw.example.com", base_path="", host="gw.example.com"
    )
    ask(client)
    assert "https://gw.example.com/password/new#" in str(mail.outbox[0].body)


# Accounts


@pytest.fixture
def is_open(settings: Any) -> None:
    settings.SIGN_UP = "open"


def test_an_account_is_made_by_a_mailed_link(client: Client, is_open: None) -> None:
    assert "Make one" in client.get("/sign-in").text
    client.post("/sign-up", {"email": "new@example.com"})
    form = {"secret": secret_of(mail.outbox[0]), "username": "newcomer", "password1": NEW, "password2": NEW}
    assert client.post("/sign-up/new", form).headers["Location"] == "/overview"
    person = User.objects.get(username="newcomer")
    assert (person.email, person.is_staff, person.memberships.count()) == ("new@example.com", False, 0)
    assert is_in(client)
    again = Client().post("/sign-up/new", form | {"username": "other"})
    assert "there is an account with its address already" in again.text


def test_signing_up_with_a_known_address_says_the_same_and_mails_another_thing(
    client: Client, mary: User, is_open: None
) -> None:
    known = client.post("/sign-up", {"email": "mary@example.com"}).text
    assert known == client.post("/sign-up", {"email": "new@example.com"}).text
    assert "There is one already: mary" in str(mail.outbox[0].body)


@pytest.mark.parametrize("secret", ["", "x", "a:b:c", "é", "9" * 700])
def test_a_sign_up_without_a_link_makes_nobody(client: Client, is_open: None, secret: str) -> None:
    form = {"secret": secret, "username": "newcomer", "password1": NEW, "password2": NEW}
    assert client.post("/sign-up/new", form).status_code == 200
    assert not User.objects.exists()
