"""Moves what an attempt cost from what its call held to what its owners' budgets owe, once that is known."""

from collections.abc import Container

from accounts.attempts import AttemptClosed, AttemptOpened, AttemptRecord
from accounts.keys import DEPLOYMENT
from accounts.money import charge_of, units_in
from accounts.rules import CallRules
from accounts.subjects import owners_of, provider_name
from accounts.windows import quarter_of
from gateway.core.store.interface import Charge, Store
from gateway.proxy.admission.admission import Rulebook
from gateway.proxy.observers import CallObserver
from gateway.proxy.settle import FAILED_OVER


class Settling(CallObserver):
    """Told after the spool, which numbers what `process` closes: so each attempt is settled once."""

    def __init__(self, store: Store, rules: Rulebook, process: str) -> None:
        self._store = store
        self._rules = rules
        self._process = process

    def attempt_closed(self, attempt: AttemptRecord) -> None:
        rules, closed = self._rules.current, attempt.closed
        if not rules.budgets or closed is None:
            return
        opened = attempt.opened
        of_call = rules.of_call(owners_of(opened), opened.team_id)
        charges = charges_of(opened, closed, of_call, rules.budgets)
        ends = () if closed.outcome == FAILED_OVER else of_call.holders
        if charges:
            self._store.settle(opened.call_id, charges, self._process, attempt.seq, ends)
        elif ends:
            self._store.release_holds(opened.call_id, ends)


def charges_of(
    opened: AttemptOpened, closed: AttemptClosed, rules: CallRules, budgeted: Container[str]
) -> list[Charge]:
    """To those of them who have budgets, and to its provider. Teams are charged; the operator also bears losses."""
    cost = units_in(closed.cost_usd)
    spent = cost + units_in(closed.loss_usd)
    charge = charge_of(cost, opened.charge_factor)
    quarter = quarter_of(opened.started_at)
    charges = [
        Charge(subject, quarter, spent if subject == DEPLOYMENT else charge) for subject in rules.payers
    ]
    if rules.own_payers:
        own = charge + units_in(closed.own_cost_usd)
        charges += [Charge(subject, quarter, own) for subject in rules.own_payers]
    if (provider := provider_name(opened.provider)) in budgeted:
        charges.append(Charge(provider, quarter, spent))
    return charges if charge and spent else [each for each in charges if each.amount]
