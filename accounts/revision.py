"""Taking and reading the revision, and the patience with which its locks are waited for."""

import time
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F

from accounts.models.revision import Revision

Part = Revision.Part
PATIENCE_S = 5
"""How long a change waits for another one before it gives up; SQLite's busy timeout is as long."""

GIVE_WAY_S = 0.15


@dataclass(frozen=True, slots=True)
class Revisions:
    """The number now, and the number at which each part last changed; `rules` counts by itself.

    `told_keys` is what processes of the version before this one see of keys: they read the row of every change only.
    """

    number: int
    catalogue: int
    providers: int
    keys: int
    told_keys: int = 0
    rules: int = 0

    @property
    def owes_keys(self) -> bool:
        """Keys changed while another change held the row that those processes read."""
        return self.keys > self.told_keys


def take_revision(*parts: Revision.Part) -> int:
    """Give the running transaction the next number and note which parts it changes. Returns the number.

    Call it inside the transaction that makes the change: the row stays locked until commit, so that numbers
    become visible in their order. Keys alone wait for no change of anything else, and neither do rules alone; who
    changes both takes the keys' first.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("A revision belongs to the transaction of its change: wrap both in atomic().")
    be_patient()
    if parts == (Part.KEYS,):
        return _take_of_keys()
    if parts == (Part.RULES,):
        return _take_of_rules()
    rows = Revision.objects.filter(pk=Revision.WHOLE)
    if not rows.update(number=F("number") + 1, **{part.value: F("number") + 1 for part in parts}):
        Revision.objects.get_or_create(pk=Revision.WHOLE)
        return take_revision(*parts)
    return rows.values_list("number", flat=True).get()


def lock_revision() -> None:
    """Take the revision's lock before its number is needed, so that changes at once wait in a line, not in a ring."""
    be_patient()
    _lock(Revision.WHOLE)


def be_patient() -> None:
    """Let the running transaction wait for any lock PATIENCE_S at most; then it fails, and the caller is told."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{PATIENCE_S}s"])


def give_way() -> None:
    """Let others in between two transactions of a long change.

    PostgreSQL gives a row to whoever has waited longest; SQLite to whoever looks when it is free, every 0.1 s at most.
    """
    if connection.vendor == "sqlite":
        time.sleep(GIVE_WAY_S)


def read() -> Revisions:
    """One query."""
    columns = ("number", "catalogue", "providers", "keys")
    rows = {pk: row for pk, *row in Revision.objects.values_list("pk", *columns)}
    number, catalogue, providers, told_keys = rows.get(Revision.WHOLE, (0, 0, 0, 0))
    keys = rows[Revision.OF_KEYS][0] if Revision.OF_KEYS in rows else told_keys
    rules = rows[Revision.OF_RULES][0] if Revision.OF_RULES in rows else 0
    return Revisions(number, catalogue, providers, keys, told_keys, rules)


@transaction.atomic
def tell_keys() -> None:
    """Let processes of the version before this one see what changed of keys, unless another change is under way."""
    whole = _lock_if_free()
    keys = Revision.objects.filter(pk=Revision.OF_KEYS).values_list("number", flat=True).first() or 0
    if whole is not None and whole.keys < keys:
        number = max(whole.number + 1, keys)
        Revision.objects.filter(pk=Revision.WHOLE).update(number=number, keys=number)


def _take_of_keys() -> int:
    """Of both rows where nobody holds the other one; else of the keys' alone, and `tell_keys` follows later."""
    own = _lock(Revision.OF_KEYS)
    latest = Revision.objects.get_or_create(pk=Revision.WHOLE)[0].number
    whole = _lock_if_free()
    # Above both: keys carry the number of their last change, and either version looks for greater ones.
    number = max(own.number, whole.number if whole else latest) + 1
    touched = [Revision.OF_KEYS] if whole is None else [Revision.OF_KEYS, Revision.WHOLE]
    Revision.objects.filter(pk__in=touched).update(number=number, keys=number)
    return number


def _take_of_rules() -> int:
    number = _lock(Revision.OF_RULES).number + 1
    Revision.objects.filter(pk=Revision.OF_RULES).update(number=number)
    return number


def _lock(pk: int) -> Revision:
    row = Revision.objects.select_for_update().filter(pk=pk).first()
    # Made locked: whoever comes second waits for us here.
    return row or Revision.objects.get_or_create(pk=pk)[0]


def _lock_if_free() -> Revision | None:
    """The row of every change, without waiting for it. On SQLite it is ours, as all that is written."""
    can_skip = connection.features.has_select_for_update_skip_locked
    rows = Revision.objects.select_for_update(skip_locked=can_skip)
    return rows.filter(pk=Revision.WHOLE).first()
