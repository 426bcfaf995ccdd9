"""The table of rights: what each role may, and what no role may."""

import pytest

from accounts.rights import (
    PERSONAL,
    RIGHTS,
    Right,
    Role,
    highest,
    is_above,
    rights_of,
    rights_of_key,
    who_may,
)


def test_each_role_may_all_that_the_one_below_may() -> None:
    for lower, higher in zip(Role, list(Role)[1:], strict=False):
        assert RIGHTS[lower] < RIGHTS[higher]


def test_table_is_the_one_that_documents_promise() -> None:
    told = {role.value: sorted(right.value for right in RIGHTS[role]) for role in Role}
    assert told == {
        "viewer": ["ask", "read"],
        "member": ["ask", "call", "read"],
        "admin": ["ask", "audit", "call", "channels", "credentials", "decide", "keys", "members", "read"],
        "owner": sorted(right.value for right in Right),
    }


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ([], None),
        (["viewer"], Role.VIEWER),
        (["viewer", "owner", "member"], Role.OWNER),
        (["member", "admin"], Role.ADMIN),
    ],
)
def test_highest_of_several_grants_counts(roles: list[str], expected: Role | None) -> None:
    assert highest(roles) == expected


def test_role_is_above_lower_ones_alone() -> None:
    assert is_above("owner", "admin")
    assert not is_above("admin", "admin")
    assert not is_above("viewer", "member")


def test_a_teams_own_key_never_does_what_needs_a_person() -> None:
    assert rights_of_key(None) == {Right.READ, Right.KEYS, Right.AUDIT}


@pytest.mark.parametrize("role", Role)
def test_a_persons_key_may_no_more_than_they_and_nothing_that_needs_a_person(role: Role) -> None:
    assert rights_of_key(role) <= rights_of(role)
    assert not rights_of_key(role) & (PERSONAL | {Right.TERMS})


def test_who_may_is_told_in_words() -> None:
    assert who_may(Right.OWNERS) == "an owner"
    assert who_may(Right.KEYS) == "an owner or admin"
    assert who_may(Right.CALL) == "an owner, admin or member"
