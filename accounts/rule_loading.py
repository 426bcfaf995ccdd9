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
    """One query."""
    limits: dict[Subject, list[Row]] = {}
    columns = (*(f"{kind}_id" for kind in KINDS), "unit", "window", "amount")
    for *ids, unit, window, amount in Limit.objects.order_by("pk").values_list(*columns):
        subject = next((kind, id_) for kind, id_ in zip(KINDS, ids, strict=True) if id_ is not None)
        limits.setdefault(subject, []).append((unit, window, amount))
    return Rules(limits)
