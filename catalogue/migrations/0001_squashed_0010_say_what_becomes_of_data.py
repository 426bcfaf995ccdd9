"""All tables of the catalogue up to 0010 at once, for a new database."""

from django.db import migrations

from gateway.core.squashing import squash

_NAMES = (
    "0001_initial",
    "0002_bring_sheets_in_by_themselves",
    "0003_bring_whole_workbooks_in",
    "0004_count_editions_for_people",
    "0005_ignore_findings",
    "0006_say_where_offerings_run",
    "0007_ignore_providers",
    "0008_wait_for_offerings",
    "0009_say_what_forms_want",
    "0010_say_what_becomes_of_data",
)


class Migration(migrations.Migration):
    replaces = [("catalogue", name) for name in _NAMES]

    dependencies = [
        ("providers", "0005_tell_families_and_patience"),
        ("accounts", "0001_initial"),
    ]

    operations = squash("catalogue", _NAMES)
