"""Bodies of requests, in the spellings of identity providers."""

from typing import Any

import pytest

from accounts.scim.bodies import (
    MEMBERS_MOST,
    OPERATIONS_MOST,
    read_group,
    read_group_patch,
    read_user,
    read_user_patch,
)
from gateway.core.errors import ApiError


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}


def test_whole_user_is_read_with_the_primary_address() -> None:
    emails = [{"value": "home@x.example", "type": "home"}, {"value": "work@x.example", "type": "work"}]
    body = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": " ada ",
        "externalId": "00u1",
        "name": {"givenName": "Ada", "familyName": "Lovelace", "formatted": "Ada Lovelace"},
        "emails": [*emails, {"value": "first@x.example", "primary": "True"}],
        "active": True,
        "password": "never kept",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "x"},
    }
    assert read_user(body) == {
        "user_name": "ada",
        "external_id": "00u1",
        "given_name": "Ada",
        "family_name": "Lovelace",
        "email": "first@x.example",
        "is_active": True,
    }
    assert read_user(body | {"emails": emails})["email"] == "work@x.example"


def test_user_name_that_is_an_address_stands_in_for_a_missing_one() -> None:
    assert read_user({"userName": "ada@x.example"})["email"] == "ada@x.example"
    assert "email" not in read_user({"userName": "ada"})


@pytest.mark.parametrize(
    ("operation", "changes"),
    [
        ({"op": "replace", "value": {"active": False}}, {"is_active": False}),  # Okta
        ({"op": "Replace", "path": "active", "value": "False"}, {"is_active": False}),  # Entra ID
        ({"op": "replace", "path": "active", "value": False}, {"is_active": False}),
        ({"op": "Add", "path": "active", "value": "true"}, {"is_active": True}),
        (
            {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "a@x.example"},
            {"email": "a@x.example"},
        ),
        ({"op": "add", "path": "emails", "value": [{"value": "b@x.example"}]}, {"email": "b@x.example"}),
        ({"op": "Add", "path": "name.givenName", "value": "Ada"}, {"given_name": "Ada"}),
        (
            {"op": "replace", "value": {"name.familyName": "L", "displayName": "AL"}},
            {"family_name": "L", "display_name": "AL"},
        ),
        (
            {"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:userName", "value": "x"},
            {"user_name": "x"},
        ),
        ({"op": "replace", "path": "name", "value": {"givenName": "A"}}, {"given_name": "A"}),
        ({"op": "Add", "path": 'addresses[type eq "work"].country', "value": "DE"}, {}),
        (
            {
                "op": "Add",
                "path": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
                "value": 1,
            },
            {},
        ),
        ({"op": "remove", "path": "externalId"}, {"external_id": ""}),
        ({"op": "Remove", "path": "name"}, {"given_name": "", "family_name": ""}),
        ({"op": "remove", "path": "title"}, {}),
    ],
)
def test_change_of_a_user_is_read(operation: dict[str, Any], changes: dict[str, Any]) -> None:
    assert read_user_patch(patch(operation)) == changes


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalidSyntax"),
        ([], "invalidSyntax"),
        (patch(), "invalidSyntax"),
        ({"Operations": "x"}, "invalidSyntax"),
        (patch({"op": "move", "path": "active"}), "invalidSyntax"),
        (patch({"op": "replace", "value": "x"}), "invalidSyntax"),
        (patch({"op": "remove"}), "noTarget"),
        (patch({"op": "remove", "path": "colour"}), "noTarget"),
        (patch({"op": "remove", "path": "userName"}), "mutability"),
        (patch({"op": "replace", "path": "colour", "value": "red"}), "invalidPath"),
        (patch({"op": "replace", "path": 7, "value": "red"}), "invalidPath"),
        (patch({"op": "replace", "path": "active", "value": "yes"}), "invalidValue"),
        (patch({"op": "replace", "path": "active", "value": None}), "invalidValue"),
        (patch({"op": "replace", "path": "userName", "value": ""}), "invalidValue"),
        (patch({"op": "replace", "path": "userName", "value": {}}), "invalidValue"),
        (patch({"op": "replace", "path": "userName", "value": "a" * 256}), "invalidValue"),
        (patch({"op": "replace", "path": "name.givenName", "value": "a" * 151}), "invalidValue"),
        (patch(*[{"op": "add", "path": "title", "value": "x"}] * (OPERATIONS_MOST + 1)), "tooMany"),
    ],
)
def test_change_of_a_user_that_cannot_be_is_refused(body: Any, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        read_user_patch(body)
    assert (refused.value.status, refused.value.code) == (400, code)


@pytest.mark.parametrize("body", [{}, {"userName": ""}, {"userName": None}, {"displayName": "x"}])
def test_user_without_a_name_is_refused(body: Any) -> None:
    with pytest.raises(ApiError, match="userName"):
        read_user(body)


@pytest.mark.parametrize(
    ("operation", "steps"),
    [
        ({"op": "add", "path": "members", "value": [{"value": "a"}, {"value": "b"}]}, [("add", ["a", "b"])]),
        ({"op": "Add", "path": "members", "value": [{"value": "a"}, {"value": "a"}]}, [("add", ["a"])]),
        ({"op": "Remove", "path": "members", "value": [{"value": "a"}]}, [("remove", ["a"])]),  # Entra ID
        ({"op": "remove", "path": 'members[value eq "a"]'}, [("remove", ["a"])]),  # Okta
        ({"op": "remove", "path": "members", "value": []}, [("remove", [])]),
        ({"op": "remove", "path": "members"}, [("replace", [])]),
        ({"op": "replace", "path": "members", "value": ["a"]}, [("replace", ["a"])]),
        ({"op": "replace", "value": {"members": [{"value": "a"}]}}, [("replace", ["a"])]),
    ],
)
def test_change_of_members_is_read(operation: dict[str, Any], steps: list[Any]) -> None:
    assert read_group_patch(patch(operation)).members == steps


def test_group_is_renamed_with_and_without_a_path() -> None:
    for operation in (
        {"op": "replace", "path": "displayName", "value": "Ops"},
        {"op": "replace", "value": {"id": "x", "displayName": "Ops"}},
    ):
        assert read_group_patch(patch(operation)).display_name == "Ops"


def test_whole_group_says_exactly_who_is_in_it() -> None:
    changes = read_group({"displayName": "Ops", "members": [{"value": "a", "display": "x"}]})
    assert (changes.display_name, changes.external_id, changes.members) == ("Ops", "", [("replace", ["a"])])
    assert read_group({"displayName": "Ops", "members": None}).members == [("replace", [])]


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ({"op": "add", "path": 'members[value eq "a"]', "value": 1}, "invalidPath"),
        ({"op": "remove", "path": 'members[display eq "a"]'}, "invalidFilter"),
        ({"op": "replace", "path": "owners", "value": 1}, "invalidPath"),
        ({"op": "add", "path": "members", "value": [{"display": "a"}]}, "invalidValue"),
        ({"op": "add", "path": "members", "value": [["a"]]}, "invalidValue"),
        ({"op": "add", "path": "members", "value": ["a"] * (MEMBERS_MOST + 1)}, "tooMany"),
        ({"op": "replace", "path": "displayName", "value": ""}, "invalidValue"),
    ],
)
def test_change_of_a_group_that_cannot_be_is_refused(operation: dict[str, Any], code: str) -> None:
    with pytest.raises(ApiError) as refused:
        read_group_patch(patch(operation))
    assert (refused.value.status, refused.value.code) == (400, code)
