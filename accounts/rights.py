"""What somebody is in a team, and what that lets them do: the one table that pages, API and tests read. Pure."""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Role(StrEnum):
    """What somebody is in a team; the later ones may all that the earlier ones may."""

    VIEWER = "viewer"
    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"


class Right(StrEnum):
    READ = "read"
    """The team's pages, usage, receipts and statements, and whose keys there are."""

    ASK = "ask"
    """Ask for access."""

    CALL = "call"
    """Keys of one's own that call models or read the catalogue, and the playground."""

    KEYS = "keys"
    """All keys, service accounts and projects, with their limits and budgets."""

    MEMBERS = "members"
    """Invite, change roles, suspend; limits and budgets of members."""

    CREDENTIALS = "credentials"
    """The team's own credentials of providers."""

    CHANNELS = "channels"
    """Where its alerts go."""

    AUDIT = "audit"
    """What was done in the team, and by whom."""

    DECIDE = "decide"
    """What members ask for, where it is the team's own."""

    TERMS = "terms"
    """The team's terms and floors, its own limits, budgets and allowances; freezing and archiving it."""

    OWNERS = "owners"
    """Make and unmake owners."""


_VIEWER = frozenset({Right.READ, Right.ASK})
_MEMBER = _VIEWER | {Right.CALL}
_ADMIN = _MEMBER | {Right.KEYS, Right.MEMBERS, Right.CREDENTIALS, Right.CHANNELS, Right.AUDIT, Right.DECIDE}
RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.VIEWER: _VIEWER,
    Role.MEMBER: _MEMBER,
    Role.ADMIN: _ADMIN,
    Role.OWNER: _ADMIN | {Right.TERMS, Right.OWNERS},
}
PERSONAL = frozenset({Right.CHANNELS, Right.MEMBERS, Right.OWNERS, Right.ASK, Right.DECIDE})
"""What no key does: somebody signs in for it."""

_OF_MANAGING_KEYS = frozenset({Right.READ, Right.KEYS, Right.AUDIT})
_OF_PERSONS_KEYS = _OF_MANAGING_KEYS | {Right.CALL, Right.CREDENTIALS}

RANK: Mapping[Role, int] = {role: rank for rank, role in enumerate(Role)}
CALLING = tuple(role for role in Role if Right.CALL in RIGHTS[role])
"""Those whose own keys are let in."""


def rights_of(role: str) -> frozenset[Right]:
    """Of a role as rows have it."""
    return RIGHTS[Role(role)]


def rights_of_key(role: str | None) -> frozenset[Right]:
    """Of a key that manages; `role` is that of the person whose own it is: it may no more than they."""
    return _OF_MANAGING_KEYS if role is None else _OF_PERSONS_KEYS & rights_of(role)


def highest(roles: Iterable[str]) -> Role | None:
    """None where there are none."""
    return max((Role(role) for role in roles), key=RANK.__getitem__, default=None)


def is_above(role: str, other: str) -> bool:
    return RANK[Role(role)] > RANK[Role(other)]


def who_may(right: Right) -> str:
    """For people: `an owner`, `an owner or admin`, …"""
    first, *others = [role.value for role in reversed(Role) if right in RIGHTS[role]]
    return f"an {first}" if not others else f"an {', '.join([first, *others[:-1]])} or {others[-1]}"
