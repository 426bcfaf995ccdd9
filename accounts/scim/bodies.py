"""What the bodies of requests say of a person or a group, in the many spellings of identity providers. Pure.

Sources: RFC 7643 and 7644; Okta's and Microsoft's guides for SCIM of November 2026.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from accounts.scim.filters import plain_name, read_filter
from gateway.core.errors import ApiError

OPERATIONS_MOST, MEMBERS_MOST = 5_000, 50_000
_TEXTS = {
    "username": "user_name",
    "externalid": "external_id",
    "displayname": "display_name",
    "name.givenname": "given_name",
    "name.familyname": "family_name",
    "emails.value": "email",
    "emails": "email",
}
"""By attribute: what is kept of it."""
_LENGTHS = {"given_name": 150, "family_name": 150, "email": 254}
_LONGEST = 255
# Known to the standard, and of no use here.
_UNKEPT = {"id", "meta", "schemas", "groups", "password", "title", "nickname", "profileurl", "usertype"}
_UNKEPT |= {"preferredlanguage", "locale", "timezone", "x509certificates"}
_UNKEPT_BELOW = (
    "name",
    "emails",
    "phonenumbers",
    "addresses",
    "roles",
    "ims",
    "photos",
    "entitlements",
    "urn:",
)
_SPELLINGS = {"true": True, "false": False}
Op = Literal["add", "remove", "replace"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One of a PATCH. Without a path, `value` holds attributes."""

    op: Op
    path: str
    value: Any


@dataclass(slots=True)
class GroupChanges:
    """What to do to a group: `members` are steps, one after the other, each with resource ids."""

    display_name: str | None = None
    external_id: str | None = None
    members: list[tuple[Op, list[str]]] = field(default_factory=list)


def read_user(body: Any) -> dict[str, Any]:
    """What a whole resource says: user_name, external_id, display_name, given_name, family_name, email, is_active.

    Raises ApiError.
    """
    said = _object(body)
    facts = _facts(said)
    if not facts.get("user_name"):
        raise _invalid(
            "userName", "userName is missing; it is what the person is called at the identity provider."
        )
    if not facts.get("email") and "@" in facts["user_name"]:
        facts["email"] = facts["user_name"]
    return facts


def read_user_patch(body: Any) -> dict[str, Any]:
    """Likewise what a PATCH changes. Raises ApiError."""
    changes: dict[str, Any] = {}
    for each in read_operations(body):
        if each.op != "remove":
            changes |= _facts(_object(each.value) if not each.path else {each.path: each.value})
            continue
        name = plain_name(each.path)
        if name in {"username", "active"}:
            raise ApiError(f"{each.path} cannot be removed.", code="mutability", param="path")
        changes |= dict.fromkeys(_removed(name, each.path), "")
    return changes


def read_group(body: Any) -> GroupChanges:
    """What a whole resource says. Raises ApiError."""
    said = {name.lower(): value for name, value in _object(body).items()}
    name = _text("displayName", said.get("displayname"))
    if not name:
        raise _invalid("displayName", "displayName is missing; it is what the group is called.")
    changes = GroupChanges(name, _text("externalId", said.get("externalid")) or "")
    changes.members.append(("replace", _ids(said.get("members") or [])))
    return changes


def read_group_patch(body: Any) -> GroupChanges:
    """Likewise what a PATCH changes. Raises ApiError."""
    changes = GroupChanges()
    for each in read_operations(body):
        if each.path:
            _change_group(changes, each.op, each.path, each.value)
        else:
            for name, value in _object(each.value).items():
                _change_group(changes, each.op, name, value)
    return changes


def read_operations(body: Any) -> list[Operation]:
    """Raises ApiError."""
    said = {name.lower(): value for name, value in _object(body).items()}
    rows = said.get("operations")
    if not isinstance(rows, list) or not rows:
        raise ApiError(
            "Operations is missing; it lists what to change.", code="invalidSyntax", param="Operations"
        )
    if len(rows) > OPERATIONS_MOST:
        raise ApiError(
            f"Operations holds {len(rows)}; send {OPERATIONS_MOST} at most.",
            code="tooMany",
            param="Operations",
        )
    return [_operation(row) for row in rows]


def _operation(row: Any) -> Operation:
    said = {name.lower(): value for name, value in _object(row).items()}
    op, path = str(said.get("op", "")).lower(), said.get("path") or ""
    if op not in {"add", "remove", "replace"}:
        raise ApiError(
            f"op is {str(said.get('op'))[:40]!r}; use add, remove or replace.", code="invalidSyntax"
        )
    if not isinstance(path, str):
        raise ApiError("path is not text.", code="invalidPath", param="path")
    if op == "remove" and not path:
        raise ApiError("remove needs a path.", code="noTarget", param="path")
    return Operation(op, path.strip(), said.get("value"))  # type: ignore[arg-type]  # one of the three


def _facts(said: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, value in _flat(said):
        name = plain_name(path)
        if name == "active":
            found["is_active"] = read_flag(path, value)
        elif kept := _TEXTS.get(name):
            text = _email(value) if name == "emails" else _text(path, value)
            if text is not None:
                found[kept] = text
        elif not _is_unkept(name):
            raise ApiError(
                f"There is no attribute {path[:80]!r} of a user.", code="invalidPath", param="path"
            )
    for kept, text in found.items():
        most = _LENGTHS.get(kept, _LONGEST)
        if isinstance(text, str) and len(text) > most:
            raise _invalid(kept, f"{kept} has {len(text)} characters; {most} are taken at most.")
    if found.get("user_name") == "":
        raise _invalid("userName", "userName is empty.")
    return found


def _flat(said: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """`name` told as an object is told as its parts."""
    for path, value in said.items():
        if plain_name(path) == "name" and isinstance(value, Mapping):
            yield from ((f"{path}.{part}", inner) for part, inner in value.items())
        else:
            yield path, value


def _is_unkept(name: str) -> bool:
    return name in _UNKEPT or name.startswith(_UNKEPT_BELOW)


def _removed(name: str, path: str) -> Iterable[str]:
    if name == "name":
        return ("given_name", "family_name")
    if kept := _TEXTS.get(name):
        return (kept,)
    if _is_unkept(name):
        return ()
    raise ApiError(f"There is no attribute {path[:80]!r} of a user.", code="noTarget", param="path")


def _change_group(changes: GroupChanges, op: Op, path: str, value: Any) -> None:
    name = plain_name(path)
    if name == "members" and op == "remove" and path.lower() == name and value is None:
        changes.members.append(("replace", []))
    elif name == "members":
        changes.members.append((op, _named(op, path, value)))
    elif name == "displayname" and op != "remove":
        changes.display_name = _text(path, value)
        if not changes.display_name:
            raise _invalid("displayName", "displayName is empty.")
    elif name == "externalid":
        changes.external_id = "" if op == "remove" else _text(path, value) or ""
    elif not _is_unkept(name):
        raise ApiError(f"A group's {path[:80]!r} cannot be changed.", code="invalidPath", param="path")


def _named(op: Op, path: str, value: Any) -> list[str]:
    """Whom a step on members is about."""
    _, bracket, index = path.partition("[")
    if not bracket:
        return _ids([] if value is None else value)
    if op != "remove":
        raise ApiError("path: members with an index can only be removed.", code="invalidPath", param="path")
    wanted = read_filter(index.rpartition("]")[0], ["value"])
    return [str(wanted["value"])] if "value" in wanted else []


def _ids(value: Any) -> list[str]:
    rows = value if isinstance(value, list) else [value]
    if len(rows) > MEMBERS_MOST:
        raise ApiError(
            f"members holds {len(rows)}; send {MEMBERS_MOST} at most.", code="tooMany", param="members"
        )
    ids: dict[str, None] = {}
    for row in rows:
        value = row.get("value") if isinstance(row, Mapping) else row
        if not isinstance(value, str) or not value:
            raise _invalid(
                "members", "members holds something without a value; each has the id of a user as its value."
            )
        ids[value] = None
    return list(ids)


def read_flag(path: str, value: Any) -> bool:
    """`true`, and as some say it "True". Raises ApiError."""
    flag = _SPELLINGS.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(flag, bool):
        raise _invalid(path, f"{path} is {str(value)[:40]!r}; use true or false.")
    return flag


def _email(value: Any) -> str | None:
    """The primary one of a list, else the one at work, else the first."""
    rows = value if isinstance(value, list) else [value]
    best = max(rows, key=_rank, default=None)
    return _text("emails", best.get("value") if isinstance(best, Mapping) else best)


def _rank(row: Any) -> tuple[bool, bool]:
    if not isinstance(row, Mapping):
        return (False, False)
    return str(row.get("primary", "")).lower() == "true", str(row.get("type", "")).lower() == "work"


def _text(path: str, value: Any) -> str | None:
    """None where nothing is said."""
    if value is None or isinstance(value, str):
        return value.strip() if value else value
    raise _invalid(path, f"{path} is not text.")


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ApiError("An object is expected here.", code="invalidSyntax")
    return value


def _invalid(param: str, message: str) -> ApiError:
    return ApiError(message, code="invalidValue", param=param)
