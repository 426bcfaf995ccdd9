"""Two teams, every route: neither sees or touches anything of the other."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Key, Team
from tests.accounts.conftest import Caller
from tests.make import make_key, make_team

pytestmark = pytest.mark.django_db

ROUTES = [
    ("GET", "/v1/keys/{id}", None),
    ("PATCH", "/v1/keys/{id}", {"name": "taken over"}),
    ("DELETE", "/v1/keys/{id}", None),
    ("POST", "/v1/keys/{id}/revoke", None),
]


@pytest.fixture
def foreign() -> Key:
    return make_key(make_team("other"), "secret plans")[0]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_another_teams_key_is_a_404_for_a_management_key(
    call: Caller, manager: str, foreign: Key, method: str, path: str, body: Any
) -> None:
    before = Key.objects.filter(pk=foreign.pk).values().get()
    answer = call(method, path.format(id=foreign.public_id), manager, body)
    assert answer.status_code == 404
    assert "secret plans" not in answer.content.decode()
    assert Key.objects.filter(pk=foreign.pk).values().get() == before


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_another_teams_key_is_a_404_for_a_member(
    member: Client, foreign: Key, method: str, path: str, body: Any
) -> None:
    for query in ("", "?team=research", "?team=other"):
        answer = member.generic(method, path.format(id=foreign.public_id) + query)
        assert answer.status_code == 404
    assert not Key.objects.filter(pk=foreign.pk, revoked_at__isnull=False).exists()


@pytest.mark.parametrize("query", ["", "?team=research"])
def test_list_holds_the_own_teams_keys_only(call: Caller, manager: str, foreign: Key, query: str) -> None:
    page = call("GET", f"/v1/keys{query}", manager).json()
    assert [key["name"] for key in page["data"]] == ["manager"]
    assert page["total"] == 1


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", {"name": "x"})])
def test_another_team_cannot_be_named(
    call: Caller, manager: str, foreign: Key, method: str, body: Any
) -> None:
    assert call(method, "/v1/keys?team=other", manager, body).status_code == 404
    assert Key.objects.for_team(Team.objects.get(slug="other")).count() == 1


def test_another_team_and_no_team_read_alike(call: Caller, manager: str, foreign: Key) -> None:
    named = call("GET", "/v1/keys?team=other", manager).json()["error"]["message"]
    nobody = call("GET", "/v1/keys?team=nobody", manager).json()["error"]["message"]
    assert named.replace("other", "nobody") == nobody
