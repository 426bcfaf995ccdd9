"""Lets the groups of staff who keep providers open incidents and write of them, and others read them."""

from typing import Any

from django.db import migrations

from accounts.staff_groups import give

TABLE = {
    "Operator": ["providers.add_incident", "providers.change_incident", "providers.view_incident"],
    "Support": ["providers.view_incident"],
    "Auditor": ["providers.view_incident"],
}


def give_rights(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001  # Django's signature
    give(TABLE)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0047_let_people_choose_zone_and_locale"), ("providers", "0014_tell_of_days_and_incidents")]

    operations = [migrations.RunPython(give_rights, migrations.RunPython.noop)]
