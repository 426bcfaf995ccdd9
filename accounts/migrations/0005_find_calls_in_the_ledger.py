"""Indexes by which calls are found: of a key, by request id, of a project."""

import django.db.models.deletion
from django.db import migrations, models

# Of `key` alone, as Django named it: of no use beside the one of `key` and time. To alter the field itself would
# write the whole table anew on SQLite.
_KEY_ALONE = "accounts_ledgerentry_key_id_a6626c99"


class Migration(migrations.Migration):

    dependencies = [("accounts", "0004_say_what_cancelled_means")]

    operations = [
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(fields=["key", "-started_at"], name="ledger_by_key"),
        ),
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(fields=["request_id"], name="ledger_by_request"),
        ),
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(
                fields=["project", "-started_at"],
                condition=models.Q(("project", ""), _negated=True),
                name="ledger_by_project",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f'DROP INDEX IF EXISTS "{_KEY_ALONE}"',
                    f'CREATE INDEX "{_KEY_ALONE}" ON "accounts_ledgerentry" ("key_id")',
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="ledgerentry",
                    name="key",
                    field=models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="ledger_entries",
                        to="accounts.key",
                    ),
                )
            ],
        ),
    ]
