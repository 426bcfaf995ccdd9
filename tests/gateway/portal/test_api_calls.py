"""The calls of the API that pages tell are ones of its document, take what it says, and work when they are pasted."""

import re
import shlex
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve
from jsonschema import Draft202012Validator

from accounts.models import Key, Team
from gateway.public.management_calls import CALLS, ManagementCall
from gateway.web.views import api_document
from tests.hostile.rights_table import API, plain
from tests.make import make_key, make_team, make_user

TEMPLATES = Path(__file__).parents[3] / "templates" / "portal"
TAG = re.compile(r'api_calls "([^"]+)"')
MANAGED = re.compile(
    r"/v1/(keys|team|service-accounts|projects|limits|budgets|allowances|members|invitations|credentials"
    r"|alert-channels|access-requests|audit|statements|receipts)"
)
NOT_SHOWN = {
    # One object of a list that its page shows.
    *(
        "allowance_retrieve",
        "budget_retrieve",
        "limit_retrieve",
        "member_retrieve",
        "service_account_retrieve",
    ),
    *("project_retrieve", "credential_retrieve", "alert_channel_retrieve", "invitation_retrieve"),
    # The same by another name.
    "keys_revoke_create",
    # Pages change a budget and an allowance by their form; they archive what the API may delete while it is unused.
    *("allowance_partial_update", "project_destroy", "service_account_destroy"),
    # What people do by a link, or beside a row of a list.
    *("invitation_accept", "invitation_list", "alert_delivery_replay"),
}


def used() -> set[str]:
    texts = (path.read_text(encoding="utf-8") for path in TEMPLATES.glob("**/*.html"))
    python = (path.read_text(encoding="utf-8") for path in Path("gateway/portal").glob("**/*.py"))
    found = {name for text in texts for names in TAG.findall(text) for name in names.split()}
    asked = {name for text in python for name in re.findall(r'call="(\w+)"', text)}
    return found | asked


@pytest.mark.parametrize(("name", "call"), CALLS.items(), ids=list(CALLS))
def test_call_is_as_the_document_and_the_table_of_rights_say(name: str, call: ManagementCall) -> None:
    document, path = api_document(), re.sub(r"\{\w+\}", "{id}", call.path.partition("?")[0])
    told = {
        operation["operationId"]: (method.upper(), re.sub(r"\{\w+\}", "{id}", path), operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if isinstance(operation, dict) and "operationId" in operation
    }
    method, address, operation = told[name]
    assert (call.method, path) == (method, address)
    assert resolve(path.replace("{id}", "1"))
    rights = {row.right for row in API if (row.method, plain(row.address)) == (call.method, path)}
    assert call.right in rights or call.path.startswith("/v1/access-requests")
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if call.body:
        schema = {**content["schema"], "components": document["components"]}
        assert list(Draft202012Validator(schema).iter_errors(call.body)) == []
    else:
        assert not operation.get("requestBody", {}).get("required", False)


def test_pages_tell_every_call_and_name_no_other() -> None:
    told = {
        operation["operationId"]
        for path, operations in api_document()["paths"].items()
        if MANAGED.match(path)
        for operation in operations.values()
        if isinstance(operation, dict) and "operationId" in operation
    }
    assert used() - set(CALLS) == set()
    assert set(CALLS) - used() == set()
    assert told - used() == NOT_SHOWN


@pytest.mark.django_db
def test_pasted_line_of_a_page_renames_the_project_that_it_was_on(client: Client) -> None:
    team = make_team("atlas", name="Atlas")
    project = team.projects.create(slug="blue", name="It's “blue”")
    client.force_login(make_user("mary", teams=[team], role="admin"))
    page = client.get("/team/projects/blue").text
    line = unescape(re.findall(r'id="api-project_partial_update"[^>]*>(.*?)</pre>', page, re.DOTALL)[0])
    _, key = make_key(team, "manages", scope=Key.Scope.MANAGEMENT)
    answer = paste(line.replace("sk-gw-YOUR-KEY", key))
    assert answer.status_code == 200, answer.content
    project.refresh_from_db()
    assert project.archived_at is not None


def paste(line: str) -> Any:
    """What a shell would make of it, sent to this server."""
    words = shlex.split(line.replace("\\\n", " "))
    after = {word: words[at + 1] for at, word in enumerate(words[:-1]) if word.startswith("-")}
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    path = "/" + next(word for word in words if word.startswith("http")).split("/", 3)[3]
    client = Client(headers={"authorization": headers["Authorization"]})
    return client.generic(after.get("-X", "GET"), path, after.get("-d", ""), "application/json")


@pytest.mark.django_db
def test_call_that_no_key_may_do_says_so_and_names_none(client: Client) -> None:
    team: Team = make_team("atlas")
    client.force_login(make_user("mary", teams=[team], role="owner"))
    page = client.get("/team").text
    freeze = re.findall(r'id="api-team_freeze"[^>]*>(.*?)</pre>', page, re.DOTALL)[0]
    assert "Authorization" not in freeze
    assert "No key may do this" in page
