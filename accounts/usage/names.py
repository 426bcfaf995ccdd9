"""How groups of usage are named, which rows keep by their numbers; and which numbers a name means."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import Key, Membership, ServiceAccount, Team
from accounts.usage.parameters import GROUPS
from gateway.core.errors import ApiError

_ROWS: Mapping[str, tuple[Any, str]] = {
    "team": (Team.objects, "slug"),
    "key": (Key.objects, "public_id"),
    "member": (Membership.objects, "user__username"),
    "service_account": (ServiceAccount.objects, "slug"),
}
"""Whose names are looked up: rows, and the field that names them."""
_TITLES = {"key": "name", "service_account": "name", "team": "name"}
"""What people call those that have a further name."""
_GONE = "gone, number {}"


def name_groups(groups: Sequence[str], keys: Iterable[Sequence[Any]]) -> Sequence[Mapping[str, str | None]]:
    """By group the name of each, for keys of groups' values; None: there is none. One query for each kind of row."""
    all_keys = list(keys)
    known = {
        place: _names(group, {key[place] for key in all_keys})
        for place, group in enumerate(groups)
        if group in _ROWS
    }
    return [
        {
            group: known[place][key[place]] if place in known else key[place] or None
            for place, group in enumerate(groups)
        }
        for key in all_keys
    ]


def title_values(group: str, values: Iterable[Any]) -> Mapping[Any, tuple[str | None, str]]:
    """By value of that group's column: the name that filters take (None: it is gone), and what people call it."""
    wanted = {value for value in values if value}
    if group not in _ROWS:
        return {value: (value, value) for value in wanted}
    rows, field = _ROWS[group]
    found: dict[Any, tuple[str | None, str]] = {id_: (None, _GONE.format(id_)) for id_ in wanted}
    for pk, name, title in rows.filter(pk__in=wanted).values_list("pk", field, _TITLES.get(group, field)):
        found[pk] = (name, title)
    return found


def _names(group: str, ids: set[int]) -> Mapping[int, str | None]:
    rows, field = _ROWS[group]
    found: dict[int, str | None] = {id_: _GONE.format(id_) if id_ > 0 else None for id_ in ids}
    found.update(rows.filter(pk__in=ids).values_list("pk", field))
    return found


def find_values(group: str, names: Sequence[str], team: Team | None, *, param: str = "") -> Sequence[Any]:
    """What a column has for those names, of that team alone (None: of all). An empty name means none.

    Raises ApiError for a name of nobody there, which `param` (the group's name, where it is empty) named.
    """
    if group not in _ROWS:
        return list(names)
    _, field = _ROWS[group]
    found: list[int] = []
    for name in names:
        ids = (
            [0]
            if name == ""
            else list(_of_team(group, team).filter(**{field: name}).values_list("pk", flat=True))
        )
        if not ids:
            where = "in this team" if team else "here"
            what = group.replace("_", " ")
            raise ApiError(
                f"There is no {what} '{name}' {where}.", status=404, code="not_found", param=param or group
            )
        found += ids
    if group == "key":
        firsts = Key.objects.filter(Q(pk__in=found)).values_list("pk", "first_id")
        return [0 for id_ in found if id_ == 0] + [first or pk for pk, first in firsts]
    return found


def _of_team(group: str, team: Team | None) -> QuerySet[Any]:
    rows: QuerySet[Any] = _ROWS[group][0].all()
    if team is None:
        return rows
    return rows.filter(pk=team.pk) if group == "team" else rows.filter(team=team)


def columns_of(groups: Sequence[str]) -> tuple[str, ...]:
    return tuple(GROUPS[group] for group in groups)
