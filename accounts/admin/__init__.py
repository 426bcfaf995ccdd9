"""The admin of teams, keys and the ledger."""

from accounts.admin import keys, ledger, teams, users

__all__ = ["keys", "ledger", "teams", "users"]
