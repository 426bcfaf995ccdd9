"""The audit beyond its entries: what events are called, how they are told, sent on and forgotten."""
