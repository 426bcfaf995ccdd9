"""What the migration makes of the columns that held a key's limits."""

from importlib import import_module

import pytest
from django.db.migrations.loader import MigrationLoader

from accounts.models import Key, Limit
from accounts.services import OVERLAP, revoke_key, rotate_key
from tests.make import make_key

pytestmark = pytest.mark.django_db


def rows_of(**columns: tuple[int | None, int | None]) -> list[tuple[str, int]]:
    """Unit and amount of the rows that are made of those columns of keys, by their names."""
    Limit.objects.all().delete()
    for name, (rate, slots) in columns.items():
        Key.objects.filter(name=name).update(former_requests_per_minute=rate, former_concurrency=slots)
    landed = MigrationLoader(None, replace_migrations=False)
    apps = landed.project_state(("accounts", "0008_limits")).apps
    import_module("accounts.migrations.0008_limits").make_rows(apps, None)
    return list(Limit.objects.values_list("key__name", "unit", "amount").order_by("key_id", "unit"))


def test_columns_become_rows() -> None:
    for name in ("none", "rate", "both"):
        make_key(name=name)
    assert rows_of(none=(None, None), rate=(60, None), both=(5, 2)) == [
        ("rate", "requests", 60),
        ("both", "concurrency", 2),
        ("both", "requests", 5),
    ]


def test_lineage_has_the_limits_of_its_latest_key() -> None:
    old, _ = make_key(name="old")
    new, _ = rotate_key(key=old, overlap=OVERLAP)
    Key.objects.filter(pk=new.pk).update(name="new")
    assert rows_of(old=(60, 4), new=(30, None)) == [("old", "requests", 30)]


def test_revoked_key_does_not_speak_for_its_lineage_unless_all_are() -> None:
    old, _ = make_key(name="old")
    new, _ = rotate_key(key=old, overlap=OVERLAP)
    Key.objects.filter(pk=new.pk).update(name="new")
    revoke_key(key=new)
    assert rows_of(old=(60, None), new=(30, None)) == [("old", "requests", 60)]
    revoke_key(key=old)
    assert rows_of(old=(60, None), new=(30, None)) == [("old", "requests", 30)]
