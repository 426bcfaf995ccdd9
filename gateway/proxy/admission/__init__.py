"""Stop 5, whether a call is let in: limits, budgets and providers with room, all in one answer of the store."""
