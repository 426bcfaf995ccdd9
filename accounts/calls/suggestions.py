"""What filters may be set to, for the form: the names that a team's calls have had, and those of its rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.cache import cache
from django.db.models import CharField, F, QuerySet, Value

from accounts.models import Key, Membership, Project, ServiceAccount, Team, UsageSeries

_MOST = 400
_KEPT, _KEPT_S = "log-suggestions", 60
_COLUMNS = ("model", "provider", "surface", "endpoint")
Option = tuple[str, str]
"""A value, and what it means; empty where the value says it."""


def suggestions(team: Team | None) -> Mapping[str, Sequence[Option]]:
    """By filter. Two queries; for all teams together at most one a minute, and of the rows of each none."""
    if team is not None:
        return {**_named_in(UsageSeries.objects.filter(team_id=team.pk)), **_rows_of(team)}
    # All series there are: they grow with the deployment.
    kept: Mapping[str, Sequence[Option]] = cache.get_or_set(_KEPT, _named_anywhere, _KEPT_S)  # type: ignore[assignment]
    return kept


def _named_anywhere() -> Mapping[str, Sequence[Option]]:
    return _named_in(UsageSeries.objects.all())


def _named_in(series: QuerySet[UsageSeries]) -> Mapping[str, Sequence[Option]]:
    used = list(series.order_by().values_list(*_COLUMNS).distinct()[: _MOST * 5])
    return {
        column: [(value, "") for value in _first(row[place] for row in used)]
        for place, column in enumerate(_COLUMNS)
    }


def _first(values: Iterable[str]) -> Sequence[str]:
    return sorted(set(filter(None, values)))[:_MOST]


def _rows_of(team: Team) -> Mapping[str, Sequence[Option]]:
    parts = [
        _named("member", Membership.objects.filter(team=team), "user__username"),
        _named("service_account", ServiceAccount.objects.filter(team=team), "slug", "name"),
        _named("project", Project.objects.filter(team=team), "slug", "name"),
        _named("key", Key.objects.for_team(team).filter(is_playground=False), "public_id", "name"),
    ]
    found: dict[str, list[Option]] = {}
    for kind, value, label in parts[0].union(*parts[1:], all=True)[: 2 * _MOST]:
        found.setdefault(kind, []).append((value, label))
    return {kind: sorted(options)[:_MOST] for kind, options in found.items()}


def _named(
    kind: str, rows: QuerySet[Any], value: str, label: str = ""
) -> QuerySet[Any, tuple[str, str, str]]:
    said = F(label) if label else Value("", output_field=CharField())
    told = rows.order_by().annotate(_kind=Value(kind, output_field=CharField()), _value=F(value), _label=said)
    named: QuerySet[Any, tuple[str, str, str]] = told.values_list("_kind", "_value", "_label")
    return named
