"""Lets the groups of staff who look at teams see what their members ask for."""

from typing import Any

from django.db import migrations

from accounts.staff_groups import give

TABLE = {
    "Support": ["accounts.view_accessrequest"],
    "Auditor": ["accounts.view_accessrequest"],
}


def show(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001  # Django's signature
    give(TABLE)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0043_ask_for_access")]

    operations = [migrations.RunPython(show, migrations.RunPython.noop)]
