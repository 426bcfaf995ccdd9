"""Give databases made before 0001 was frozen what was still added to it on 25 November 2026."""

from django.db import migrations


def complete(apps, schema_editor):
    """Do nothing where 0001 has made it all: most databases."""
    connection = schema_editor.connection
    team = apps.get_model("accounts", "Team")
    stored_response = apps.get_model("accounts", "StoredResponse")
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        columns = connection.introspection.get_table_description(cursor, team._meta.db_table)
    if not any(column.name == "keeps_responses" for column in columns):
        schema_editor.add_field(team, team._meta.get_field("keeps_responses"))
    if stored_response._meta.db_table not in tables:
        schema_editor.create_model(stored_response)


class Migration(migrations.Migration):

    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunPython(complete, migrations.RunPython.noop, elidable=True)]
