"""The admin of teams, keys, the ledger and the audit."""

from accounts.admin import audit, keys, ledger, owners, teams, users

__all__ = ["audit", "keys", "ledger", "owners", "teams", "users"]
