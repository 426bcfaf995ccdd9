"""Changes of models that teams use, as alerts: their end announced, deprecated, retired, repriced."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db.models import Count, Sum

from accounts.alerts.raising import raise_alert
from accounts.models import LedgerEntry, Team, UsageDay, UsageSeries
from accounts.windows import DAY_S
from catalogue.changes.change_text import tell_change, tell_field
from catalogue.changes.history import read_versions, rows_between
from catalogue.changes.model_changes import INSTANT, Change, Kind, changes_between
from catalogue.facts import ModelFacts
from catalogue.published.loading import snapshots
from catalogue.published.snapshot import Snapshot

LOOKED_BACK = timedelta(days=3)
"""A round that was missed is made up for."""
USED_DAYS = 30
_ALERTS: Mapping[Kind, str] = {
    Kind.DEPRECATED: "model.deprecated",
    Kind.RETIRED: "model.retired",
    Kind.WITHDRAWN: "model.retired",
    Kind.REPRICED: "model.repriced",
}
_ENDS = ("deprecation_date", "retirement_date")
_TOLD_KEPT = 10_000
_told: set[str] = set()
"""Changes of which this process has told all teams: their calls need not be counted again each hour."""


def alert_of(change: Change) -> str:
    """The kind of alert; empty where nobody has to act. Pure.

    Who calls a named route uses its members, and hears of those when their prices change.
    """
    if change.kind is Kind.REPRICED and change.model.is_route:
        return ""
    if change.kind is Kind.CHANGED:
        is_end = any(each.field in _ENDS and each.after is not None for each in change.fields)
        return "model.announced" if is_end else ""
    return _ALERTS.get(change.kind, "")


def tell_changes(*, at: datetime) -> int:
    """Raise an alert for each team that used a model which changed. How many are new."""
    begins, snapshot = at - LOOKED_BACK, snapshots.refresh()
    versions = read_versions(rows_between(begins, at + INSTANT), snapshot)
    found = _worth_telling(changes_between(versions, begins, at + INSTANT))
    new = [each for each in found if each.id not in _told]
    if not new:
        return 0
    since = at - timedelta(days=USED_DAYS)
    calls = _calls_of({each.model.id for each in new}, since=since)
    calls |= {each.model.id: _calls_by_name(each.model, since=since) for each in new if each.model.is_route}
    teams = Team.objects.in_bulk({team for by_team in calls.values() for team in by_team})
    raised = 0
    for change in new:
        for team, count in calls.get(change.model.id, {}).items():
            if team in teams:
                raised += _raise(change, snapshot, teams[team], count)
    if len(_told) > _TOLD_KEPT:
        _told.clear()
    _told.update(each.id for each in new)
    return raised


def _worth_telling(changes: Collection[Change]) -> list[Change]:
    """Whoever hears that a model is deprecated or retired need not hear that this was announced at that instant."""
    turns = {(each.model.id, each.at) for each in changes if each.kind in {Kind.DEPRECATED, Kind.RETIRED}}
    return [
        each
        for each in changes
        if alert_of(each) and not (each.kind is Kind.CHANGED and (each.model.id, each.at) in turns)
    ]


def _raise(change: Change, snapshot: Snapshot, team: Team, calls: int) -> bool:
    successor = snapshot.successor(change.model, change.at)
    fields = [each for each in change.fields if change.kind is not Kind.CHANGED or each.field in _ENDS]
    news = tell_change(change, successor)
    if change.kind is Kind.CHANGED:
        told = "; ".join(map(tell_field, fields))
        advice = f" Use '{successor.id}' instead." if successor else ""
        news = f"The end of {change.model.noun.lower()} '{change.model.id}' is announced: {told}.{advice}"
    data = {
        "model": change.model.id,
        "at": change.at.isoformat(timespec="seconds"),
        "news": news,
        "replacement_model": successor.id if successor else None,
        "calls": calls,
        "days": USED_DAYS,
    }
    return raise_alert(alert_of(change), cause=change.id, team=team, data=data)


def _calls_by_name(route: ModelFacts, *, since: datetime) -> dict[int, int]:
    """Team → how many calls that asked for a named route: usage is that of the models that answered."""
    names = (route.id, *route.aliases)
    asked = LedgerEntry.objects.filter(requested_model__in=names, started_at__gte=since).order_by()
    counted = asked.values_list("team_id").annotate(Count("call_id", distinct=True))
    return {team: calls for team, calls in counted if team}


def _calls_of(models: Collection[str], *, since: datetime) -> dict[str, Mapping[int, int]]:
    """Model → team → how many calls, from the day on that `since` falls into."""
    series = UsageSeries.objects.filter(model__in=models).exclude(team_id=0)
    whose = {pk: (model, team) for pk, model, team in series.values_list("id", "model", "team_id")}
    days = UsageDay.objects.filter(
        starts_at__gt=since.timestamp() - DAY_S, series_id__in=series.values("id")
    ).order_by()
    found: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for pk, calls in days.values_list("series_id").annotate(Sum("calls")):
        if calls and pk in whose:
            model, team = whose[pk]
            found[model][team] += calls
    return dict(found)
