"""Statements of cost centres: what the teams of one were charged in a month, summed over their own statements.

Each statement of a team is summed up exactly once. One that is made after its cost centre's month was closed is in the
next month's, as what is booked late is in a team's next one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Max

from accounts.alerts.raising import raise_alert
from accounts.measures import write_exactly
from accounts.models import CentreStatement, CentreStatementPart, Statement, StatementNumber

_LAST_MIDNIGHT = timedelta(hours=12)
"""So much later than in UTC a month ends in the last of all zones."""


@dataclass(frozen=True, slots=True)
class _Due:
    month: str
    statements: Sequence[Statement]


def close_centres(*, before: datetime, at: datetime) -> Sequence[CentreStatement]:
    """Sum up what is on no cost centre's statement, of months that had ended everywhere before that instant.

    To be called once all teams' months of before are closed.
    """
    latest = _latest_month(before)
    left = Statement.objects.filter(centre_part=None, month__lte=latest).exclude(cost_centre="")
    centres = left.order_by("cost_centre").values_list("cost_centre", flat=True).distinct()
    return [made for centre in centres for made in _close(centre, latest, at)]


def _latest_month(before: datetime) -> str:
    """The last that had ended in all zones."""
    at = before.astimezone(UTC) - _LAST_MIDNIGHT
    return f"{at.replace(day=1) - timedelta(days=1):%Y-%m}"


@transaction.atomic
def _close(centre: str, latest: str, at: datetime) -> Sequence[CentreStatement]:
    # Whoever closes another one waits here, so that no number is left out and nothing is summed up twice.
    StatementNumber.objects.select_for_update().get()
    closed = set(CentreStatement.objects.filter(cost_centre=centre).values_list("month", flat=True))
    left = Statement.objects.filter(centre_part=None, cost_centre=centre, month__lte=latest)
    return [_write(centre, due, at) for due in _months_due(list(left.order_by("number")), closed, latest)]


def _months_due(left: Sequence[Statement], closed: set[str], latest: str) -> Iterable[_Due]:
    """Each open month of theirs, the last with what is late; what is late alone is in the latest that is open."""
    months = sorted({each.month for each in left} - closed) or [latest]
    for month in months if months[-1] not in closed else ():
        its = [each for each in left if each.month == month or (each.month in closed and month == months[-1])]
        if its:
            yield _Due(month, its)


def _write(centre: str, due: _Due, at: datetime) -> CentreStatement:
    last = CentreStatement.objects.aggregate(last=Max("number"))["last"] or 0
    sums = {name: sum(getattr(each, name) for each in due.statements) for name in ("calls", "cost", "charge")}
    made = CentreStatement.objects.create(
        number=last + 1, cost_centre=centre, month=due.month, closed_at=at, **sums
    )
    CentreStatementPart.objects.bulk_create(
        [CentreStatementPart(centre_statement=made, statement=each) for each in due.statements],
        batch_size=500,
    )
    raise_alert(
        "statement.centre_ready",
        cause=f"centre statement {made.number}",
        data={
            "number": made.number,
            "cost_centre": centre,
            "period": made.period,
            "total_usd": write_exactly(made.charge_usd),
            "statements": len(due.statements),
        },
    )
    return made
