"""Moves what an attempt cost from what its call held to what its owners' budgets owe, once that is known."""

from collections.abc import Iterable
from decimal import Decimal

from accounts.attempts import OWNERS, AttemptClosed, AttemptOpened, AttemptRecord
from accounts.keys import DEPLOYMENT
from accounts.money import units_of
from accounts.windows import QUARTER_S
from gateway.core.store.interface import Charge, Store
from gateway.proxy.admission.admission import Rulebook
from gateway.proxy.observers import CallObserver
from gateway.proxy.settle import FAILED_OVER

PROVIDER = "provider:"
"""How subjects that are providers begin; their slug follows."""


class Settling(CallObserver):
    """Told after the spool, which numbers what `process` closes: so each attempt is settled once."""

    def __init__(self, store: Store, rules: Rulebook, process: str) -> None:
        self._store = store
        self._rules = rules
        self._process = process

    def attempt_closed(self, attempt: AttemptRecord) -> None:
        budgets, closed = self._rules.current.budgets, attempt.closed
        if not budgets or closed is None:
            return
        opened = attempt.opened
        charges = [charge for charge in charges_of(opened, closed) if charge.subject in budgets]
        if charges:
            self._store.settle(opened.call_id, charges, self._process, attempt.seq)
        if closed.outcome != FAILED_OVER:
            held = [subject for subject in payers_of(opened) if subject in budgets]
            self._store.release_holds(opened.call_id, held)


def charges_of(opened: AttemptOpened, closed: AttemptClosed) -> Iterable[Charge]:
    """To everybody for whom it counts. Teams are charged; the operator also bears what it lost."""
    # To the microsecond, as the ledger has it.
    quarter = int(round(opened.started_at, 6) // QUARTER_S) * QUARTER_S
    cost = units_of(Decimal(closed.cost_usd))
    spent = cost + units_of(Decimal(closed.loss_usd))
    if cost:
        for subject in payers_of(opened):
            if subject != DEPLOYMENT:
                yield Charge(subject, quarter, cost)
    if spent:
        yield Charge(f"{PROVIDER}{opened.provider}", quarter, spent)
        yield Charge(DEPLOYMENT, quarter, spent)


def payers_of(opened: AttemptOpened) -> Iterable[str]:
    """Those who may hold something for the call."""
    for kind, fact in OWNERS.items():
        if pk := getattr(opened, fact):
            yield f"{kind}:{pk}"
    yield f"team:{opened.team_id}"
    yield DEPLOYMENT
