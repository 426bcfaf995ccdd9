"""0048 and 0049 at once, for a database that has neither."""

from importlib import import_module

from django.db import migrations

from gateway.core.squashing import squash

_NAMES = (
    "0048_let_desks_tell_of_incidents",
    "0049_find_rare_calls",
)
_RIGHTS = import_module("accounts.migrations.0048_let_desks_tell_of_incidents")


class Migration(migrations.Migration):
    replaces = [("accounts", name) for name in _NAMES]

    dependencies = [
        ("accounts", "0047_let_people_choose_zone_and_locale"),
        ("providers", "0014_tell_of_days_and_incidents"),
    ]

    operations = [
        *squash("accounts", _NAMES),
        migrations.RunPython(_RIGHTS.give_rights, migrations.RunPython.noop),
    ]
