"""The log of calls: what may be asked of the ledger, page by page, and one call as it went."""
