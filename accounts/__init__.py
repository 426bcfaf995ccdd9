"""Who may call and what it cost: users, teams, keys and the ledger."""
