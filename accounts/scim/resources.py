"""How people, groups and what this service can are told. Pure but for what rows bring along."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from accounts.models import ScimGroup, ScimUser

USER, GROUP = "urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:Group"
_CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
_TYPE, _SCHEMA = (
    "urn:ietf:params:scim:schemas:core:2.0:ResourceType",
    "urn:ietf:params:scim:schemas:core:2.0:Schema",
)
_LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
MOST_ON_A_PAGE = 200
_ALWAYS = frozenset({"schemas", "id", "meta"})


def tell_user(row: ScimUser, base: str) -> dict[str, Any]:
    person = row.user
    told: dict[str, Any] = {"schemas": [USER], "id": row.resource_id, "userName": row.user_name}
    told |= {"active": row.is_active, "displayName": row.display_name or person.get_full_name()}
    told["name"] = {"givenName": person.first_name, "familyName": person.last_name}
    told["emails"] = [{"value": person.email, "type": "work", "primary": True}] if person.email else []
    told["groups"] = [
        {
            "value": group.resource_id,
            "display": group.display_name,
            "$ref": f"{base}/Groups/{group.resource_id}",
        }
        for group in row.groups.all()
    ]
    if row.external_id:
        told["externalId"] = row.external_id
    return told | _meta("User", f"{base}/Users/{row.resource_id}", row.created_at, row.changed_at)


def tell_group(row: ScimGroup, base: str, *, with_members: bool = True) -> dict[str, Any]:
    told: dict[str, Any] = {"schemas": [GROUP], "id": row.resource_id, "displayName": row.display_name}
    if row.external_id:
        told["externalId"] = row.external_id
    if with_members:
        told["members"] = [
            {
                "value": person.resource_id,
                "display": person.user_name,
                "type": "User",
                "$ref": f"{base}/Users/{person.resource_id}",
            }
            for person in row.people.all()
        ]
    return told | _meta("Group", f"{base}/Groups/{row.resource_id}", row.created_at, row.changed_at)


def tell_list(rows: Sequence[Mapping[str, Any]], total: int, start: int = 1) -> dict[str, Any]:
    return {
        "schemas": [_LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(rows),
        "Resources": rows,
    }


def chosen(told: dict[str, Any], only: Iterable[str], without: Iterable[str]) -> dict[str, Any]:
    """Of what is told, the attributes that were asked for. Source: RFC 7644, section 3.9."""
    wanted, unwanted = {_top(each) for each in only}, {_top(each) for each in without}
    return {
        name: value
        for name, value in told.items()
        if name in _ALWAYS or ((not wanted or name.lower() in wanted) and name.lower() not in unwanted)
    }


def config(base: str) -> dict[str, Any]:
    no = {"supported": False}
    return {
        "schemas": [_CONFIG],
        "patch": {"supported": True},
        "bulk": no | {"maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MOST_ON_A_PAGE},
        "changePassword": no,
        "sort": no,
        "etag": no,
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "A token of this directory, made in the admin.",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def resource_types(base: str) -> list[dict[str, Any]]:
    return [
        {
            "schemas": [_TYPE],
            "id": name,
            "name": name,
            "endpoint": f"/{name}s",
            "schema": schema,
            "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/{name}"},
        }
        for name, schema in (("User", USER), ("Group", GROUP))
    ]


def schemas(base: str) -> list[dict[str, Any]]:
    return [
        {
            "schemas": [_SCHEMA],
            "id": schema,
            "name": name,
            "attributes": attributes,
            "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{schema}"},
        }
        for name, schema, attributes in (("User", USER, _OF_USER), ("Group", GROUP, _OF_GROUP))
    ]


def _attribute(name: str, kind: str = "string", **said: Any) -> dict[str, Any]:
    usual = {"multiValued": False, "required": False, "caseExact": False, "mutability": "readWrite"}
    return {"name": name, "type": kind, **usual, "returned": "default", "uniqueness": "none", **said}


_VALUE = _attribute("value")
_OF_USER = [
    _attribute("userName", required=True, uniqueness="server"),
    _attribute("externalId", caseExact=True),
    _attribute("displayName"),
    _attribute("active", "boolean"),
    _attribute("name", "complex", subAttributes=[_attribute("givenName"), _attribute("familyName")]),
    _attribute(
        "emails", "complex", multiValued=True, subAttributes=[_VALUE, _attribute("primary", "boolean")]
    ),
    _attribute("groups", "complex", multiValued=True, mutability="readOnly", subAttributes=[_VALUE]),
]
_OF_GROUP = [
    _attribute("displayName", required=True, uniqueness="server"),
    _attribute("externalId", caseExact=True),
    _attribute("members", "complex", multiValued=True, subAttributes=[_VALUE, _attribute("display")]),
]


def _meta(kind: str, location: str, created: datetime, changed: datetime) -> dict[str, Any]:
    return {
        "meta": {
            "resourceType": kind,
            "created": created.isoformat().replace("+00:00", "Z"),
            "lastModified": changed.isoformat().replace("+00:00", "Z"),
            "location": location,
        }
    }


def _top(attribute: str) -> str:
    return attribute.strip().partition(".")[0].lower()
