"""Mutants of the pure rules: see `python -m tests.mutants --help`."""
