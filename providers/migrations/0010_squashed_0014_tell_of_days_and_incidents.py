"""0010 to 0014 at once, for a database that has none of them."""

from django.db import migrations

from gateway.core.squashing import squash

_NAMES = (
    "0010_breakers_and_billed_probes",
    "0011_say_what_becomes_of_data",
    "0012_give_credentials_quotas",
    "0013_address_further_credentials",
    "0014_tell_of_days_and_incidents",
)


class Migration(migrations.Migration):
    replaces = [("providers", name) for name in _NAMES]

    dependencies = [
        ("providers", "0009_compare_bills"),
        ("catalogue", "0013_let_routes_fall_back"),
    ]

    operations = squash("providers", _NAMES)
