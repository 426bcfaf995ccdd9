"""Entries found by what they correct, and the check of 0013 tried on the rows before it, while calls go on."""

from django.db import migrations, models


def _validate(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE accounts_ledgerentry VALIDATE CONSTRAINT ledger_attempt_not_negative", None
        )


class Migration(migrations.Migration):

    dependencies = [("accounts", "0013_keep_kinds_and_charges")]

    operations = [
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(condition=models.Q(("corrects_id__isnull", False)), fields=["corrects_id"], name="ledger_by_corrected"),
        ),
        migrations.RunPython(_validate, migrations.RunPython.noop),
    ]
