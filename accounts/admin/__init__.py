"""The admin of teams, keys, the ledger and the audit."""

from accounts.admin import (
    alerts,
    audit,
    budgets,
    identity_providers,
    keys,
    ledger,
    owners,
    scim,
    statements,
    teams,
    users,
)

__all__ = [
    "alerts",
    "audit",
    "budgets",
    "identity_providers",
    "keys",
    "ledger",
    "owners",
    "scim",
    "statements",
    "teams",
    "users",
]
