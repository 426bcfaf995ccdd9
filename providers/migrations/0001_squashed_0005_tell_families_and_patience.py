"""All tables of providers up to 0005 at once, for a new database."""

from django.db import migrations

from gateway.core.squashing import squash

_NAMES = (
    "0001_initial",
    "0002_complete_early_tables",
    "0003_bind_variables_to_origins",
    "0004_allow_servers_of_this_machine",
    "0005_tell_families_and_patience",
)


class Migration(migrations.Migration):
    replaces = [("providers", name) for name in _NAMES]

    operations = squash("providers", _NAMES)
