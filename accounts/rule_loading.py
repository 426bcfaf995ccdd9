"""The rules of this process, read from SQL: whole, whenever one of them has changed."""

from accounts.keys import Subject
from accounts.models import Limit
from accounts.models.subject import KINDS
from accounts.rules import NONE, Row, Rules


class RulesInForce:
    """Holds the newest rules that this process has read, `current`. Read them from any thread."""

    def __init__(self) -> None:
        self.current = NONE

    def refresh(self) -> None:
        """Blocks on SQL: for the control thread. Raises django.db.Error."""
        self.current = load_rules()


rules_in_force = RulesInForce()
"""Of this process."""


def load_rules() -> Rules:
    """A query for each kind of subject: of a hundred thousand limits, half of the time that one for all takes."""
    limits: dict[Subject, list[Row]] = {}
    for kind in KINDS:
        rows = Limit.objects.filter(**{f"{kind}__isnull": False}).order_by("pk")
        for id_, unit, window, amount in rows.values_list(f"{kind}_id", "unit", "window", "amount"):
            limits.setdefault((kind, id_), []).append((unit, window, amount))
    return Rules(limits)
