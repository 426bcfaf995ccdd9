"""Budgets on the overview, as thin bars: what is spent and held, and when it ends if spending goes on so."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from accounts.models import Budget, Team
from accounts.money import usd_of
from accounts.standings import BudgetStanding, stand_budgets
from accounts.subject_rows import Owner
from gateway.core.locales import write_day, write_usd
from gateway.core.reader import current
from gateway.portal.overview.forecast import Forecast, foresee, pace_of
from gateway.portal.subjects import name_owner, page_of

_READ = 200
"""So many are looked at, and of these the nearest to their ends are shown."""
SHOWN = 6
_WHOLE = 100.0


@dataclass(frozen=True, slots=True)
class Bar:
    """Lengths are percents of the whole bar, as attributes have them. `by_end` is where the dashed line ends; empty:
    there is none.
    """

    whose: str
    address: str
    amount: str
    spent: str
    held: str
    """Empty: nothing, or unknown."""
    left: str
    spent_length: str
    held_length: str
    by_end: str
    used: float
    resets_on: str
    """A day in the budget's own zone, as `ends_on` is; empty: never."""
    ends_at: float
    ends_on: str
    """When it is used up, at the pace of the last week; empty: not in its window."""
    is_used_up: bool
    is_only_telling: bool
    by_end_money: str
    """What will be spent when the window ends; empty: it never ends, or nothing was spent lately."""


@dataclass(frozen=True, slots=True)
class Bars:
    shown: Sequence[Bar]
    others: int


def bars_of(team: Team, at: float) -> Bars:
    """Of the team, its people, programs and projects; those of keys are on their own pages. Two statements."""
    rows = Budget.objects.for_team(team).filter(key__isnull=True, is_active=True).with_subjects()[:_READ]
    standings = stand_budgets(rows, at, lately=True)
    bars = [_bar(row, standings[row.pk], at) for row in rows]
    bars.sort(key=_urgency)
    return Bars(bars[:SHOWN], max(0, len(bars) - SHOWN))


def _urgency(bar: Bar) -> tuple[bool, float, float]:
    """What ends first, then what is fullest."""
    return not bar.is_used_up, bar.ends_at, -bar.used


def _bar(budget: Budget, standing: BudgetStanding, at: float) -> Bar:
    forecast = foresee(
        amount=standing.amount,
        spent=standing.spent,
        pace=pace_of(standing.last_day, standing.last_week),
        now=at,
        window_ends_at=standing.window.ends_at,
    )
    spent, whose = _length(standing.spent, standing.amount), cast("Owner", budget.subject_row)
    return Bar(
        name_owner(whose),
        page_of(whose),
        f"{write_usd(budget.amount_usd, current().locale)} {budget.get_window_display()}",
        _usd(standing.spent),
        _usd(standing.held) if standing.held else "",
        _usd(standing.left),
        f"{spent}%",
        f"{min(_length(standing.held or 0, standing.amount), round(_WHOLE - spent, 2))}%",
        _dashes(standing, forecast),
        spent,
        _day(standing.window.ends_at, budget),
        float("inf") if forecast.ends_at is None else forecast.ends_at,
        _day(forecast.ends_at, budget),
        standing.spent >= standing.amount,
        not budget.refuses,
        _usd(forecast.by_end) if forecast.pace and forecast.by_end is not None else "",
    )


def _usd(units: int) -> str:
    return write_usd(usd_of(units), current().locale)


def _day(at: float | None, budget: Budget) -> str:
    if at is None:
        return ""
    return write_day(datetime.fromtimestamp(at, ZoneInfo(budget.zone)).date(), current().locale)


def _dashes(standing: BudgetStanding, forecast: Forecast) -> str:
    if not forecast.pace or standing.spent >= standing.amount:
        return ""
    return f"{_WHOLE if forecast.by_end is None else _length(forecast.by_end, standing.amount)}%"


def _length(part: int, whole: int) -> float:
    return round(min(_WHOLE, max(0.0, part / whole * _WHOLE)), 2) if whole else _WHOLE
