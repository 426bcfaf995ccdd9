"""The admin of teams, keys, the ledger and the audit."""

from accounts.admin import audit, budgets, keys, ledger, owners, teams, users

__all__ = ["audit", "budgets", "keys", "ledger", "owners", "teams", "users"]
