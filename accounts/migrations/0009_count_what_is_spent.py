"""Sums of the ledger, how far processes' records are in them, and whose each of its rows is."""

from django.db import migrations, models

_TABLE, _COLUMN = '"accounts_ledgerentry"', '"lineage_id"'


def _add_lineage(apps, schema_editor):
    """With 0 in rows that are there, and nothing in those that processes of the version before write meanwhile."""
    if schema_editor.connection.vendor == "postgresql":
        # Neither statement writes a row anew.
        schema_editor.execute(f"ALTER TABLE {_TABLE} ADD COLUMN {_COLUMN} bigint NULL DEFAULT 0")
        schema_editor.execute(f"ALTER TABLE {_TABLE} ALTER COLUMN {_COLUMN} DROP DEFAULT")
    else:
        schema_editor.execute(f"ALTER TABLE {_TABLE} ADD COLUMN {_COLUMN} bigint NULL")
        schema_editor.execute(f"UPDATE {_TABLE} SET {_COLUMN} = 0")


def _drop_lineage(apps, schema_editor):
    schema_editor.execute(f"ALTER TABLE {_TABLE} DROP COLUMN {_COLUMN}")


class Migration(migrations.Migration):

    dependencies = [("accounts", "0008_limits")]

    operations = [
        migrations.CreateModel(
            name="Spend",
            fields=[
                ("pk", models.CompositePrimaryKey("subject", "grain", "starts_at", blank=True, editable=False, primary_key=True, serialize=False)),
                ("subject", models.CharField(help_text="Such as key:7 or provider:acme; or deployment.", max_length=80)),
                ("grain", models.CharField(choices=[("quarter", "Quarter of an hour"), ("day", "Day of UTC"), ("total", "Ever")], max_length=7)),
                ("starts_at", models.BigIntegerField(help_text="Unix seconds.")),
                ("cost", models.BigIntegerField(help_text="Charged to teams, in 10^-10 USD.")),
                ("loss", models.BigIntegerField(help_text="Borne by the operator, in 10^-10 USD.")),
            ],
            options={"verbose_name_plural": "spend"},
        ),
        migrations.CreateModel(
            name="SpendVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("pk", 1)), name="spend_version_one_row")]
            },
        ),
        migrations.CreateModel(
            name="SpoolMark",
            fields=[
                ("process", models.CharField(max_length=120, primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField()),
                ("moved_at", models.DateTimeField()),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(_add_lineage, _drop_lineage)],
            state_operations=[
                migrations.AddField(
                    model_name="ledgerentry",
                    name="lineage_id",
                    field=models.BigIntegerField(editable=False, help_text="The first key of the key's lineage. 0: of before this was kept. Empty: not in the sums yet.", null=True),
                )
            ],
        ),
        migrations.AddField(
            model_name="ledgerentry",
            name="member_id",
            field=models.BigIntegerField(editable=False, help_text="The membership whose key it was.", null=True),
        ),
        migrations.AddField(
            model_name="ledgerentry",
            name="service_account_id",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="ledgerentry",
            name="project_id",
            field=models.BigIntegerField(editable=False, help_text="The row of the project, if any.", null=True),
        ),
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(
                condition=models.Q(("lineage_id__isnull", True)), fields=["attempt_id"], name="ledger_not_in_sums"
            ),
        ),
    ]
