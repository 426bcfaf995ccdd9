"""Reconciliation: what a provider bills against what the ledger says, by day of UTC and model."""
