"""What an act on a row is called, such as `key.revoked`: by the kind of the row, and by what changed; pure."""

from collections.abc import Mapping
from typing import Any

CREATED, UPDATED, DELETED, READ = "created", "updated", "deleted", "read"
ACTS = (CREATED, UPDATED, DELETED, READ)
"""By the numbers of the audit's actions."""

_KINDS = {"membership": "member", "membership grant": "member_grant", "group": "staff_role"}
# What it means that a field was empty before and is not after, and the other way round.
_TURNS = {
    "revoked_at": ("revoked", "restored"),
    "suspended_at": ("suspended", "resumed"),
    "archived_at": ("archived", "unarchived"),
    "frozen_at": ("frozen", "unfrozen"),
    "withdrawn_at": ("withdrawn", "revived"),
    "accepted_at": ("accepted", "reopened"),
    "is_superuser": ("superuser_made", "superuser_unmade"),
    "is_active": ("switched_on", "switched_off"),
    "is_enabled": ("switched_on", "switched_off"),
}
_CHANGED = {
    "role": "role_changed",
    "groups": "staff_roles_changed",
    "user_permissions": "permissions_changed",
    "permissions": "permissions_changed",
    "password": "password_changed",
    "ciphertext": "secret_changed",
}
_NOTHING = frozenset({None, "", "None", "False", False})


def kind_of(verbose_name: str) -> str:
    """How events call rows of that model: `service account` is `service_account`."""
    return _KINDS.get(verbose_name, verbose_name.replace(" ", "_"))


def name_event(verbose_name: str, action: int, changes: Mapping[str, Any] | None) -> str:
    """`changes` is field → before and after; what it tells first wins."""
    act = ACTS[action]
    if act == UPDATED:
        act = _turn(changes or {}) or next(
            (_CHANGED[name] for name in _CHANGED if name in (changes or {})), act
        )
    return f"{kind_of(verbose_name)}.{act}"


def _turn(changes: Mapping[str, Any]) -> str:
    for name, (was_set, was_emptied) in _TURNS.items():
        pair = changes.get(name)
        if isinstance(pair, list | tuple) and len(pair) == 2 and _is_set(pair[0]) != _is_set(pair[1]):
            return was_set if _is_set(pair[1]) else was_emptied
    return ""


def _is_set(value: Any) -> bool:
    return value not in _NOTHING
