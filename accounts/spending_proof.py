"""Proving that sums and ledger agree: whatever differs is told to the operator, with the difference."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Sum

from accounts.alerts.raising import raise_alert
from accounts.models import LedgerEntry, Spend, SpoolMark
from accounts.money import usd_of
from accounts.recording import OVER, Amounts
from accounts.subjects import everybody, own_payers
from accounts.windows import DAY_S

_log = logging.getLogger(__name__)
DAYS = 8
"""Each day is looked at on so many nights: records of hosts that were away come late."""
QUARTERS_KEPT = timedelta(days=40)
"""Longer than any window whose first day is added up from quarters of an hour."""
MARKS_KEPT = timedelta(days=90)
_TOLD_MOST = 20
_AMOUNTS = ("cost_usd", "COALESCE(charge_usd, cost_usd)", "loss_usd", "own_cost_usd")


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one subject and one row of sums, which is named by its grain and its start."""

    subject: str
    row: str
    found_usd: str
    expected_usd: str

    def __str__(self) -> str:
        return f"{self.subject}, {self.row}: {self.found_usd} USD, where {self.expected_usd} USD are right"


def prove(*, at: datetime) -> Sequence[Difference]:
    """Compare the sums of the last days with the ledger, and with one another. All that differs, which is told."""
    with transaction.atomic():
        if connection.vendor == "postgresql" and len(connection.savepoint_ids) == 0:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        found = [*_against_the_ledger(at), *_quarters(at), *_totals()]
    if found:
        alarm(found, cause="spending", at=at)
    return found


def forget_old(*, at: datetime) -> int:
    """Remove what no window is added up from any more, and marks of processes that are long over."""
    quarters = Spend.objects.filter(
        grain=Spend.Grain.QUARTER, starts_at__lt=int((at - QUARTERS_KEPT).timestamp())
    )
    over = SpoolMark.objects.filter(seq=OVER, moved_at__lt=at - MARKS_KEPT)
    return quarters.delete()[0] + over.delete()[0]


def _against_the_ledger(at: datetime) -> Iterable[Difference]:
    """Days on which rows are that nobody added up call by call are left out: what they count for may have changed."""
    since = int(at.timestamp()) // DAY_S * DAY_S - (DAYS - 1) * DAY_S
    expected: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    unclear = set()
    for day, lineage, *owners, team, provider, cost, charge, loss, own in _ledger_by_day(since):
        if not lineage:
            unclear.add(day)
            continue
        whose = (lineage, *(owner or 0 for owner in owners))
        amounts = Amounts(int(cost), int(charge), int(loss))
        for subject in everybody(whose, team, provider):
            both = expected[subject, day]
            both[0] += amounts.cost_of(subject)
            both[1] += amounts.loss
        for subject in own_payers(whose, team) if own else ():
            expected[subject, day][0] += int(own)
    rows = Spend.objects.filter(grain=Spend.Grain.DAY, starts_at__gte=since)
    found = {
        (subject, day): (cost, loss)
        for subject, day, cost, loss in rows.values_list("subject", "starts_at", "cost", "loss")
    }
    for subject, day in sorted(found.keys() | expected.keys()):
        if day not in unclear:
            yield from _compare(
                subject, f"day {_date(day)}", found.get((subject, day)), tuple(expected[subject, day])
            )


def _quarters(at: datetime) -> Iterable[Difference]:
    """Of a day together, what that day is."""
    since = int(at.timestamp()) // DAY_S * DAY_S - (DAYS - 1) * DAY_S
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    quarters = Spend.objects.filter(grain=Spend.Grain.QUARTER, starts_at__gte=since)
    for subject, starts_at, cost, loss in quarters.values_list(
        "subject", "starts_at", "cost", "loss"
    ).iterator():
        both = sums[subject, starts_at // DAY_S * DAY_S]
        both[0] += cost
        both[1] += loss
    days = Spend.objects.filter(grain=Spend.Grain.DAY, starts_at__gte=since)
    for subject, day, cost, loss in days.values_list("subject", "starts_at", "cost", "loss").iterator():
        yield from _compare(
            subject, f"quarters of {_date(day)}", tuple(sums.pop((subject, day), (0, 0))), (cost, loss)
        )
    for (subject, day), both in sums.items():
        yield from _compare(subject, f"quarters of {_date(day)}", tuple(both), None)


def _totals() -> Iterable[Difference]:
    """What was ever spent is all days together."""
    by_grain: dict[str, dict[str, tuple[int, ...]]] = {}
    for grain in (Spend.Grain.DAY, Spend.Grain.TOTAL):
        sums = Spend.objects.filter(grain=grain).values("subject").order_by("subject")
        by_grain[grain] = {
            row["subject"]: (int(row["cost__sum"]), int(row["loss__sum"]))
            for row in sums.annotate(Sum("cost"), Sum("loss"))
        }
    days, totals = by_grain[Spend.Grain.DAY], by_grain[Spend.Grain.TOTAL]
    for subject in sorted(days.keys() | totals.keys()):
        yield from _compare(subject, "total", totals.get(subject), days.get(subject))


def _ledger_by_day(since: int) -> Sequence[tuple[Any, ...]]:
    """Day, owners, team and provider, and what was spent then by those together."""
    quoted = connection.ops.quote_name(LedgerEntry._meta.db_table)
    is_postgresql = connection.vendor == "postgresql"
    second = "EXTRACT(EPOCH FROM started_at)" if is_postgresql else "strftime('%%s', started_at)"
    # SQLite keeps money as a float: each row is made whole before they are added.
    units = "SUM({0} * 10000000000)" if is_postgresql else "SUM(CAST(ROUND({0} * 10000000000.0) AS INTEGER))"
    statement = (
        f"SELECT CAST(FLOOR({second}) AS BIGINT) / {DAY_S} * {DAY_S} AS day,"  # noqa: S608
        " lineage_id, member_id, service_account_id, project_id, team_id, provider,"
        f" {', '.join(map(units.format, _AMOUNTS))}"
        f" FROM {quoted} WHERE started_at >= %s AND lineage_id IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7"
    )
    if not is_postgresql:
        statement = statement.replace("FLOOR(", "(")
    begin = connection.ops.adapt_datetimefield_value(datetime.fromtimestamp(since, UTC))
    with connection.cursor() as cursor:
        cursor.execute(statement, [begin])
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _compare(
    subject: str, row: str, found: tuple[int, ...] | None, expected: tuple[int, ...] | None
) -> Iterable[Difference]:
    both = found or (0, 0), expected or (0, 0)
    if both[0] != both[1]:
        yield Difference(subject, row, *(_write(each) for each in both))


def _write(both: tuple[int, ...]) -> str:
    cost, loss = map(usd_of, both)
    return f"{cost.normalize():f} + {loss.normalize():f}"


def _date(day: int) -> str:
    return datetime.fromtimestamp(day, UTC).date().isoformat()


def alarm(found: Sequence[Difference], *, cause: str, at: datetime) -> None:
    """Logged, and told to those in charge."""
    lines = list(map(str, found[:_TOLD_MOST]))
    what = f"What was spent and the ledger differ in {len(found)} sums"
    _log.error("%s:\n%s", what, "\n".join(lines))
    data = {"what": what, "lines": lines, "count": len(found)}
    raise_alert("books.differ", cause=cause, window=f"{at:%Y-%m-%d %H:%M}", data=data)
