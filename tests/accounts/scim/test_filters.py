"""Filters of lists, in the spellings of identity providers."""

import pytest

from accounts.scim.filters import LONGEST, plain_name, read_filter
from gateway.core.errors import ApiError

KNOWN = ["userName", "externalId", "emails.value", "active"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", {}),
        ('userName eq "ada"', {"username": "ada"}),
        ('USERNAME EQ "Ada"', {"username": "Ada"}),
        ('  userName   eq   "a b"  ', {"username": "a b"}),
        ('userName eq "a\\"b\\u00e9"', {"username": 'a"bé'}),
        ('userName eq "x and active eq false"', {"username": "x and active eq false"}),
        ('userName eq "ada" and active eq true', {"username": "ada", "active": True}),
        ("active eq False", {"active": False}),
        ('emails[type eq "work"].value eq "a@b.example"', {"emails.value": "a@b.example"}),
        ('urn:ietf:params:scim:schemas:core:2.0:User:userName eq "ada"', {"username": "ada"}),
        ('userName eq "ada" and userName eq "ada"', {"username": "ada"}),
    ],
)
def test_filter_is_read(text: str, wanted: dict[str, object]) -> None:
    assert read_filter(text, KNOWN) == wanted


@pytest.mark.parametrize(
    "text",
    [
        'userName co "ada"',
        'userName eq "ada" or userName eq "bob"',
        'userName eq "ada" and',
        'userName eq "ada" userName eq "bob"',
        'userName eq "ada" and userName eq "bob"',
        'nickName eq "ada"',
        "userName eq ada",
        'userName eq "ada',
        '(userName eq "ada")',
        "userName pr",
        'userName eq "\\x"',
        'userName eq "' + "a" * LONGEST + '"',
    ],
)
def test_filter_that_is_not_understood_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(ApiError, match=r"userName, externalId, emails\.value, active") as refused:
        read_filter(text, KNOWN)
    assert (refused.value.status, refused.value.code) == (400, "invalidFilter")


def test_attribute_that_is_endless_is_not_searched_for_indexes() -> None:
    endless = "[" * 1_000_000
    assert plain_name(endless) == endless
