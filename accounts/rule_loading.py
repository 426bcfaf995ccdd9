"""The rules of this process, read from SQL: whole, whenever one of them has changed."""

from collections.abc import Mapping, Sequence

from accounts.budgets import Terms
from accounts.keys import KeyFacts, Subject
from accounts.models import Budget, Limit
from accounts.models.subject import KINDS
from accounts.money import units_of
from accounts.rules import NONE, KeyRules, Row, Rules


class RulesInForce:
    """Holds the newest rules that this process has read, `current`. Read them from any thread."""

    def __init__(self) -> None:
        self.current = NONE

    def refresh(self) -> None:
        """Blocks on SQL: for the control thread. Raises django.db.Error."""
        self.current = load_rules()


rules_in_force = RulesInForce()
"""Of this process."""


def rules_of(key: KeyFacts) -> KeyRules:
    """Those of one key, as SQL has them now."""
    limits: dict[Subject, list[Row]] = {}
    for kind, pk in key.subjects:
        rows = Limit.objects.filter(**{f"{kind}_id": pk}).order_by("pk")
        limits[kind, pk] = list(rows.values_list("unit", "window", "amount"))
    return Rules(limits).for_key(key)


def load_rules() -> Rules:
    """A query for each kind of subject: of a hundred thousand limits, half of the time that one for all takes."""
    limits: dict[Subject, list[Row]] = {}
    for kind in KINDS:
        rows = Limit.objects.filter(**{f"{kind}__isnull": False}).order_by("pk")
        for id_, unit, window, amount in rows.values_list(f"{kind}_id", "unit", "window", "amount"):
            limits.setdefault((kind, id_), []).append((unit, window, amount))
    return Rules(limits, _load_budgets())


def _load_budgets() -> Mapping[str, Sequence[Terms]]:
    found: dict[str, list[Terms]] = {}
    for budget in Budget.objects.filter(is_active=True).order_by("pk"):
        terms = Terms(
            budget.window,
            budget.zone,
            units_of(budget.amount_usd),
            is_strict=budget.mode == Budget.Mode.STRICT,
            refuses=budget.refuses,
            raised_by=units_of(budget.raise_usd) if budget.raise_usd else 0,
            raised_until=budget.raise_until.timestamp() if budget.raise_until else 0.0,
        )
        found.setdefault(budget.subject_text, []).append(terms)
    return found
