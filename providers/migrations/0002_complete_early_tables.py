"""Give databases made before 0001 was frozen what was still added to it on 25 November 2026."""

from django.db import migrations


def complete(apps, schema_editor):
    """Do nothing where 0001 has made it all: most databases."""
    alarm = apps.get_model("providers", "Alarm")
    with schema_editor.connection.cursor() as cursor:
        tables = schema_editor.connection.introspection.table_names(cursor)
    if alarm._meta.db_table not in tables:
        schema_editor.create_model(alarm)


class Migration(migrations.Migration):

    dependencies = [("providers", "0001_initial")]

    operations = [migrations.RunPython(complete, migrations.RunPython.noop, elidable=True)]
