"""The admin of teams, keys and the ledger."""
