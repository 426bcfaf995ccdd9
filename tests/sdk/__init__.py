"""The official SDKs, unchanged, against the product."""
