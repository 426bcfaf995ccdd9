"""Support looks at the portal as a team sees it: read-only, told to the team, and never with a secret."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts import viewing
from accounts.models import AuditEntry, Key, Team, User
from accounts.shown_once import keep_secret
from gateway.portal.urls import urlpatterns
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db
SURE = {"_form_submitted": "True"}


@pytest.fixture
def atlas() -> Team:
    return make_team("atlas")


@pytest.fixture
def support(atlas: Team) -> Client:
    person = User.objects.create(username="sue", is_staff=True)
    for name in ("view_team", "view_as_team"):
        person.user_permissions.add(Permission.objects.get(codename=name))
    client = Client()
    client.force_login(person)
    client.post(reverse("admin:accounts_team_view_as", args=[atlas.pk]), SURE)
    return client


def test_staff_without_the_right_cannot_begin(client: Client, atlas: Team) -> None:
    person = User.objects.create(username="sue", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="change_team"))
    client.force_login(person)
    assert client.post(reverse("admin:accounts_team_view_as", args=[atlas.pk]), SURE).status_code == 403
    assert client.get("/team?team=atlas").status_code == 404


def test_page_is_the_teams_with_a_banner_and_a_way_out(support: Client) -> None:
    page = support.get("/team?team=atlas").text
    assert "You look at <bdi>Atlas</bdi> as it sees itself" in page
    assert reverse("portal:view-as-end") in page


def test_team_hears_who_looked_and_when(support: Client, atlas: Team) -> None:
    support.post(reverse("portal:view-as-end"))
    told = AuditEntry.objects.filter(team=atlas, event__startswith="view_as.").order_by("id")
    assert list(told.values_list("event", "actor_name")) == [
        ("view_as.begun", "sue"),
        ("view_as.ended", "sue"),
    ]


def test_after_the_end_the_team_is_not_theirs(support: Client) -> None:
    support.post(reverse("portal:view-as-end"))
    assert support.get("/team?team=atlas").status_code == 404


def test_other_teams_stay_closed(support: Client) -> None:
    make_team("other")
    assert support.get("/team?team=other").status_code == 404


def test_nothing_that_is_sent_changes_anything(support: Client, atlas: Team) -> None:
    key, _ = make_key(atlas)
    told = AuditEntry.objects.count()
    named: dict[str, Any] = {"public_id": key.public_id, "id": "1", "number": "1", "request_id": "req_1"}
    for pattern in urlpatterns:
        if pattern.name == "view-as-end":
            continue
        arguments = {name: named.get(name, "1") for name in pattern.pattern.regex.groupindex}
        address = reverse(f"portal:{pattern.name}", kwargs=arguments)
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(support, method)(f"{address}?team=atlas", {"name": "x", "form": "terms"})
            assert answer.status_code == 403, (method, address)
    assert AuditEntry.objects.count() == told
    assert Key.objects.get().revoked_at is None


def test_every_page_that_opens_shows_the_banner(support: Client, atlas: Team) -> None:
    for name in ("keys", "team", "alerts", "statements"):
        answer = support.get(f"{reverse(f'portal:{name}')}?team=atlas")
        assert answer.status_code == 200, name
        assert "You look at <bdi>Atlas</bdi>" in answer.text, name


@pytest.mark.parametrize("name", ["audit", "credentials", "playground"])
def test_what_viewers_do_not_see_stays_closed(support: Client, name: str) -> None:
    assert support.get(f"{reverse(f'portal:{name}')}?team=atlas").status_code in {403, 404}


def test_secret_that_is_shown_once_is_not_shown_here(support: Client, atlas: Team) -> None:
    key, text = make_key(atlas)
    session = support.session
    keep_secret(session, key, text)
    session.save()
    for address in ("/keys?team=atlas", f"/keys/{key.public_id}?team=atlas"):
        assert text not in support.get(address).text


def test_session_opens_nothing_of_the_team_in_the_api(support: Client) -> None:
    assert support.get("/v1/keys?team=atlas").status_code == 404
    assert support.get("/v1/audit?team=atlas").status_code == 404


def test_it_ends_by_itself(support: Client, atlas: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewing, "LONGEST_S", -1)
    assert support.get("/team?team=atlas").status_code == 404
    assert AuditEntry.objects.filter(team=atlas, event="view_as.ended").exists()


def test_it_ends_where_the_right_is_taken(support: Client) -> None:
    User.objects.get(username="sue").user_permissions.clear()
    assert support.get("/team?team=atlas").status_code == 404


def test_support_that_belongs_to_the_team_is_a_viewer_meanwhile(support: Client, atlas: Team) -> None:
    person = User.objects.get(username="sue")
    make_user("boss", teams=[atlas])
    atlas.memberships.create(user=person, role="owner")
    assert support.post("/keys?team=atlas", {"name": "mine"}).status_code == 403
    assert "Make a key" not in support.get("/keys?team=atlas").text
