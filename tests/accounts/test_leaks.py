"""Whoever finds a key in public reports it: it ends or is told of, and the answer does not say whether it was one."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts import services
from accounts.guesses import WRONG_KEYS
from accounts.leaks import MOST
from accounts.models import Alert, Key, Membership, Team
from accounts.rights import Role
from tests.accounts.alerts.conftest import AT, deliver
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db
PLACE = "https://github.com/acme/app/blob/main/.env"


@pytest.fixture
def team() -> Team:
    team = make_team("research")
    boss = make_user("boss", email="boss@example.com")
    Membership.objects.create(team=team, user=boss, role=Role.OWNER)
    return team


def report(client: Client, body: Any, **sent: Any) -> Any:
    return client.post("/leaks", json.dumps(body), "application/json", **sent)


def is_revoked(key: Key) -> bool:
    key.refresh_from_db()
    return key.revoked_at is not None


@pytest.mark.parametrize("is_scanner", [False, True])
def test_key_that_is_reported_is_revoked_and_its_owners_are_told(
    client: Client, team: Team, mailoutbox: list[Any], is_scanner: bool
) -> None:
    key, text = make_key(team, "billing")
    other, _ = make_key(team)
    one = {"token": text, "type": "gatehouse_key", "url": PLACE, "source": "content"}
    answer = report(client, [one] if is_scanner else {"key": f" {text}\n", "url": PLACE})
    assert (answer.status_code, answer.json()) == (200, {"object": "leak_report", "received": 1})
    assert (is_revoked(key), is_revoked(other)) == (True, False)
    deliver(AT)
    [mail] = mailoutbox
    assert mail.to == ["boss@example.com"]
    assert mail.subject == f"A key of Research was found in public: {key}"
    assert PLACE in mail.body
    assert "It is revoked" in mail.body
    assert text not in f"{mail.body}{Alert.objects.get(kind='key.leaked').data}"


@pytest.mark.parametrize(
    ("of_gateway", "of_team", "revoked"),
    [("revoke", "", True), ("tell", "", False), ("tell", "revoke", True), ("revoke", "tell", False)],
)
def test_team_says_otherwise_than_the_gateway(
    client: Client, team: Team, settings: Any, of_gateway: str, of_team: str, revoked: bool
) -> None:
    settings.LEAKED_KEYS, team.leaked_keys = of_gateway, of_team
    team.save()
    key, text = make_key(team)
    report(client, {"key": text})
    assert is_revoked(key) is revoked
    assert Alert.objects.get(kind="key.leaked").data["revoked"] is revoked


def test_key_of_a_team_that_is_frozen_is_revoked_all_the_same(client: Client, team: Team) -> None:
    key, text = make_key(team)
    services.freeze_team(team=team, is_frozen=True)
    report(client, {"key": text})
    assert is_revoked(key)


def test_answer_is_the_same_for_right_wrong_revoked_and_mistyped_keys(client: Client, team: Team) -> None:
    _, right = make_key(team)
    key, revoked = make_key(team)
    services.revoke_key(key=key)
    _, gone = make_key(team)
    Key.objects.filter(public_id=gone.split("-")[2]).update(digest="0" * 64)
    texts = [right, right, revoked, gone, right[:-1] + "!", "sk-gw-", "ü", "x" * 200, "\0"]
    answers = [report(client, {"key": text}) for text in texts]
    assert {(each.status_code, each.content) for each in answers} == {
        (200, b'{"object":"leak_report","received":1}')
    }
    assert Alert.objects.filter(kind="key.leaked").count() == 1


def test_whoever_reports_too_often_waits_whether_keys_were_right_or_not(client: Client, team: Team) -> None:
    statuses = []
    for number in range(WRONG_KEYS.free + 2):
        text = make_key(team)[1] if number % 2 else "sk-gw-nonsense"
        statuses.append(report(client, {"key": text}).status_code)
    assert statuses == [200] * (WRONG_KEYS.free + 1) + [429]
    key, text = make_key(team)
    assert report(client, {"key": text})["retry-after"]
    assert not is_revoked(key)
    assert report(client, {"key": text}, REMOTE_ADDR="198.51.100.7").status_code == 200


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "key"),
        ({"key": 7}, "key"),
        ({"token": "x"}, "key"),
        ([], None),
        ([{"token": "x"}] * (MOST + 1), None),
        ([{"token": "x"}, {"key": "x"}], "[1].token"),
        (["x"], "[0].token"),
        ("sk-gw-x", None),
        ({"key": "sk-gw-x", "url": {}}, "url"),
        ({"key": "sk-gw-x", "source": 0}, "source"),
        ([{"token": "sk-gw-x"}, {"token": "sk-gw-x", "type": []}], "[1].type"),
    ],
)
def test_report_that_is_none_says_what_is_wrong(client: Client, body: Any, param: str | None) -> None:
    answer = report(client, body)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


def test_list_is_taken_in_whole(client: Client, team: Team) -> None:
    made = [make_key(team) for _ in range(3)]
    answer = report(client, [{"token": text} for _, text in made] + [{"token": "ghp_other"}])
    assert answer.json()["received"] == 4
    assert all(is_revoked(key) for key, _ in made)


def test_body_that_is_no_json_is_refused_and_reading_is_not_a_report(client: Client) -> None:
    assert client.post("/leaks", "key=x", "application/x-www-form-urlencoded").status_code == 415
    assert client.get("/leaks").status_code == 405
