"""Teams whose usage is read alike: their days begin in one zone, and are closed up to one instant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.models import Team, UsageClosed
from accounts.usage.rollups import UTC_ZONE


@dataclass(frozen=True, slots=True)
class Cohort:
    """`condition` narrows a column `team_id`, with `{}` for where that stands, and has places for `values`."""

    zone: str
    closed_to: int
    condition: str
    values: Sequence[Any]
    is_rest: bool = False
    """Of whoever is no team."""


def cohorts_of(team_id: int | None) -> Sequence[Cohort]:
    """Of one team, or of all teams and of whoever is none: the operator itself, and teams that are gone. One query."""
    if team_id is not None:
        found = _read(_ONE, [team_id])
        zone, closed_to = found[0] if found else (UTC_ZONE, 0)
        return [Cohort(zone, closed_to, _OF_TEAM, [team_id])]
    alike = [Cohort(zone, closed_to, _ALIKE, [zone, closed_to]) for zone, closed_to in _read(_ALL, [])]
    return [*alike, Cohort(UTC_ZONE, 0, _NONE, [], is_rest=True)]


def cohort_of(team: Team) -> Cohort:
    """As its row says, and that of what is closed, with which it may have been read."""
    closed: UsageClosed | None = getattr(team, "usage_closed", None)
    closed_to = closed.closed_to if closed and closed.zone == team.usage_zone else 0
    return Cohort(team.usage_zone, closed_to, _OF_TEAM, [team.pk])


def _read(statement: str, values: Sequence[Any]) -> Sequence[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


# What was closed in the zone of before is not, in another one.
_TEAMS = (
    "accounts_team AS team LEFT JOIN accounts_usageclosed AS closed"
    " ON closed.team_id = team.id AND closed.zone = team.usage_zone"
)
_ALL = f"SELECT DISTINCT team.usage_zone, COALESCE(closed.closed_to, 0) FROM {_TEAMS} ORDER BY 1, 2"  # noqa: S608
_ONE = f"SELECT team.usage_zone, COALESCE(closed.closed_to, 0) FROM {_TEAMS} WHERE team.id = %s"  # noqa: S608
_ALIKE = (
    f"{{}}.team_id IN (SELECT team.id FROM {_TEAMS} WHERE team.usage_zone = %s"  # noqa: S608
    " AND COALESCE(closed.closed_to, 0) = %s)"
)
_OF_TEAM = "{}.team_id = %s"
_NONE = "{}.team_id NOT IN (SELECT id FROM accounts_team)"
