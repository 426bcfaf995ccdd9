"""Cost and usage in the FinOps Foundation's form."""
