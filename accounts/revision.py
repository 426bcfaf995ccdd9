"""Bumping and reading the revision."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import F

from accounts.models.revision import Revision

Part = Revision.Part


@dataclass(frozen=True, slots=True)
class Revisions:
    """The number now, and the number at which each part last changed."""

    number: int
    catalogue: int
    providers: int
    keys: int


def bump(*parts: Revision.Part) -> int:
    """Give the running transaction the next number and note which parts it changes. Returns the number.

    Call it inside the transaction that makes the change: the row stays locked until commit, so that numbers
    become visible in their order.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("A revision belongs to the transaction of its change: wrap both in atomic().")
    rows = Revision.objects.filter(pk=1)
    if not rows.update(number=F("number") + 1, **{part.value: F("number") + 1 for part in parts}):
        Revision.objects.get_or_create(pk=1)
        return bump(*parts)
    return rows.values_list("number", flat=True).get()


def hold() -> None:
    """Take the revision's lock before its number is needed, so that changes at once wait in a line, not in a ring."""
    if Revision.objects.select_for_update().filter(pk=1).first() is None:
        # Made locked: whoever comes second waits for us here.
        Revision.objects.get_or_create(pk=1)


def read() -> Revisions:
    row = Revision.objects.filter(pk=1).values_list("number", "catalogue", "providers", "keys").first()
    return Revisions(*(row or (0, 0, 0, 0)))
