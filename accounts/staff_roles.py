"""What each desk of the operator's staff may do: groups with exactly these permissions; pure.

A migration makes the groups where there are none of that name, with a frozen copy of this table, and whoever is a
superuser may change them after that. What comes later is given by a migration of its own.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum


class StaffRole(StrEnum):
    CURATOR = "Curator"
    """Keeps the catalogue; sees nothing of teams."""

    OPERATOR = "Operator"
    """Keeps providers, their credentials, quotas, health and bills, and what the deployment itself may spend; decides
    requests for models and providers."""

    SUPPORT = "Support"
    """Looks at teams, keys, limits, money and receipts, and at the portal as a team sees it; decides requests for
    limits and budgets, and changes nothing else."""

    SECURITY = "Security"
    """Keeps identity providers, switches people off and on, ends sessions, revokes keys, reads the audit."""

    AUDITOR = "Auditor"
    """Looks at everything but credentials; changes nothing."""


def _all(app: str, *models: str) -> frozenset[str]:
    return frozenset(
        f"{app}.{act}_{model}" for model in models for act in ("add", "change", "delete", "view")
    )


def _see(app: str, *models: str) -> frozenset[str]:
    return frozenset(f"{app}.view_{model}" for model in models)


def _change(app: str, *models: str) -> frozenset[str]:
    return frozenset(f"{app}.change_{model}" for model in models)


_CATALOGUE = ("alias", "edition", "ignoredfinding", "model", "offering", "organisation", "price", "route")
_CATALOGUE_ROWS = (*_CATALOGUE, "routemember")
_TEAMS = (
    "accessrequest",
    "allowance",
    "budget",
    "key",
    "limit",
    "membership",
    "membershipgrant",
    "project",
    "serviceaccount",
    "team",
)
_MONEY = ("ledgerentry", "statement", "centrestatement")
_PROVIDERS = ("bill", "billmapping", "provider", "quota")
_IDENTITY = (
    "identityprovider",
    "claimrule",
    "scimdirectory",
    "scimgroup",
    "scimgrouprole",
    "scimtoken",
    "scimuser",
)
_CREDENTIALS = ("administratorcredential", "credential", "providercredential")

PERMISSIONS: Mapping[StaffRole, frozenset[str]] = {
    StaffRole.CURATOR: _all("catalogue", *_CATALOGUE_ROWS) | _see("providers", "provider"),
    StaffRole.OPERATOR: _all("providers", *_PROVIDERS, *_CREDENTIALS)
    | {"providers.add_incident", "providers.change_incident", "providers.view_incident"}
    | _see("catalogue", *_CATALOGUE_ROWS)
    | _change("catalogue", "offering", "route")
    | _all("catalogue", "routemember")
    | {"accounts.change_operators_budget", "accounts.decide_reach"},
    StaffRole.SUPPORT: _see("accounts", *_TEAMS, *_MONEY, "alert", "invitation", "user")
    | {"accounts.view_as_team", "accounts.decide_amounts", "providers.view_incident"},
    StaffRole.SECURITY: _see(
        "accounts", "auditentry", "auditreceiver", "invitation", "key", "membership", "team", "user"
    )
    | _change("accounts", "invitation")
    | _all("accounts", *_IDENTITY)
    | _see("auth", "group")
    | {"accounts.switch_user", "accounts.revoke_key"},
    StaffRole.AUDITOR: _see(
        "accounts",
        *_TEAMS,
        *_MONEY,
        "alert",
        "alertchannel",
        "auditentry",
        "auditreceiver",
        "invitation",
        "user",
    )
    | _see(
        "accounts", "identityprovider", "claimrule", "scimdirectory", "scimgroup", "scimgrouprole", "scimuser"
    )
    | _see("auth", "group")
    | _see("catalogue", *_CATALOGUE_ROWS)
    | _see("providers", *_PROVIDERS, "incident"),
}
"""`app.codename` of each."""


def written(table: Mapping[StaffRole, Iterable[str]]) -> dict[str, list[str]]:
    """As migrations have it."""
    return {role.value: sorted(names) for role, names in table.items()}
