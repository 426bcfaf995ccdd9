"""Making usage anew: days from quarters of an hour where a team's zone changes, quarters from rows of the ledger."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from itertools import chain, pairwise

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Max, Min

from accounts.models import LedgerEntry, Team, UsageBackfill, UsageClosed, UsageDay, UsageQuarter, UsageSeries
from accounts.retention import kept_since
from accounts.usage import rollups
from accounts.usage.measures import MEASURES
from accounts.usage.of_ledger import read_sums
from accounts.usage.rollups import DAYS, QUARTERS
from accounts.usage.times import midnights
from accounts.windows import DAY_S

_BACKFILL_DAYS = 7
_IN_TEAMS = "series_id IN (SELECT id FROM accounts_usageseries WHERE team_id IN ({}))"


@transaction.atomic
def rebuild_day(day: int) -> None:
    """Add up anew what the ledger has of that day of UTC (its start, Unix seconds). Recorders wait until it is done."""
    rollups.lock()
    end = day + DAY_S
    there = UsageQuarter.objects.filter(starts_at__gte=day, starts_at__lt=end)
    series = UsageSeries.objects.filter(pk__in=there.values("series_id"))
    teams = set(series.values_list("team_id", flat=True))
    there.delete()
    sums = read_sums(day, end)
    rollups.put_quarters(sums)
    teams.update(series[0] for series, _ in sums)
    calendars, alike = rollups.calendars_of(teams), defaultdict(set)
    for team in teams:
        alike[calendars[team].zone].add(team)
    for zone, its in alike.items():
        make_days(its, zone, day, end)


@transaction.atomic
def follow_zone(team_id: int) -> bool:
    """Make all days of a team anew where its time zone is another one now. Whether it was."""
    rollups.lock()
    team = Team.objects.filter(pk=team_id).exclude(time_zone=F("usage_zone")).first()
    if team is None:
        return False
    Team.objects.filter(pk=team_id).update(usage_zone=team.time_zone)
    series = UsageSeries.objects.filter(team_id=team_id).values("pk")
    UsageDay.objects.filter(series_id__in=series).delete()
    UsageClosed.objects.filter(pk=team_id).delete()
    quarters = UsageQuarter.objects.filter(series_id__in=series)
    bounds = quarters.aggregate(first=Min("starts_at"), last=Max("starts_at"))
    if bounds["first"] is not None:
        make_days({team_id}, team.time_zone, bounds["first"], bounds["last"] + 1)
    return True


def follow_zones() -> int:
    """Of all teams that are in another time zone now; how many."""
    changed = Team.objects.exclude(time_zone=F("usage_zone")).values_list("pk", flat=True)
    return sum(map(follow_zone, list(changed)))


def fill_back() -> int:
    """Add up some days of before usage was added up, the latest first. How many; 0: none is left."""
    state = UsageBackfill.objects.filter(before__gt=0).first()
    if state is None:
        return 0
    first = LedgerEntry.objects.aggregate(first=Min("started_at"))["first"]
    begin = state.before if first is None else day_of(first)
    days = range(state.before - DAY_S, begin - 1, -DAY_S)[:_BACKFILL_DAYS]
    for day in days:
        rebuild_day(day)
    before = days[-1] if days and days[-1] > begin else 0
    UsageBackfill.objects.filter(before=state.before).update(before=before)
    return len(days)


def is_kept(day: int, *, at: datetime) -> bool:
    """Whether the ledger has all of that day of UTC: of one that it has not, usage must stay as it is."""
    first = LedgerEntry.objects.attempts().aggregate(first=Min("started_at"))["first"]
    since = kept_since(settings.LEDGER_DAYS, at)
    return first is not None and day_of(first) <= day and (since is None or since.timestamp() <= day)


def day_of(at: datetime) -> int:
    """The start of that day of UTC."""
    return int(at.timestamp()) // DAY_S * DAY_S


def make_days(teams: Collection[int], zone: str, low: int, high: int) -> None:
    """Of quarters, all days of those teams that are in that time even in part. The caller holds the lock."""
    bounds = midnights(zone, low, high)
    rollups.reopen(dict.fromkeys(teams, bounds[0]))
    own = _IN_TEAMS.format(", ".join(["%s"] * len(teams)))
    days = ", ".join(["(%s, %s)"] * (len(bounds) - 1))
    added = ", ".join(f"SUM({name})" for name in MEASURES)
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {DAYS} WHERE starts_at >= %s AND starts_at < %s AND {own}",  # noqa: S608
            [bounds[0], bounds[-1], *teams],
        )
        cursor.execute(
            f"WITH day (low, high) AS (VALUES {days})"  # noqa: S608  # all of it is ours
            f" INSERT INTO {DAYS} (series_id, starts_at, {', '.join(MEASURES)})"
            f" SELECT series_id, day.low, {added} FROM day JOIN {QUARTERS} AS quarter"
            f" ON quarter.starts_at >= day.low AND quarter.starts_at < day.high WHERE {own}"
            " GROUP BY series_id, day.low",
            [*chain.from_iterable(pairwise(bounds)), *teams],
        )
