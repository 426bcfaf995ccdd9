"""Stored responses in SQL: read back, listed, deleted, and over."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import Client
from django.utils import timezone

from accounts.key_facts import facts_of
from accounts.models import Key, StoredResponse, Team
from accounts.services import issue_key
from gateway.core.sealing import KeyUnusable
from gateway.proxy.ports import StoredResponsesUnavailable, StoredTurn
from gateway.responses import stored
from gateway.responses.stored import SqlResponses
from gateway.responses.tasks import forget_expired_responses

pytestmark = pytest.mark.django_db

ANSWER = {"id": "resp_1", "object": "response", "output": [{"type": "message", "content": "Ahoy \0."}]}
ITEMS = [{"role": "user", "content": f"turn {number}"} for number in range(5)]


@pytest.fixture
def team() -> Team:
    return Team.objects.create(name="Research", slug="research")


@pytest.fixture
def ask(team: Team) -> Callable[..., Any]:
    stored.keep(team.pk, StoredTurn(dict(ANSWER), ITEMS))
    key = _key(team)
    return lambda path="", method="get", key=key: getattr(Client(), method)(
        f"/v1/responses/{path}", headers={"authorization": f"Bearer {key}"}
    )


def _key(team: Team, scope: str = Key.Scope.INFERENCE) -> str:
    return issue_key(team=team, name="k", scope=scope)[1]


def test_stored_response_is_given_back_as_it_was(ask: Callable[..., Any]) -> None:
    assert ask("resp_1").json() == ANSWER


def test_what_is_stored_cannot_be_read_in_the_database(ask: Callable[..., Any]) -> None:
    [row] = StoredResponse.objects.all()
    assert "Ahoy" not in row.sealed
    assert "turn" not in row.sealed


def test_deleted_response_is_gone(ask: Callable[..., Any]) -> None:
    assert ask("resp_1", "delete").json() == {"id": "resp_1", "object": "response", "deleted": True}
    for method in ("get", "delete"):
        answer = ask("resp_1", method)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "response_not_found")


def test_response_of_another_team_is_not_there(ask: Callable[..., Any]) -> None:
    other = _key(Team.objects.create(name="Other", slug="other"))
    for method in ("get", "delete"):
        assert ask("resp_1", method, key=other).status_code == 404
    assert ask("resp_1").status_code == 200


def test_response_is_over_in_time_and_then_swept(ask: Callable[..., Any]) -> None:
    assert forget_expired_responses() == 0
    StoredResponse.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert ask("resp_1").status_code == 404
    assert forget_expired_responses() == 1


def test_any_number_of_responses_is_swept(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.responses.tasks._BATCH", 2)
    for number in range(5):
        stored.keep(team.pk, StoredTurn(ANSWER | {"id": f"resp_{number}"}, []))
    StoredResponse.objects.exclude(response_id="resp_4").update(expires_at=timezone.now())
    assert forget_expired_responses() == 4
    assert StoredResponse.objects.get().response_id == "resp_4"


def test_response_whose_encryption_key_is_gone_is_not_there(ask: Callable[..., Any], settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    assert ask("resp_1").status_code == 404


@pytest.mark.parametrize("key", ["", "sk-gw-nobody"])
def test_nobody_reads_without_a_key(ask: Callable[..., Any], key: str) -> None:
    assert ask("resp_1", key=key).status_code == 401


def test_feed_key_reads_no_response(ask: Callable[..., Any], team: Team) -> None:
    assert ask("resp_1", key=_key(team, Key.Scope.FEED)).status_code == 403


def test_items_come_in_pages_the_newest_first(ask: Callable[..., Any]) -> None:
    page = ask("resp_1/input_items?limit=2").json()
    assert [item["content"][0]["text"] for item in page["data"]] == ["turn 4", "turn 3"]
    assert (page["has_more"], page["last_id"]) == (True, "item_3")
    rest = ask(f"resp_1/input_items?order=desc&after={page['last_id']}").json()
    assert [item["id"] for item in rest["data"]] == ["item_2", "item_1", "item_0"]
    assert rest["has_more"] is False
    assert ask("resp_1/input_items?order=asc&limit=1").json()["data"][0]["id"] == "item_0"


@pytest.mark.parametrize(
    ("query", "param"),
    [("limit=0", "limit"), ("limit=x", "limit"), ("order=up", "order"), ("after=no", "after")],
)
def test_wrong_page_is_refused_by_the_parameters_name(
    ask: Callable[..., Any], query: str, param: str
) -> None:
    answer = ask(f"resp_1/input_items?{query}")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize(("path", "method"), [("resp_1?stream=true", "get"), ("resp_1/cancel", "post")])
def test_what_is_not_done_here_is_said(ask: Callable[..., Any], path: str, method: str) -> None:
    assert ask(path, method).status_code == 400


@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_compaction_is_a_404_that_says_what_to_do_instead(ask: Callable[..., Any], method: str) -> None:
    answer = ask("compact", method)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    assert "POST /v1/responses for a summary" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["nobody", "%00", "x" * 300])
def test_id_that_nobody_has_is_not_found(ask: Callable[..., Any], path: str) -> None:
    assert ask(path).status_code == 404


def test_teams_setting_reaches_the_data_plane(team: Team) -> None:
    key = Key.objects.select_related("team").get(pk=issue_key(team=team, name="k")[0].pk)
    assert facts_of(key).keeps_responses
    key.team.keeps_responses = False
    assert not facts_of(key).keeps_responses


@pytest.mark.django_db(transaction=True)
def test_shelf_works_off_the_loop_and_says_when_sql_refuses(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    responses = SqlResponses()

    async def keep_and_find() -> StoredTurn | None:
        await responses.keep(team.pk, StoredTurn(dict(ANSWER), ITEMS))
        return await responses.find(team.pk, "resp_1")

    assert asyncio.run(keep_and_find()) == StoredTurn(ANSWER, ITEMS)
    monkeypatch.setattr("gateway.responses.stored.seal", _refuse)
    with pytest.raises(StoredResponsesUnavailable):
        asyncio.run(keep_and_find())
    responses.close()


def _refuse(_data: bytes) -> str:
    raise KeyUnusable
