"""Statements are never changed, whoever speaks to the database: triggers refuse every UPDATE and DELETE of them.

SQLite drops a table's triggers where a later migration rebuilds it: that one has to make them again.
"""

from django.db import migrations

_TABLES = (
    "accounts_statement",
    "accounts_statementline",
    "accounts_centrestatement",
    "accounts_centrestatementpart",
)
_WHY = "What was told stays as it was told: a later statement puts it right."


def _refuse(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE FUNCTION accounts_refuse_changes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            f" RAISE EXCEPTION '{_WHY}' USING ERRCODE = 'integrity_constraint_violation', TABLE = TG_TABLE_NAME;"
            " END $$",
            params=None,
        )
    for table in _TABLES:
        for statement in _triggers(schema_editor.connection.vendor, table):
            schema_editor.execute(statement, params=None)


def _triggers(vendor, table):
    if vendor == "postgresql":
        return [
            f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION accounts_refuse_changes()"
        ]
    return [
        f"CREATE TRIGGER {table}_stays_{act.lower()} BEFORE {act} ON {table}"
        f" BEGIN SELECT RAISE(ABORT, '{_WHY}'); END"
        for act in ("UPDATE", "DELETE")
    ]


def _allow(apps, schema_editor):
    for table in _TABLES:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP TRIGGER {table}_stays ON {table}", params=None)
        else:
            for act in ("update", "delete"):
                schema_editor.execute(f"DROP TRIGGER {table}_stays_{act}", params=None)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION accounts_refuse_changes()", params=None)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0026_sum_statements_up_by_cost_centre"),
    ]

    operations = [
        migrations.RunPython(_refuse, _allow),
    ]
