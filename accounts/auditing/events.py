"""What an act on a row is called, such as `key.revoked`: by the kind of the row, and by what changed; pure."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

CREATED, UPDATED, DELETED, READ = "created", "updated", "deleted", "read"
ACTS = (CREATED, UPDATED, DELETED, READ)
"""By the numbers of the audit's actions."""

_KINDS = {
    "membership": "member",
    "membership grant": "member_grant",
    "group": "staff_role",
    "role of a SCIM group": "scim_group_role",
}
# What it means that a field was empty before and is not after, and the other way round.
_TURNS = {
    "revoked_at": ("revoked", "restored"),
    "suspended_at": ("suspended", "resumed"),
    "archived_at": ("archived", "unarchived"),
    "frozen_at": ("frozen", "unfrozen"),
    "withdrawn_at": ("withdrawn", "revived"),
    "accepted_at": ("accepted", "reopened"),
    "deleted_at": ("deleted", "brought_back"),
    "raise_until": ("raised", "raise_ended"),
    "breaker held": ("breaker_held", "breaker_released"),
    "is_superuser": ("superuser_made", "superuser_unmade"),
    "is_active": ("switched_on", "switched_off"),
    "is_enabled": ("switched_on", "switched_off"),
}
_OF_KIND = {
    ("key", "owner"): "handed_over",
    ("key", "service_account"): "handed_over",
    ("invitation", "expires_at"): "renewed",
    ("access_request", "endorsed_by"): "endorsed",
}
_CHANGED = {
    "role": "role_changed",
    "groups": "staff_roles_changed",
    "user_permissions": "permissions_changed",
    "permissions": "permissions_changed",
    "password": "password_changed",
    "ciphertext": "secret_changed",
    "sealed_secret": "secret_changed",
    "sealed_address": "address_changed",
}
# A field whose new value is what happened.
_SAID = ("access_request", "state")
# A row that is made in the place of another one.
_INSTEAD = ("key", "replaces", "rotated")
_NOTHING = frozenset({None, "", "None", "False", False})


def kind_of(verbose_name: str) -> str:
    """How events call rows of that model: `service account` is `service_account`."""
    return _KINDS.get(verbose_name, verbose_name.replace(" ", "_").lower())


def name_event(verbose_name: str, action: int, changes: Mapping[str, Any] | None) -> str:
    """`changes` is field → before and after; what it tells first wins."""
    kind, given = kind_of(verbose_name), changes or {}
    act = ACTS[action]
    if act == CREATED:
        act = _made(kind, given)
    elif act == UPDATED:
        act = _said(kind, given) or _turn(given) or _changed(kind, given) or act
    return f"{kind}.{act}"


def _made(kind: str, changes: Mapping[str, Any]) -> str:
    of, name, act = _INSTEAD
    pair = changes.get(name)
    return act if kind == of and _is_pair(pair) and _is_set(pair[1]) else CREATED


def _said(kind: str, changes: Mapping[str, Any]) -> str:
    of, name = _SAID
    pair = changes.get(name)
    return str(pair[1]) if kind == of and _is_pair(pair) and _is_set(pair[1]) else ""


def _changed(kind: str, changes: Mapping[str, Any]) -> str:
    of_kind = (_OF_KIND[kind, name] for name in changes if (kind, name) in _OF_KIND)
    return next(of_kind, "") or next((_CHANGED[name] for name in _CHANGED if name in changes), "")


def _turn(changes: Mapping[str, Any]) -> str:
    for name, (was_set, was_emptied) in _TURNS.items():
        pair = changes.get(name)
        if _is_pair(pair) and _is_set(pair[0]) != _is_set(pair[1]):
            return was_set if _is_set(pair[1]) else was_emptied
    return ""


def _is_pair(change: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(change, list | tuple) and len(change) == 2


def _is_set(value: Any) -> bool:
    return value not in _NOTHING
