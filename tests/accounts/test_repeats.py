"""Requests for keys that are sent again under one `Idempotency-Key`: one key is issued, however often they come."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Key, KeyRequest, Team
from accounts.repeats import KEPT
from accounts.services import revoke_key
from accounts.shown_once import KEPT_S
from accounts.tasks import forget_repeats
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db
BODY = {"name": "billing", "model_patterns": ["acme/*"]}
Send = Callable[..., Any]


@pytest.fixture
def send(client: Client, manager: str) -> Send:
    def post(body: Any = BODY, name: str | None = "a", *, key: str = manager, path: str = "/v1/keys") -> Any:
        named = {} if name is None else {"Idempotency-Key": name}
        headers = {"Authorization": f"Bearer {key}"} | named
        return client.post(path, body, "application/json", headers=headers)

    return post


def age(by: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seals have the clock of the machine."""
    later = timezone.now() + by
    monkeypatch.setattr("accounts.repeats.timezone.now", lambda: later)
    monkeypatch.setattr("cryptography.fernet.time.time", later.timestamp)


def test_request_sent_again_is_answered_with_the_same_key(send: Send) -> None:
    first, again = send(), send()
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert again.json()["key"].startswith(f"sk-gw-{again.json()['id']}-")
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert Key.objects.filter(name="billing").count() == 1


def test_order_of_members_is_no_other_request(send: Send) -> None:
    assert send(dict(reversed(BODY.items()))).json()["id"] == send().json()["id"]


def test_without_the_header_each_request_issues_a_key(send: Send) -> None:
    assert send(name=None).json()["id"] != send(name=None).json()["id"]
    assert not KeyRequest.objects.exists()


def test_another_name_is_another_key(send: Send) -> None:
    assert send(name="a").json()["id"] != send(name="b").json()["id"]


def test_name_used_for_something_else_is_refused(send: Send) -> None:
    send()
    answer = send({"name": "other"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "idempotency_key_reused")
    assert answer.json()["error"]["param"] == "Idempotency-Key"
    assert not Key.objects.filter(name="other").exists()


def test_name_is_of_whoever_sends_it(send: Send, team: Team) -> None:
    others = make_key(make_team("other"), scope="management")[1]
    colleagues = make_key(team, scope="management")[1]
    ids = {send(key=key).json()["id"] for key in (others, colleagues)} | {send().json()["id"]}
    assert len(ids) == 3


def test_people_may_send_again_as_programs_do(client: Client, team: Team) -> None:
    client.force_login(make_user("mary", teams=[team]))
    sent = [
        client.post("/v1/keys", BODY, "application/json", headers={"Idempotency-Key": "a"}) for _ in range(2)
    ]
    assert sent[0].json() == sent[1].json()


@pytest.mark.parametrize("name", ["", "x" * 256, "é", "a\tb"])
def test_name_that_cannot_be_is_refused(send: Send, name: str) -> None:
    answer = send(name=name)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "Idempotency-Key")
    assert not Key.objects.filter(name="billing").exists()


def test_longest_name_is_taken(send: Send) -> None:
    assert send(name="~" * 255).status_code == 201


def test_refused_request_may_be_sent_again_put_right(send: Send) -> None:
    assert send({"name": "billing", "lane": "fast"}).status_code == 400
    assert send({"name": "billing", "expires_at": "2020-01-01T00:00:00Z"}).status_code == 400
    assert send().status_code == 201


def test_key_is_shown_again_for_ten_minutes_only(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    first = send().json()
    age(timedelta(seconds=KEPT_S - 5), monkeypatch)
    assert send().json()["key"] == first["key"]
    age(timedelta(seconds=KEPT_S + 5), monkeypatch)
    answer = send()
    assert (answer.status_code, answer.json()) == (200, first | {"key": None})


def test_after_a_day_the_name_may_be_used_anew(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    first = send().json()
    age(KEPT - timedelta(seconds=5), monkeypatch)
    assert send().json()["id"] == first["id"]
    age(KEPT + timedelta(seconds=5), monkeypatch)
    assert send().status_code == 201
    assert Key.objects.filter(name="billing").count() == 2


def test_what_was_issued_is_told_as_it_is_now(send: Send) -> None:
    key = Key.objects.get(public_id=send().json()["id"])
    revoke_key(key=key)
    assert send().json()["state"] == "revoked"
    assert Key.objects.filter(name="billing").count() == 1


def test_rotation_sent_again_is_one_rotation(send: Send, team: Team) -> None:
    path = f"/v1/keys/{make_key(team)[0].public_id}/rotate"
    first, again = (send({"overlap_s": 60}, path=path) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert send({"overlap_s": 60}).status_code == 400
    other = f"/v1/keys/{make_key(team)[0].public_id}/rotate"
    assert send({"overlap_s": 60}, path=other).status_code == 409


def test_no_key_rests_readable(send: Send) -> None:
    text = send().json()["key"]
    row = KeyRequest.objects.get()
    assert text not in str(vars(row))
    assert row.name != "a"


def test_what_may_not_be_shown_again_is_forgotten(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    send()
    assert forget_repeats() == 0
    assert KeyRequest.objects.get().sealed
    age(timedelta(seconds=KEPT_S), monkeypatch)
    assert (forget_repeats(), KeyRequest.objects.get().sealed) == (0, "")
    age(KEPT, monkeypatch)
    assert forget_repeats() == 1
    assert not KeyRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_requests_that_come_at_once_one_issues_a_key(at_once: Callable[..., list[Any]]) -> None:
    text = make_key(make_team(), scope="management")[1]
    headers = {"Authorization": f"Bearer {text}", "Idempotency-Key": "a"}

    def send() -> Any:
        return Client().post("/v1/keys", BODY, "application/json", headers=headers)

    answers = at_once(*[send] * 6)
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["key"] for answer in answers}) == 1
    assert Key.objects.filter(name="billing").count() == 1
