"""A new key's text is on one page, once, and rests nowhere readable: cookies, sessions, messages, the audit."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.models import AuditEntry, Key, Team, User
from tests.make import make_key, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db
KEY = re.compile(r"sk-gw-[a-zA-Z0-9]{12}-[a-zA-Z0-9]{38}")
FORM = {"name": "billing", "scope": "feed", "lane": "auto", "expires_at_0": "", "expires_at_1": ""}


@pytest.fixture
def team() -> Team:
    return make_team("atlas")


def issue_in_admin(client: Client, team: Team, **buttons: str) -> Any:
    client.force_login(make_staff())
    return client.post("/admin/accounts/key/add/", FORM | {"team": team.pk} | buttons)


def issue_in_portal(client: Client, team: Team) -> Any:
    client.force_login(make_user("mary", teams=[team]))
    return client.post("/keys", {"name": "billing", "scopes": ["feed"]})


@pytest.mark.parametrize("issue", [issue_in_admin, issue_in_portal])
def test_a_new_key_is_on_one_page_only(client: Client, team: Team, issue: Any) -> None:
    answer = issue(client, team)
    assert answer.status_code == 302
    carried = "".join(f"{cookie.OutputString()}" for cookie in client.cookies.values())
    resting = "".join(str(session.get_decoded()) for session in Session.objects.all())
    told = "".join(str(entry.changes) + entry.object_repr for entry in AuditEntry.objects.all())
    told += "".join(entry.change_message for entry in LogEntry.objects.all())
    pages = [client.get(answer.headers["Location"]).text for _ in range(2)]
    secret = KEY.findall(pages[0])[0]
    assert not any(secret[20:40] in place for place in (carried, resting, told, answer.text, pages[1]))
    assert answer.headers.get("Cache-Control") != "public"


@pytest.mark.parametrize("button", ["_save", "_continue", "_addanother"])
def test_every_button_leads_to_the_page_that_shows_the_key(client: Client, team: Team, button: str) -> None:
    answer = issue_in_admin(client, team, **{button: "1"})
    page = client.get(answer.headers["Location"])
    assert KEY.search(page.text)
    assert "no-store" in page.headers["Cache-Control"]


def test_the_page_of_another_key_does_not_show_it(client: Client, team: Team) -> None:
    other, _ = make_key(team, "other")
    issue_in_admin(client, team)
    assert not KEY.search(client.get(f"/admin/accounts/key/{other.pk}/change/").text)


def test_another_person_is_not_shown_it(client: Client, team: Team) -> None:
    answer = issue_in_admin(client, team)
    colleague = Client()
    colleague.force_login(make_staff("colleague"))
    assert not KEY.search(colleague.get(answer.headers["Location"]).text)


def test_who_may_not_look_at_keys_issues_none(client: Client, team: Team) -> None:
    user = User.objects.create(username="blind", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="add_key"))
    client.force_login(user)
    assert client.post("/admin/accounts/key/add/", FORM | {"team": team.pk}).status_code == 403
    assert not Key.objects.exists()
