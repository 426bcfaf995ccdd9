"""The admin of teams, keys, the ledger and the audit."""

from accounts.admin import (
    access_requests,
    alerts,
    audit,
    budgets,
    identity_providers,
    invitations,
    keys,
    ledger,
    owners,
    scim,
    statements,
    teams,
    users,
)

__all__ = [
    "access_requests",
    "alerts",
    "audit",
    "budgets",
    "identity_providers",
    "invitations",
    "keys",
    "ledger",
    "owners",
    "scim",
    "statements",
    "teams",
    "users",
]
