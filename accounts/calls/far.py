"""Where few calls are far between: usage says in which quarters of an hour they are, so nothing else is read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import F, QuerySet

from accounts.calls.places import Way
from accounts.calls.question import Question
from accounts.calls.spans import AROUND_S, Reach, Spans, reach_from, spans_of
from accounts.models import LedgerEntry, UsageBackfill, UsageDay, UsageSeries
from accounts.retention import kept_since
from accounts.usage.rollups import QUARTERS
from accounts.windows import QUARTER_S

_SERIES_MOST = 500
"""Of more of them usage is no shorter than the ledger."""
_DEAR_DAYS, _DEAR_MOST = 20, 500
"""Days that are looked through for dear calls at once, and the most sums of those that are remembered."""


def spans_beyond(question: Question, way: Way, at: datetime, *, most: int) -> Spans | None:
    """Of quarters in which there are such calls, the next ones from `at` on.

    None where usage cannot tell, or no better than what the rows are among. At most four queries, each by an index or
    of few rows.
    """
    is_told = question.usage and (question.is_told or not question.among)
    if not (is_told or question.least_charge) or UsageBackfill.objects.filter(before__gt=0).exists():
        return None
    begin = max(
        filter(None, (question.begin, kept_since(settings.LEDGER_DAYS, datetime.now(UTC)))), default=None
    )
    ahead = reach_from(at, begin, question.end, is_back=way.is_back)
    found = _dear(question, ahead) if question.least_charge else _all_of(question, ahead)
    if found is None:
        return None
    ids, reach = found
    return spans_of(_quarters(ids, reach, question.least_charge, most), reach, most=most)


def _all_of(question: Question, ahead: Reach) -> tuple[Sequence[UUID], Reach] | None:
    """Which series have such calls. None where there are too many."""
    ids = _ids(question)
    return None if len(ids) > _SERIES_MOST else (ids, ahead)


def _dear(question: Question, ahead: Reach) -> tuple[Sequence[UUID], Reach] | None:
    """Which of them cost so much on a day, and how far that was looked through. None: no further than here.

    What cost so much on one day is little; but for that, all of each day is looked through.
    """
    reach = ahead.first_days(_DEAR_DAYS)
    days = UsageDay.objects.filter(
        starts_at__gt=reach.low - AROUND_S, starts_at__lt=reach.high, charge__gte=question.least_charge
    )
    order = "-starts_at" if ahead.is_back else "starts_at"
    ids = _ids(question) if question.usage else ()
    if question.usage and len(ids) <= _SERIES_MOST:
        # By what no index has: that of starts alone would be read to its end for a few series.
        days = days.filter(series_id__in=ids).order_by(F("starts_at") * (-1 if ahead.is_back else 1))
    else:
        days = days.filter(series_id__in=_series(question).values("pk")).order_by(order)
    found = list(days.values_list("series_id", "starts_at")[:_DEAR_MOST])
    dear = sorted({series for series, _ in found})
    if len(found) < _DEAR_MOST:
        return dear, reach
    # Of the last start others may be missing.
    short = ahead.short_of(found[-1][1])
    return None if short is None else (dear, short)


def _ids(question: Question) -> Sequence[UUID]:
    """One more than are looked through tells that there are others."""
    return list(_series(question).values_list("pk", flat=True)[: _SERIES_MOST + 1])


def _series(question: Question) -> QuerySet[UsageSeries]:
    team = {} if question.team is None else {"team_id": question.team.pk}
    columns = {f"{column}__in": list(values) for column, values in question.usage.items()}
    return UsageSeries.objects.filter(kind=LedgerEntry.Kind.ATTEMPT, **team, **columns)


def _quarters(ids: Sequence[UUID], reach: Reach, least_charge: int, most: int) -> Sequence[int]:
    """The first ones, in their order; each also where it has only begun before."""
    if not ids:
        return ()
    order = "DESC" if reach.is_back else "ASC"
    its = _FIRST_OF_SERIES.format(table=QUARTERS, order=order)
    each = _EACH[connection.vendor].format(its=its)
    adapt = UsageSeries._meta.pk.get_db_prep_value
    values: list[Any] = [reach.low - QUARTER_S, reach.high, least_charge, most]
    values += [adapt(id_, connection) for id_ in ids]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT each.value FROM accounts_usageseries AS series {each}"  # noqa: S608  # all of it is ours
            f" WHERE series.id IN ({', '.join(['%s'] * len(ids))}) ORDER BY each.value {order} LIMIT %s",
            [*values, most],
        )
        return [starts_at for (starts_at,) in cursor]


# Of each series by its key: else databases read all quarters of some days for those of a few series.
_FIRST_OF_SERIES = (
    "SELECT starts_at FROM {table} WHERE series_id = series.id AND starts_at > %s AND starts_at < %s"
    " AND attempts > 0 AND COALESCE(charge, 0) >= %s ORDER BY starts_at {order} LIMIT %s"
)
_EACH = {
    "postgresql": "CROSS JOIN LATERAL ({its}) AS each (value)",
    # It joins nothing to what a row has but lists of JSON.
    "sqlite": "JOIN json_each((SELECT json_group_array(starts_at) FROM ({its}))) AS each",
}
