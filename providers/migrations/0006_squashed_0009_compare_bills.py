"""0006 to 0009 at once, for a database that has none of them."""

from django.db import migrations

from gateway.core.squashing import squash

_NAMES = (
    "0006_quotas",
    "0007_say_what_forms_want",
    "0008_further_credentials",
    "0009_compare_bills",
)


class Migration(migrations.Migration):
    replaces = [("providers", name) for name in _NAMES]

    dependencies = [
        ("providers", "0005_tell_families_and_patience"),
        ("catalogue", "0008_wait_for_offerings"),
        ("accounts", "0011_budgets"),
    ]

    operations = squash("providers", _NAMES)
