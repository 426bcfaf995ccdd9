"""How a team's keys, people, programs and projects are called, asked for once a page; and whom a name means."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.db.models import CharField, F, QuerySet, Value

from accounts.models import Key, Membership, Project, ServiceAccount, Team
from accounts.usage.names import find_values, title_values

_MOST = 1_000
Named = tuple[Any, str, str]
"""What sums have, what addresses say, and what people read."""


class Names:
    """Of one team. Those of large teams that are not among the first are asked for when they are needed."""

    def __init__(self, team: Team) -> None:
        self._team = team

    def named(self, dimension: str) -> Sequence[Named]:
        """By what people read; none of models and providers, which are called what sums have."""
        return self._rows.get(dimension, ())

    def find(self, dimension: str, name: str) -> Sequence[Any]:
        """What sums have for that name. Raises ApiError for a name of nobody in the team."""
        known = [value for value, found, _ in self.named(dimension) if found == name]
        return known or find_values(dimension, [name], self._team)

    def titles(self, dimension: str, values: Iterable[Any]) -> Mapping[Any, tuple[str | None, str]]:
        """As `title_values`. A project is called by its name in addresses alone, as in the ledger."""
        wanted = {value for value in values if value}
        if dimension == "project":
            return title_values(dimension, wanted)
        known = {value: (name, title) for value, name, title in self.named(dimension) if value in wanted}
        missing = wanted - known.keys()
        return {**known, **title_values(dimension, missing)} if missing else known

    @cached_property
    def _rows(self) -> Mapping[str, Sequence[Named]]:
        """One statement."""
        team = self._team
        parts = [
            _part("member", Membership.objects.filter(team=team), "user__username", "user__username"),
            _part("service_account", ServiceAccount.objects.filter(team=team), "slug", "name"),
            _part("project", Project.objects.filter(team=team), "slug", "name"),
            # Usage has a key under the first one of its lineage.
            _part("key", Key.objects.for_team(team).filter(first__isnull=True), "public_id", "name"),
        ]
        found: dict[str, list[Named]] = {}
        for kind, pk, name, title in parts[0].union(*parts[1:], all=True)[:_MOST]:
            found.setdefault(kind, []).append((name if kind == "project" else pk, name, title))
        return {kind: sorted(rows, key=_reading_order) for kind, rows in found.items()}


def _reading_order(row: Named) -> tuple[str, str]:
    return row[2].casefold(), row[1]


def _part(kind: str, rows: QuerySet[Any], name: str, title: str) -> QuerySet[Any, tuple[str, int, str, str]]:
    said = {"_kind": Value(kind, output_field=CharField()), "_name": F(name), "_title": F(title)}
    told: QuerySet[Any, tuple[str, int, str, str]] = (
        rows.order_by().annotate(**said).values_list("_kind", "pk", "_name", "_title")
    )
    return told
