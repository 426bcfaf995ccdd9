"""Proving that the store judges budgets by what SQL has as spent: what differs is told to the operator and put right.

At any moment the store has all that SQL has, and what was settled and is not recorded yet. So SQL of before has no
more than the store, and SQL no less once the recorders have caught up. Of a budget that nobody spends at the moment,
these are one amount.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import datetime

from accounts.models import Budget
from accounts.money import plain, usd_of
from accounts.spending import Bases, read_bases
from accounts.spending_proof import Difference, alarm
from accounts.standings import here
from accounts.windows import Window
from gateway.core.store.interface import Balance, WindowLimit

CATCH_UP_S = 30.0
"""Recorders carry over what was settled within a second; what is not there by then lies on a host that is away."""
_LOOKS = 5
_BETWEEN_S = 0.5
_Place = tuple[str, Window]
_Spent = dict[_Place, int]


def prove_store(*, at: datetime) -> Sequence[Difference]:
    """Compare all windows of budgets that the store knows. All that differs, which is told.

    Empty where no data plane runs in this process, or its store is away.
    """
    wanted = _windows(at.timestamp())
    low, balances, store = _look_until_as_much(wanted)
    ownerless = {subject: each.ownerless for subject, each in balances.items() if each.ownerless}
    found = [
        *_too_little(low, store),
        *_too_much(wanted, store),
        *(
            Difference(subject, "held by running calls", plain(usd_of(balance.held)), "0 or more")
            for subject, balance in balances.items()
            if balance.held < 0
        ),
        *(
            Difference(subject, "held for calls that are over", plain(usd_of(sum(each.values()))), "0")
            for subject, each in ownerless.items()
        ),
    ]
    for subject, each in ownerless.items():
        here.reader.release_holds(subject, each)
    if found:
        alarm(found, cause="store", at=at)
        here.reader.install(
            read_bases({subject: wanted[subject] for subject in {each.subject for each in found}})
        )
    return found


def _windows(now: float) -> dict[str, list[Window]]:
    wanted: dict[str, list[Window]] = {}
    for budget in Budget.objects.filter(is_active=True, refuses=True).order_by("pk"):
        wanted.setdefault(budget.subject_text, []).append(budget.window_at(now))
    return wanted


def _look_until_as_much(
    wanted: Mapping[str, Sequence[Window]],
) -> tuple[_Spent, Mapping[str, Balance], _Spent]:
    """SQL, and the store after it. More than once where the store has less: a command to it may be on its way."""
    for look in range(_LOOKS):
        if look:
            time.sleep(_BETWEEN_S)
        low = _by_place(wanted, read_bases(wanted)) if wanted else {}
        balances = here.reader.balances(list(wanted)) if wanted else {}
        store = _known(wanted, balances)
        if not _too_little(low, store):
            break
    return low, balances, store


def _by_place(wanted: Mapping[str, Sequence[Window]], bases: Bases) -> _Spent:
    return {
        (subject, window): bases.spent[subject][window.field]
        for subject, windows in wanted.items()
        for window in windows
    }


def _known(wanted: Mapping[str, Sequence[Window]], balances: Mapping[str, Balance]) -> _Spent:
    """A window that nobody has called in yet is unknown to it."""
    known: _Spent = {}
    for subject, balance in balances.items():
        for window in wanted[subject]:
            spent = balance.spent(WindowLimit(window.field, window.starts_at, 0))
            if spent is not None:
                known[subject, window] = spent
    return known


def _too_little(low: _Spent, store: _Spent) -> list[Difference]:
    return [_differ(place, spent, low[place]) for place, spent in store.items() if spent < low[place]]


def _too_much(wanted: Mapping[str, Sequence[Window]], store: _Spent) -> list[Difference]:
    """Once SQL had the time to hear of all that was settled."""
    deadline = time.monotonic() + CATCH_UP_S
    while store:
        high = _by_place(wanted, read_bases(wanted))
        store = {place: spent for place, spent in store.items() if spent > high[place]}
        if not store or time.monotonic() >= deadline:
            return [_differ(place, spent, high[place]) for place, spent in store.items()]
        time.sleep(_BETWEEN_S)
    return []


def _differ(place: _Place, found: int, expected: int) -> Difference:
    subject, window = place
    row = f"{window.kind} of {window.zone}" if window.zone else window.kind
    return Difference(subject, f"{row} in the store", plain(usd_of(found)), plain(usd_of(expected)))
