"""Spending that leaps against its own history: a day that is far above all those before it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from accounts.alerts.raising import raise_alert
from accounts.keys import DEPLOYMENT
from accounts.models import Spend, Team
from accounts.money import UNITS_A_USD, usd_of
from accounts.subjects import bears_losses
from accounts.windows import DAY_S
from gateway.core.lines import as_one_line

DAYS = 28
HISTORY_LEAST = 7
"""So many days there are since the first spending, or nobody knows what is usual."""
LEAST = UNITS_A_USD
"""A day that costs less than this USD is nobody's alarm; in 10^-10 USD."""
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Leap:
    """In 10^-10 USD. `usual` is the mean of the days before, since the first of them with spending."""

    usual: int
    highest: int
    days: int


def leap_of(today: int, before: Sequence[int], factor: float) -> Leap | None:
    """Whether a day is a leap after those before it, the newest last; a day without spending is 0. Pure."""
    first = next((place for place, spent in enumerate(before) if spent), len(before))
    known = before[first:]
    if not factor or today < LEAST or len(known) < HISTORY_LEAST:
        return None
    usual, highest = sum(known) // len(known), max(known)
    return Leap(usual, highest, len(known)) if today > highest and today >= factor * usual else None


def tell_leaps(*, at: datetime) -> int:
    """Raise an alert for each team, and for the operator, whose spending of today leaps. How many are new."""
    if not settings.SPEND_LEAP_FACTOR:
        return 0
    told = _tell({DEPLOYMENT: None}, at)
    teams, last = Team.objects.filter(archived_at=None).order_by("pk"), 0
    while batch := list(teams.filter(pk__gt=last)[:_BATCH]):
        last = batch[-1].pk
        told += _tell({f"team:{team.pk}": team for team in batch}, at)
    return told


def _tell(subjects: Mapping[str, Team | None], at: datetime) -> int:
    today = int(at.timestamp()) // DAY_S * DAY_S
    spent = _spent_by_day(subjects, today - DAYS * DAY_S)
    told = 0
    for subject, by_day in spent.items():
        before = [by_day.get(today - place * DAY_S, 0) for place in range(DAYS, 0, -1)]
        leap = leap_of(by_day.get(today, 0), before, settings.SPEND_LEAP_FACTOR)
        if leap is not None:
            told += _raise(subject, subjects[subject], by_day[today], leap, at)
    return told


def _spent_by_day(subjects: Iterable[str], since: int) -> Mapping[str, Mapping[int, int]]:
    rows = Spend.objects.filter(grain=Spend.Grain.DAY, subject__in=list(subjects), starts_at__gte=since)
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for subject, starts_at, cost, loss in rows.values_list("subject", "starts_at", "cost", "loss"):
        found[subject][starts_at] = cost + (loss if bears_losses(subject) else 0)
    return found


def _raise(subject: str, team: Team | None, spent: int, leap: Leap, at: datetime) -> bool:
    data = {
        "subject": subject,
        "whose": as_one_line(team.name) if team else "This deployment",
        "spent_usd": _usd(spent),
        "usual_usd": _usd(leap.usual),
        "highest_usd": _usd(leap.highest),
        "times": f"{spent / leap.usual:.1f}" if leap.usual else "many",
        "days": leap.days,
        "at": f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
    }
    return raise_alert("spend.leaped", cause=subject, window=f"{at:%Y-%m-%d}", team=team, data=data)


def _usd(units: int) -> str:
    return f"{usd_of(units):,.2f}"
