"""Teams whose usage is read alike: their days begin in one zone, and are closed up to one instant."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.models import Team, UsageClosed
from accounts.usage.rollups import UTC_ZONE

_EDITION = 2
"""Of coarser sums: another number whenever other ones are made. Those that another version made are not taken for ours,
nor ours by it, so both tell the same while they run beside each other, and all days are closed anew once.
"""
_OPERATOR = 0


@dataclass(frozen=True, slots=True)
class Cohort:
    """`team_ids` say to databases how many rows to expect, as a query for them would not; there is one at least."""

    zone: str
    closed_to: int
    team_ids: Sequence[int]
    is_rest: bool = False
    """Of whoever is no team."""

    @property
    def condition(self) -> str:
        """Narrows a column `team_id`, with `{}` for where that stands, and has places for `team_ids`."""
        return f"{{}}.team_id IN ({', '.join(['%s'] * len(self.team_ids))})"


def closed_as(zone: str) -> str:
    """What `UsageClosed.zone` says of sums that this version has closed in a zone."""
    return f"{zone} {_EDITION}"


def cohorts_of(team_id: int | None) -> Sequence[Cohort]:
    """Of one team, or of all teams and of whoever is none: the operator itself, and teams that are gone. One query."""
    if team_id is not None:
        found = _read(f"{_TEAMS} WHERE team.id = %s", [team_id])
        zone, closed_to = found[0][1:] if found else (UTC_ZONE, 0)
        return [Cohort(zone, closed_to, [team_id])]
    alike: dict[tuple[str, int], list[int]] = defaultdict(list)
    for id_, zone, closed_to in _read(_EVERYBODY):
        alike[zone, closed_to].append(id_)
    cohorts = [
        Cohort(zone or UTC_ZONE, closed_to, its, is_rest=not zone) for (zone, closed_to), its in alike.items()
    ]
    return cohorts or [Cohort(UTC_ZONE, 0, [_OPERATOR], is_rest=True)]


def cohort_of(team: Team) -> Cohort:
    """As its row says, and that of what is closed, with which it may have been read."""
    closed: UsageClosed | None = getattr(team, "usage_closed", None)
    closed_to = closed.closed_to if closed and closed.zone == closed_as(team.usage_zone) else 0
    return Cohort(team.usage_zone, closed_to, [team.pk])


def _read(statement: str, values: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


# What was closed in the zone of before is not, in another one.
_TEAMS = (
    "SELECT team.id, team.usage_zone, COALESCE(closed.closed_to, 0) FROM accounts_team AS team"  # noqa: S608
    " LEFT JOIN accounts_usageclosed AS closed"
    f" ON closed.team_id = team.id AND closed.zone = team.usage_zone || '{closed_as('')}'"
)
_EVERYBODY = (
    f"{_TEAMS} UNION ALL SELECT DISTINCT team_id, '', 0 FROM accounts_usageseries"  # noqa: S608
    " WHERE NOT EXISTS (SELECT 1 FROM accounts_team WHERE id = team_id) ORDER BY 2, 3, 1"
)
