"""A directory's people, from the first request to the last."""

from typing import Any

import pytest
from django.db.models.signals import pre_save
from django.test import Client

from accounts.key_facts import facts_of
from accounts.memberships import give_role
from accounts.models import AuditEntry, Key, Membership, ScimDirectory, ScimUser, Team, User
from accounts.people import find_by_email
from accounts.scim.tokens import issue_token, revoke_tokens
from tests.accounts.conftest import Caller
from tests.accounts.scim.conftest import Scim, patch
from tests.make import NOW, make_key, make_user

pytestmark = pytest.mark.django_db
ADA = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "userName": "ada@x.example",
    "externalId": "00u1",
    "name": {"givenName": "Ada", "familyName": "Lovelace"},
    "emails": [{"primary": True, "value": "ada@x.example", "type": "work"}],
    "active": True,
}
OFF = patch({"op": "Replace", "path": "active", "value": "False"})
ON = patch({"op": "replace", "value": {"active": True}})


def test_person_is_made_found_changed_and_told(scim: Scim) -> None:
    assert scim("GET", 'Users?filter=userName eq "ada@x.example"').json()["totalResults"] == 0
    made = scim("POST", "Users", ADA)
    told = made.json()
    assert made.status_code == 201
    assert made["Content-Type"].startswith("application/scim+json")
    assert made["Location"] == told["meta"]["location"] == f"http://testserver/scim/v2/Users/{told['id']}"
    assert (told["userName"], told["externalId"], told["active"]) == ("ada@x.example", "00u1", True)
    assert told["emails"] == [{"value": "ada@x.example", "type": "work", "primary": True}]
    person = User.objects.get()
    assert (person.username, person.email, person.first_name) == ("ada@x.example", "ada@x.example", "Ada")
    assert not person.has_usable_password()
    found = scim("GET", 'Users?filter=userName eq "ADA@x.example"&attributes=userName').json()
    assert found["totalResults"] == found["itemsPerPage"] == 1
    assert found["Resources"][0].keys() == {"schemas", "id", "meta", "userName"}
    changed = scim("PUT", f"Users/{told['id']}", ADA | {"name": {"givenName": "Augusta"}})
    assert changed.json()["name"] == {"givenName": "Augusta", "familyName": ""}


def test_pages_begin_with_one_and_end_where_they_end(scim: Scim) -> None:
    for number in range(3):
        scim("POST", "Users", {"userName": f"p{number}"})
    second = scim("GET", "Users?startIndex=2&count=1").json()
    assert [row["userName"] for row in second["Resources"]] == ["p1"]
    assert (second["totalResults"], second["startIndex"], second["itemsPerPage"]) == (3, 2, 1)
    assert scim("GET", "Users?count=0").json()["Resources"] == []
    assert scim("GET", "Users?startIndex=-5").json()["startIndex"] == 1
    refused = scim("GET", "Users?count=many")
    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidValue")


def test_whoever_is_switched_off_is_out_with_their_keys_and_comes_back(scim: Scim, team: Team) -> None:
    id_ = scim("POST", "Users", ADA).json()["id"]
    person = User.objects.get()
    give_role(team=team, person=person, role="member")
    key, _ = make_key(team, "hers", owner=person)
    browser = Client()
    browser.force_login(person)
    assert browser.get("/keys").status_code == 200
    assert scim("PATCH", f"Users/{id_}", OFF).json()["active"] is False
    assert browser.get("/keys").status_code == 302
    assert not facts_of(Key.objects.get(pk=key.pk)).is_valid(NOW.timestamp())
    assert scim("PATCH", f"Users/{id_}", ON).json()["active"] is True
    assert facts_of(Key.objects.get(pk=key.pk)).is_valid(NOW.timestamp())


def test_whoever_staff_switched_off_stays_off_while_the_directory_says_nothing_new(scim: Scim) -> None:
    id_ = scim("POST", "Users", ADA).json()["id"]
    User.objects.update(is_active=False)
    scim("PATCH", f"Users/{id_}", ON)
    assert not User.objects.get().is_active


def test_deleted_person_is_gone_there_kept_here_and_may_come_back(scim: Scim) -> None:
    id_ = scim("POST", "Users", ADA).json()["id"]
    assert scim("DELETE", f"Users/{id_}").status_code == 204
    assert scim("GET", f"Users/{id_}").status_code == 404
    assert scim("DELETE", f"Users/{id_}").status_code == 404
    assert not User.objects.get().is_active
    back = scim("POST", "Users", ADA)
    assert (back.status_code, back.json()["id"]) == (201, id_)
    assert User.objects.get().is_active


def test_name_is_taken_once(scim: Scim, directory: ScimDirectory) -> None:
    scim("POST", "Users", ADA)
    again = scim("POST", "Users", ADA | {"userName": "ADA@X.example"})
    assert (again.status_code, again.json()["scimType"], again.json()["status"]) == (409, "uniqueness", "409")
    other = scim("POST", "Users", {"userName": "bob"}).json()["id"]
    renamed = scim(
        "PATCH", f"Users/{other}", patch({"op": "replace", "path": "userName", "value": "ada@x.example"})
    )
    assert renamed.status_code == 409
    second = ScimDirectory.objects.create(name="Entra", trusted_domains="x.example")
    stolen = scim("POST", "Users", ADA, token=issue_token(second)[1])
    assert stolen.status_code == 409
    assert directory.people.count() == 2


@pytest.mark.parametrize(
    ("username", "email", "facts", "status"),
    [
        ("ada", "ada@x.example", {}, 201),
        ("ada@x.example", "ada@x.example", {}, 201),
        ("ada@x.example", "", {}, 409),
        ("ada@x.example", "ada@x.example", {"is_superuser": True}, 409),
        ("ada@x.example", "ada@elsewhere.example", {}, 409),
    ],
)
def test_only_an_address_of_a_trusted_domain_takes_somebody_over(
    scim: Scim, username: str, email: str, facts: dict[str, Any], status: int
) -> None:
    before = make_user(username, email=email, **facts)
    answer = scim("POST", "Users", ADA)
    assert answer.status_code == status
    assert hasattr(User.objects.get(pk=before.pk), "scim") is (status == 201)


def test_address_of_a_strange_domain_says_nothing_of_who_somebody_is(scim: Scim) -> None:
    before = make_user("boss", email="boss@bank.example")
    answer = scim("POST", "Users", {"userName": "boss2", "emails": [{"value": "boss@bank.example"}]})
    assert answer.status_code == 201
    assert User.objects.get(username="boss2").pk != before.pk


def test_password_is_not_lost_to_a_strange_mailbox(scim: Scim) -> None:
    make_user("ada", email="ada@x.example")
    id_ = scim("POST", "Users", ADA).json()["id"]
    moved = scim(
        "PATCH", f"Users/{id_}", patch({"op": "replace", "path": "emails", "value": [{"value": "e@vil.io"}]})
    )
    assert (moved.status_code, moved.json()["scimType"]) == (400, "mutability")
    assert User.objects.get().email == "ada@x.example"


def test_address_of_staff_is_changed_by_no_directory(scim: Scim) -> None:
    make_user("ada", email="Ada@x.example", is_staff=True)
    made = scim("POST", "Users", ADA)
    assert made.status_code == 201
    email = {"op": "replace", "path": "emails", "value": "eve@y.example"}
    moved = scim("PATCH", f"Users/{made.json()['id']}", patch(email))
    assert (moved.status_code, moved.json()["scimType"]) == (400, "mutability")
    assert User.objects.get().email.lower() == "ada@x.example"
    assert scim("PATCH", f"Users/{made.json()['id']}", OFF).status_code == 200


def test_address_of_somebody_else_is_given_to_nobody(scim: Scim) -> None:
    make_user("boss", email="boss@bank.example")
    made = scim("POST", "Users", {"userName": "eve", "emails": [{"value": "Boss@bank.example"}]})
    assert (made.status_code, made.json()["emails"]) == (201, [])
    assert find_by_email("boss@bank.example") == User.objects.get(username="boss")


@pytest.mark.parametrize(
    ("value", "status"), [('"true"', 200), ('"False"', 200), ("true", 200), ('"x"', 400)]
)
def test_flag_is_asked_for_in_each_spelling(scim: Scim, value: str, status: int) -> None:
    scim("POST", "Users", ADA)
    answer = scim("GET", f"Users?filter=active eq {value}")
    assert answer.status_code == status
    if status == 200:
        assert answer.json()["totalResults"] == (1 if "true" in value else 0)


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_superuser_is_changed_by_no_directory(scim: Scim, method: str) -> None:
    id_ = scim("POST", "Users", ADA).json()["id"]
    User.objects.update(is_superuser=True)
    body = {"PATCH": OFF, "PUT": ADA | {"active": False}, "DELETE": None}[method]
    assert scim(method, f"Users/{id_}", body).status_code == 403
    assert User.objects.get().is_active


def test_nobody_is_let_in_without_a_token_that_works(
    scim: Scim, directory: ScimDirectory, manager: str
) -> None:
    revoked = issue_token(directory)[1]
    revoke_tokens(directory)
    for token in ("", "nonsense", revoked, manager, revoked[:-1] + "x"):
        answer = scim("GET", "Users", token=token)
        assert (answer.status_code, answer.json()["status"]) == (401, "401")
        assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert "scim-gw-" in answer.json()["detail"]


def test_token_opens_nothing_else(call: Caller, directory: ScimDirectory) -> None:
    token = issue_token(directory)[1]
    for path in ("/v1/keys", "/v1/models", "/v1/usage"):
        assert call("GET", path, token).status_code == 401


def test_directory_sees_nobody_of_another(scim: Scim) -> None:
    id_ = scim("POST", "Users", ADA).json()["id"]
    token = issue_token(ScimDirectory.objects.create(name="Entra"))[1]
    for method, body in (("GET", None), ("PUT", ADA), ("PATCH", OFF), ("DELETE", None)):
        assert scim(method, f"Users/{id_}", body, token=token).status_code == 404
    assert scim("GET", "Users", token=token).json()["totalResults"] == 0
    group = scim("POST", "Groups", {"displayName": "G", "members": [{"value": id_}]}, token=token)
    assert (group.status_code, "members" in group.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "Users/\x00", None, 400),
        ("GET", "Users/" + "9" * 500, None, 404),
        ("GET", 'Users?filter=userName eq "a%00b"', None, 400),
        ("GET", 'Users?filter=userName co "a"', None, 400),
        ("GET", "Me", None, 404),
        ("GET", "", None, 404),
        ("POST", "Bulk", {}, 404),
        ("DELETE", "Users", None, 405),
        ("POST", "Users", [1], 400),
        ("POST", "Users", {"userName": "a\x00b"}, 400),
        ("POST", "Users", {"userName": "a\nb"}, 400),
        ("POST", "Users", {"userName": "a", "colour": "red"}, 400),
    ],
)
def test_what_cannot_be_is_told_in_the_form_of_scim(
    scim: Scim, method: str, path: str, body: Any, status: int
) -> None:
    answer = scim(method, path, body)
    assert answer.status_code == status
    if status >= 400:
        assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert answer.json()["status"] == str(status)


def test_service_says_what_it_can(scim: Scim) -> None:
    config = scim("GET", "ServiceProviderConfig").json()
    assert (config["patch"]["supported"], config["bulk"]["supported"], config["filter"]["maxResults"]) == (
        True,
        False,
        200,
    )
    assert [row["id"] for row in scim("GET", "ResourceTypes").json()["Resources"]] == ["User", "Group"]
    assert scim("GET", "ResourceTypes/User").json()["endpoint"] == "/Users"
    for schema in scim("GET", "Schemas").json()["Resources"]:
        assert scim("GET", f"Schemas/{schema['id']}").json() == schema
    assert scim("GET", "Schemas/none").status_code == 404


def test_audit_names_the_directory(scim: Scim) -> None:
    id_ = scim("POST", "Users", ADA).json()["id"]
    scim("PATCH", f"Users/{id_}", OFF)
    entry = AuditEntry.objects.filter(changes__has_key="is_active").latest("pk")
    assert (entry.actor_kind, entry.actor_name) == ("directory", "Okta")


def test_membership_of_a_deleted_person_is_kept(scim: Scim, team: Team) -> None:
    id_ = scim("POST", "Users", ADA).json()["id"]
    give_role(team=team, person=User.objects.get(), role="member")
    scim("DELETE", f"Users/{id_}")
    assert Membership.objects.get().is_active


def test_two_who_are_renamed_to_one_name_at_once_are_told_apart(scim: Scim) -> None:
    """The other one is named between the look and the writing."""
    ids = [scim("POST", "Users", {"userName": name}).json()["id"] for name in ("ada", "bea")]

    def first(sender: Any, instance: ScimUser, **_: Any) -> None:
        ScimUser.objects.filter(resource_id=ids[1]).update(user_name="cleo")

    pre_save.connect(first, sender=ScimUser)
    try:
        for answer in (
            scim("PATCH", f"Users/{ids[0]}", patch({"op": "replace", "path": "userName", "value": "Cleo"})),
            scim("PUT", f"Users/{ids[0]}", {"userName": "CLEO"}),
        ):
            assert (answer.status_code, answer.json()["scimType"]) == (409, "uniqueness")
            assert "'cleo'" in answer.json()["detail"].lower()
    finally:
        pre_save.disconnect(first, sender=ScimUser)
    assert set(ScimUser.objects.values_list("user_name", flat=True)) == {"ada", "bea"}
