"""0011 to 0013 at once, for a database that has none of them."""

from django.db import migrations

from gateway.core.squashing import squash

_NAMES = (
    "0011_name_routes",
    "0012_bring_routes_in",
    "0013_let_routes_fall_back",
)


class Migration(migrations.Migration):
    replaces = [("catalogue", name) for name in _NAMES]

    dependencies = [
        ("catalogue", "0010_say_what_becomes_of_data"),
        ("providers", "0009_compare_bills"),
        ("accounts", "0023_statements"),
    ]

    operations = squash("catalogue", _NAMES)
