"""A test that commits leaves the next one an empty database, and permissions as they were."""

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.db.utils import DatabaseError
from django.utils import timezone

from accounts.models import Statement, Team
from tests.make import make_team

pytestmark = pytest.mark.django_db(transaction=True)


def empty() -> None:
    call_command("flush", verbosity=0, interactive=False, reset_sequences=False)


def make_statement() -> Statement:
    now, told = (
        timezone.now(),
        {"team_slug": "atlas", "team_name": "Atlas", "calls": 0, "cost": 0, "charge": 0},
    )
    month = {"month": "2026-10", "zone": "UTC", "starts_at": now, "ends_at": now, "closed_at": now}
    return Statement.objects.create(number=1, team=make_team("atlas"), **month, **told)


def test_what_was_filled_is_empty_and_what_keeps_statements_keeps_the_next_ones() -> None:
    make_statement()
    empty()
    assert (Team.objects.count(), Statement.objects.count()) == (0, 0)
    make_statement()
    with pytest.raises(DatabaseError), connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_statement")


def test_permissions_stay_as_they_were() -> None:
    empty()
    before = set(Permission.objects.values_list("pk", flat=True))
    make_team("atlas")
    empty()
    assert set(Permission.objects.values_list("pk", flat=True)) == before


def test_permissions_that_a_test_took_away_are_made_again() -> None:
    empty()
    count = Permission.objects.count()
    Permission.objects.filter(codename="view_team").delete()
    empty()
    assert (Permission.objects.count(), Permission.objects.filter(codename="view_team").count()) == (count, 1)
