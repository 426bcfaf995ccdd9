"""Lets the desks of staff decide what their members ask for, and look after invitations."""

from typing import Any

from django.db import migrations

from accounts.staff_groups import give

TABLE = {
    "Operator": ["accounts.decide_reach"],
    "Support": ["accounts.decide_amounts", "accounts.view_invitation"],
    "Security": ["accounts.change_invitation", "accounts.view_invitation"],
    "Auditor": ["accounts.view_invitation"],
}


def let(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001  # Django's signature
    give(TABLE)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0044_show_staff_what_is_asked")]

    operations = [
        migrations.AlterModelOptions(
            name="accessrequest",
            options={
                "ordering": ["-pk"],
                "permissions": [
                    ("decide_reach", "Can decide access requests for models and providers"),
                    ("decide_amounts", "Can decide access requests for limits and budgets"),
                ],
            },
        ),
        migrations.RunPython(let, migrations.RunPython.noop),
    ]
