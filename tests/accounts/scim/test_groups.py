"""A directory's groups, and what their people are in teams by them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.memberships import give_role
from accounts.models import Membership, ScimDirectory, ScimGroup, ScimGroupRole, Team, User
from accounts.scim.bodies import GroupChanges
from accounts.scim.groups import change_group, delete_group
from gateway.core.errors import ApiError
from tests.accounts.scim.conftest import Scim, patch
from tests.make import make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(scim: Scim) -> list[str]:
    return [scim("POST", "Users", {"userName": name}).json()["id"] for name in ("ada", "bob")]


def make_group(scim: Scim, team: Team, role: str = "member", name: str = "Engineers") -> str:
    id_: str = scim("POST", "Groups", {"displayName": name}).json()["id"]
    ScimGroupRole.objects.create(group=ScimGroup.objects.get(resource_id=id_), team=team, role=role)
    return id_


def roles_in(team: Team) -> dict[str, str]:
    return {each.user.username: each.role for each in team.memberships.active().select_related("user")}


def members(*ids: str) -> list[dict[str, str]]:
    return [{"value": id_} for id_ in ids]


@pytest.mark.parametrize(
    ("leave", "left"),
    [
        (lambda ids: {"op": "remove", "path": f'members[value eq "{ids[0]}"]'}, {"bob": "admin"}),
        (lambda ids: {"op": "Remove", "path": "members", "value": members(ids[0])}, {"bob": "admin"}),
        (lambda ids: {"op": "replace", "path": "members", "value": members(ids[1])}, {"bob": "admin"}),
        (lambda ids: {"op": "remove", "path": "members"}, {}),
        (lambda ids: {"op": "remove", "path": "members", "value": []}, {"ada": "admin", "bob": "admin"}),
    ],
)
def test_who_is_in_a_group_is_in_its_teams_and_who_leaves_leaves_them(
    scim: Scim, team: Team, people: list[str], leave: Any, left: dict[str, str]
) -> None:
    group = make_group(scim, team, "admin")
    scim("PATCH", f"Groups/{group}", patch({"op": "Add", "path": "members", "value": members(*people)}))
    assert roles_in(team) == {"ada": "admin", "bob": "admin"}
    assert scim("PATCH", f"Groups/{group}", patch(leave(people))).status_code == 204
    assert roles_in(team) == left


def test_group_that_is_put_says_exactly_who_is_in_it(scim: Scim, team: Team, people: list[str]) -> None:
    group = make_group(scim, team)
    scim("PUT", f"Groups/{group}", {"displayName": "Engineers", "members": members(*people)})
    told = scim("PUT", f"Groups/{group}", {"displayName": "Devs", "members": members(people[1])}).json()
    assert (told["displayName"], [each["value"] for each in told["members"]]) == ("Devs", [people[1]])
    assert roles_in(team) == {"bob": "member"}
    assert scim("GET", f"Users/{people[1]}").json()["groups"][0]["display"] == "Devs"


def test_highest_role_of_several_groups_wins_and_each_takes_only_its_own(
    scim: Scim, team: Team, people: list[str]
) -> None:
    low, high = make_group(scim, team, "viewer", "All"), make_group(scim, team, "admin", "Leads")
    for group in (low, high):
        scim("PATCH", f"Groups/{group}", patch({"op": "add", "path": "members", "value": members(people[0])}))
    assert roles_in(team) == {"ada": "admin"}
    assert scim("DELETE", f"Groups/{high}").status_code == 204
    assert roles_in(team) == {"ada": "viewer"}
    scim("DELETE", f"Groups/{low}")
    assert roles_in(team) == {}
    assert Membership.objects.get().suspended_at is not None


def test_what_was_given_by_hand_stays(scim: Scim, team: Team, people: list[str]) -> None:
    give_role(team=team, person=User.objects.get(username="ada"), role="member")
    group = make_group(scim, team, "admin")
    scim("PATCH", f"Groups/{group}", patch({"op": "add", "path": "members", "value": members(people[0])}))
    assert roles_in(team) == {"ada": "admin"}
    scim("DELETE", f"Groups/{group}")
    assert roles_in(team) == {"ada": "member"}


def test_directory_may_take_the_last_owner_where_no_hand_may(
    scim: Scim, team: Team, people: list[str]
) -> None:
    group = make_group(scim, team, "owner")
    scim("PATCH", f"Groups/{group}", patch({"op": "add", "path": "members", "value": members(people[0])}))
    assert roles_in(team) == {"ada": "owner"}
    assert scim("DELETE", f"Users/{people[0]}").status_code == 204
    assert roles_in(team) == {}


def test_request_sent_again_repairs_what_an_end_in_the_middle_left(
    scim: Scim, team: Team, people: list[str]
) -> None:
    group = make_group(scim, team)
    add = patch({"op": "add", "path": "members", "value": members(people[0])})
    scim("PATCH", f"Groups/{group}", add)
    Membership.objects.all().delete()
    scim("PATCH", f"Groups/{group}", add)
    assert roles_in(team) == {"ada": "member"}


def test_name_of_a_group_is_taken_once_and_found(scim: Scim) -> None:
    made = scim("POST", "Groups", {"displayName": "Ops", "externalId": "e1"})
    assert (made.status_code, made.json()["externalId"], made.json()["members"]) == (201, "e1", [])
    again = scim("POST", "Groups", {"displayName": "ops"})
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")
    found = scim("GET", 'Groups?filter=displayName eq "OPS"&excludedAttributes=members').json()
    assert found["totalResults"] == 1
    assert "members" not in found["Resources"][0]


def test_unknown_member_is_named_and_nothing_is_changed(scim: Scim, people: list[str]) -> None:
    group = scim("POST", "Groups", {"displayName": "Ops"}).json()["id"]
    body = patch({"op": "add", "path": "members", "value": members(people[0], "gone")})
    refused = scim("PATCH", f"Groups/{group}", body)
    assert (refused.status_code, "'gone'" in refused.json()["detail"]) == (400, True)
    assert ScimGroup.objects.get().people.count() == 0
    removed = patch({"op": "remove", "path": 'members[value eq "gone"]'})
    assert scim("PATCH", f"Groups/{group}", removed).status_code == 204


def test_role_that_is_set_in_admin_is_given_at_once(
    scim: Scim, people: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    scim("POST", "Groups", {"displayName": "Ops", "members": members(*people)})
    group, team = ScimGroup.objects.get(), make_team("atlas")
    staff = Client()
    staff.force_login(make_user("root", is_staff=True, is_superuser=True))
    form = {"roles-TOTAL_FORMS": "1", "roles-INITIAL_FORMS": "0"}
    form |= {"roles-0-team": str(team.pk), "roles-0-role": "viewer", "roles-0-group": str(group.pk)}
    with django_capture_on_commit_callbacks(execute=True):
        answer = staff.post(f"/admin/accounts/scimgroup/{group.pk}/change/", form)
    assert answer.status_code == 302
    assert roles_in(team) == {"ada": "viewer", "bob": "viewer"}


def test_token_is_shown_once_in_admin(directory: ScimDirectory) -> None:
    staff = Client()
    staff.force_login(make_user("root", is_staff=True, is_superuser=True))
    page = f"/admin/accounts/scimdirectory/{directory.pk}/change/"
    staff.post(
        reverse("admin:accounts_scimdirectory_issue", args=[directory.pk]), {"_form_submitted": "True"}
    )
    token = directory.tokens.get()
    shown = staff.get(page).content.decode()
    assert f"scim-gw-{token.public_id}-" in shown
    assert "http://testserver/scim/v2" in shown
    assert f"scim-gw-{token.public_id}-" not in staff.get(page).content.decode()


@pytest.mark.parametrize("text", ["a\x00b", "a\nb"])
def test_external_id_is_one_line(scim: Scim, text: str) -> None:
    answer = scim("POST", "Groups", {"displayName": "g", "externalId": text})
    assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")


def test_group_that_was_deleted_meanwhile_is_not_made_anew(scim: Scim) -> None:
    directory = ScimDirectory.objects.get()
    group = change_group(ScimGroup(directory=directory), GroupChanges(display_name="Engineers"))
    delete_group(ScimGroup.objects.get(pk=group.pk))
    with pytest.raises(ApiError, match="any more") as refusal:
        change_group(group, GroupChanges(display_name="Builders"))
    assert (refusal.value.status, ScimGroup.objects.count()) == (404, 0)
