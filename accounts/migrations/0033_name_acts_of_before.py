"""Names the acts that the audit has from before, and whose audit they belong to."""

from typing import Any

from django.db import migrations
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

_KINDS = {
    "membership": "member",
    "group": "staff_role",
    "serviceaccount": "service_account",
    "alertchannel": "alert_channel",
    "ledgerentry": "ledger_entry",
    "providercredential": "provider_credential",
    "administratorcredential": "administrator_credential",
    "billmapping": "bill_mapping",
    "routemember": "route_member",
    "ignoredfinding": "ignored_finding",
    "sheetimport": "sheet_import",
}
_ACTS = {0: "created", 1: "updated", 2: "deleted", 3: "read"}
# Rows of the ledger have UUIDs, so that an act's number names none of them, and PostgreSQL refuses to compare the two.
_OF_A_TEAM = ("Key", "ServiceAccount", "Project")
_ON_ITS_PAGE = "accounts.team/"


def name_acts(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001
    entries = apps.get_model("accounts", "AuditEntry").objects
    kinds = {kind.pk: kind.model for kind in apps.get_model("contenttypes", "ContentType").objects.all()}
    unnamed = entries.filter(event="")
    for content_type, action in set(unnamed.order_by().values_list("content_type", "action")):
        model = kinds.get(content_type, "row")
        unnamed.filter(content_type=content_type, action=action).update(
            event=f"{_KINDS.get(model, model)}.{_ACTS[action]}"
        )
    _name_actors(apps, entries.filter(actor_kind=""))
    _name_teams(apps, entries.filter(team=None), kinds)


def _name_actors(apps: Any, entries: "QuerySet[Any]") -> None:
    named = apps.get_model("accounts", "User").objects.filter(pk=OuterRef("actor_id")).values("username")
    entries.exclude(actor=None).update(actor_kind="person", actor_name=Subquery(named[:1]))
    entries.filter(actor=None).exclude(key="").update(actor_kind="api_key", actor_name=F("key"))
    entries.filter(actor=None, key="").update(actor_kind="gateway")


def _name_teams(apps: Any, entries: "QuerySet[Any]", kinds: dict[int, str]) -> None:
    teams = set(apps.get_model("accounts", "Team").objects.values_list("pk", flat=True))
    pages = entries.filter(page__startswith=_ON_ITS_PAGE).order_by().values_list("page", flat=True).distinct()
    for page in list(pages):
        team = page.removeprefix(_ON_ITS_PAGE)
        if team.isdecimal() and int(team) in teams:
            entries.filter(page=page).update(team=int(team))
    for name in _OF_A_TEAM:
        rows = apps.get_model("accounts", name).objects.filter(pk=OuterRef("object_id")).values("team_id")
        content_types = [pk for pk, model in kinds.items() if model == name.lower()]
        entries.filter(Q(content_type__in=content_types), object_id__isnull=False).update(
            team=Subquery(rows[:1])
        )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0032_tell_whole_of_each_act")]

    operations = [migrations.RunPython(name_acts, migrations.RunPython.noop, elidable=True)]
