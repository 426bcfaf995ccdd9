"""What teams used: the ledger added up as it is written, proven, and read by ranges, groups and filters."""
