"""What changed in teams in a week, or will soon: budgets, models, keys, members."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q

from accounts.budget_notices import name_subject
from accounts.models import Budget, Key, Membership, Team
from accounts.patterns import matches_any
from accounts.spending import read_bases
from catalogue.facts import ModelFacts
from catalogue.lifecycle.status import Status
from catalogue.published.loading import snapshots
from catalogue.published.snapshot import Snapshot
from gateway.core.lines import as_one_line
from gateway.weekly.week import Week

NEAR_PERCENT = 80
SOON = timedelta(days=14)
MODELS_SOON = timedelta(days=90)
_BATCH = 500


@dataclass(frozen=True, slots=True)
class NearBudget:
    """`spent` and `amount` in 10^-10 USD."""

    whose: str
    window: str
    spent: int
    amount: int


@dataclass(frozen=True, slots=True)
class Ending:
    """A model that the team called in the week. An instant is None where it is not known."""

    model: str
    deprecation_at: datetime | None
    retirement_at: datetime | None
    successor: str


@dataclass(slots=True)
class Changes:
    """Of one team."""

    budgets: list[NearBudget] = field(default_factory=list)
    ending: list[Ending] = field(default_factory=list)
    new_models: list[str] = field(default_factory=list)
    expiring: list[tuple[str, datetime]] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def read_changes(
    teams: Mapping[int, Team], used: Mapping[int, Collection[str]], week: Week, at: datetime
) -> Mapping[int, Changes]:
    """By team. `used`: the models that each called."""
    found: dict[int, Changes] = defaultdict(Changes)
    _add_budgets(teams, found, at)
    _add_keys(teams, found, at)
    _add_members(teams, found, week)
    snapshot = snapshots.refresh()
    new = _released(snapshot, week)
    for pk, team in teams.items():
        found[pk].ending = [
            each for name in sorted(used.get(pk, ())) if (each := _ending(snapshot, name, at))
        ]
        found[pk].new_models = [model.id for model in new if _may_call(team, model)]
    return dict(found)


def _add_budgets(teams: Mapping[int, Team], found: Mapping[int, Changes], at: datetime) -> None:
    its = Q(team__in=teams)
    for kind in ("key", "member", "service_account", "project"):
        its |= Q(**{f"{kind}__team__in": teams})
    rows, last = Budget.objects.filter(its, is_active=True).with_subjects().order_by("pk"), 0
    while batch := list(rows.filter(pk__gt=last)[:_BATCH]):
        last = batch[-1].pk
        for budget, spent in _spent(batch, at):
            amount = budget.amount_at(at.timestamp())
            if amount and spent * 100 >= NEAR_PERCENT * amount:
                near = NearBudget(name_subject(budget), budget.get_window_display(), spent, amount)
                found[_team_of(budget)].budgets.append(near)


def _spent(budgets: Iterable[Budget], at: datetime) -> Iterable[tuple[Budget, int]]:
    windows = {budget.pk: (budget, budget.window_at(at.timestamp())) for budget in budgets}
    wanted: dict[str, list[Any]] = {}
    for budget, window in windows.values():
        wanted.setdefault(budget.subject_text, []).append(window)
    spent = read_bases(wanted).spent
    return [(budget, spent[budget.subject_text][window.field]) for budget, window in windows.values()]


def _team_of(budget: Budget) -> int:
    row: Any = budget.subject_row
    pk: int = row.pk if isinstance(row, Team) else row.team_id
    return pk


def _add_keys(teams: Mapping[int, Team], found: Mapping[int, Changes], at: datetime) -> None:
    """Those that nobody rotated."""
    keys = Key.objects.usable(at).filter(team__in=teams, expires_at__lte=at + SOON, successor__isnull=True)
    for key in keys.order_by("expires_at", "pk"):
        if key.expires_at is not None:
            found[key.team_id].expiring.append((as_one_line(str(key)), key.expires_at))


def _add_members(teams: Mapping[int, Team], found: Mapping[int, Changes], week: Week) -> None:
    span = (week.begins_at, week.ends_at)
    there = Membership.objects.filter(team__in=teams).select_related("user").order_by("user__username")
    for each in there.filter(created_at__gte=span[0], created_at__lt=span[1], suspended_at=None):
        found[each.team_id].joined.append(f"{as_one_line(str(each.user))}, {each.role}")
    for each in there.filter(suspended_at__gte=span[0], suspended_at__lt=span[1]):
        found[each.team_id].left.append(as_one_line(str(each.user)))


def _ending(snapshot: Snapshot, name: str, at: datetime) -> Ending | None:
    """None for a model that stays."""
    model = snapshot.find(name)
    if model is None:
        return None
    is_ending = model.status(at) in {Status.DEPRECATED, Status.RETIRED}
    is_soon = any(
        date is not None and date <= at + MODELS_SOON for date in (model.deprecation_at, model.retirement_at)
    )
    if not is_ending and not is_soon:
        return None
    successor = snapshot.successor(model, at)
    return Ending(model.id, model.deprecation_at, model.retirement_at, successor.id if successor else "")


def _released(snapshot: Snapshot, week: Week) -> Sequence[ModelFacts]:
    """Those that can be called since that week."""
    since = [
        model
        for model in snapshot.models.values()
        if week.begins_at <= max(model.created_at, model.release_at or model.created_at) < week.ends_at
    ]
    return sorted(
        (model for model in since if snapshot.is_routable(model, week.ends_at)), key=lambda model: model.id
    )


def _may_call(team: Team, model: ModelFacts) -> bool:
    """By the team's own lists: its keys may each be narrower."""
    names = (model.id, *model.aliases)
    if matches_any(names, team.denied_model_patterns):
        return False
    if team.model_patterns:
        return matches_any(names, team.model_patterns)
    return (team.new_models or settings.NEW_MODELS) != "closed"
