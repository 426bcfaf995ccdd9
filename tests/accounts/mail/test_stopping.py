"""Addresses that stop mail of one kind to one person."""

from typing import Any

import pytest
from django.core import signing
from django.test import Client

from accounts.alerts.kinds import FOR_PEOPLE, KINDS, OPERATORS
from accounts.alerts.people import choose
from accounts.guesses import WRONG_LINKS
from accounts.mail.stopping import stop, stop_address, stop_token
from accounts.models import AlertChoice, User
from gateway.server.front import read_public_url
from tests.make import make_user

pytestmark = pytest.mark.django_db
ADDRESS = "ann@example.com"
KIND = "budget.threshold"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def ann(settings: Any) -> User:
    settings.PUBLIC_URL = read_public_url("https://gw.example.com")
    return make_user("ann", email=ADDRESS)


@pytest.fixture
def mailbox() -> Client:
    """As a mail provider posts: without cookies, and with no token of a form."""
    return Client(enforce_csrf_checks=True)


def path_for(kind: str = KIND, address: str = ADDRESS) -> str:
    return stop_address(kind, address).removeprefix("https://gw.example.com")


def chosen() -> list[tuple[int, str, bool]]:
    return list(AlertChoice.objects.values_list("user", "kind", "by_mail").order_by("user"))


def test_one_post_without_a_sign_in_stops_that_kind_for_that_person(ann: User, mailbox: Client) -> None:
    make_user("ben", email="ben@example.com")
    answer = mailbox.post(path_for(), ONE_CLICK)
    assert (answer.status_code, chosen()) == (200, [(ann.pk, KIND, False)])


def test_look_alone_stops_nothing_and_shows_the_button(ann: User, mailbox: Client) -> None:
    page = mailbox.get(path_for())
    assert (page.status_code, chosen()) == (200, [])
    assert KINDS[KIND].label in page.text
    assert '<form method="post"' in page.text
    assert ADDRESS not in page.text


def test_it_may_be_sent_again_and_changes_nothing_else(ann: User, mailbox: Client) -> None:
    choose(ann, {"key.created": True})
    for _ in range(3):
        assert mailbox.post(path_for(), ONE_CLICK).status_code == 200
    assert sorted(chosen()) == [(ann.pk, KIND, False), (ann.pk, "key.created", True)]


@pytest.mark.parametrize(
    "spoil",
    [lambda path: path[:-1] + ("A" if path[-1] != "A" else "B"), lambda p: p[:-9], lambda _: "/mail/stop/x"],
)
def test_token_that_was_changed_stops_nothing(ann: User, mailbox: Client, spoil: Any) -> None:
    answer = mailbox.post(spoil(path_for()), ONE_CLICK)
    assert (answer.status_code, chosen()) == (404, [])
    assert "This link stops no mail." in answer.text


def test_token_of_another_act_stops_nothing(ann: User) -> None:
    assert stop(signing.dumps([KIND, "x", ann.pk], salt="gateway.identity.sign-up")) is None


def test_token_is_of_an_address_and_does_not_follow_a_person_elsewhere(ann: User) -> None:
    token = stop_token(KIND, ADDRESS, [ann.pk])
    User.objects.filter(pk=ann.pk).update(email="new@example.com")
    assert stop(token) is KINDS[KIND]
    assert chosen() == []


def test_answer_is_the_same_whether_there_still_is_such_a_person(ann: User, mailbox: Client) -> None:
    path = path_for()
    there = mailbox.post(path, ONE_CLICK).content
    ann.delete()
    assert mailbox.post(path, ONE_CLICK).content == there


def test_people_who_share_an_address_are_stopped_together(ann: User, mailbox: Client) -> None:
    other = make_user("anna", email=ADDRESS)
    mailbox.post(path_for(), ONE_CLICK)
    assert [person for person, _, _ in chosen()] == sorted([ann.pk, other.pk])


@pytest.mark.parametrize("kind", KINDS)
def test_duties_have_no_such_address(ann: User, kind: str) -> None:
    is_duty = KINDS[kind].is_required or kind in OPERATORS or kind not in FOR_PEOPLE
    assert bool(stop_address(kind, ADDRESS)) is not is_duty
    assert (stop(stop_token(kind, ADDRESS, [ann.pk])) is None) is is_duty


def test_gateway_that_does_not_know_its_address_writes_none(ann: User, settings: Any) -> None:
    settings.PUBLIC_URL = read_public_url("")
    assert stop_address(KIND, ADDRESS) == ""


def test_whoever_tries_tokens_waits(ann: User, mailbox: Client) -> None:
    answers = [mailbox.post(f"/mail/stop/{n}", ONE_CLICK).status_code for n in range(WRONG_LINKS.free + 2)]
    assert (answers[0], answers[-1]) == (404, 429)
    assert chosen() == []


def test_link_outlives_the_days_after_which_nobody_reads_mail_any_more(ann: User, monkeypatch: Any) -> None:
    token = stop_token(KIND, ADDRESS, [ann.pk])
    monkeypatch.setattr(signing.time, "time", lambda: 4e9)
    assert stop(token) is KINDS[KIND]


def test_many_right_ones_from_one_mail_provider_are_taken(ann: User, mailbox: Client) -> None:
    path = path_for()
    assert {mailbox.post(path, ONE_CLICK).status_code for _ in range(WRONG_LINKS.free * 2)} == {200}
