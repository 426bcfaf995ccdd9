"""Staff roles as rows: what migrations call. The audit is not told: its table may be an older one then."""

from collections.abc import Collection, Mapping

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

from accounts.audit import unwatched


def make_groups(table: Mapping[str, Collection[str]]) -> None:
    """Those that are not there yet, by name. Others stay as somebody made them."""
    _make_permissions()
    with unwatched():
        for name, permissions in table.items():
            group, is_new = Group.objects.get_or_create(name=name)
            if is_new:
                group.permissions.set(_rows(permissions))


def give(table: Mapping[str, Collection[str]]) -> None:
    """Permissions that came later, to the groups that are there."""
    _make_permissions()
    with unwatched():
        for group in Group.objects.filter(name__in=table):
            group.permissions.add(*_rows(table[group.name]))


def _make_permissions() -> None:
    """Django makes them after all migrations, and here they are needed before."""
    for app in installed.get_app_configs():
        create_permissions(app, verbosity=0)


def _rows(names: Collection[str]) -> list[Permission]:
    """Those that there are: what a later version does without is given to nobody."""
    wanted = {tuple(name.split(".")) for name in names}
    rows = Permission.objects.filter(codename__in=[codename for _, codename in wanted])
    return [
        row
        for row in rows.select_related("content_type")
        if (row.content_type.app_label, row.codename) in wanted
    ]
