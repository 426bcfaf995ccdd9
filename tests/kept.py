"""Rows that take long to make, made once for all tests of a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction


@contextmanager
def rows_for_all(blocker: Any) -> Iterator[None]:
    """What is made in it is there for every test of the scope, as it was made: each rolls back its own changes."""
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
