"""The revision's two rows: keys change while the catalogue is held, and neighbours of the last version are told."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from accounts import revision
from accounts.directory import SqlKeyDirectory
from accounts.keys import read_key
from accounts.models import Key
from accounts.models.revision import Revision
from accounts.revision import Part, take_revision
from accounts.services import revoke_key
from gateway.core.sql import is_busy
from tests.make import make_key

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif(
    "postgresql" not in connection.settings_dict["ENGINE"],
    reason="SQLite has one lock for all that is written",
)


def told_keys() -> int:
    """What processes of the version before this one look at."""
    return Revision.objects.get(pk=Revision.WHOLE).keys


@contextmanager
def catalogue_held() -> Iterator[None]:
    """By another session, as by a long change of the catalogue."""
    place: dict[str, Any] = connection.settings_dict
    with psycopg.connect(
        host=place["HOST"], port=place["PORT"], user=place["USER"], dbname=place["NAME"]
    ) as other:
        other.execute("SELECT number FROM accounts_revision WHERE id = 1 FOR UPDATE")
        yield


def test_change_of_keys_has_one_number_in_both_rows() -> None:
    key, _ = make_key()
    now = revision.read()
    assert (now.keys, now.told_keys, now.number) == (key.revision, key.revision, key.revision)
    assert not now.owes_keys


def test_numbers_of_keys_grow_beyond_those_of_the_catalogue() -> None:
    first, _ = make_key()
    with transaction.atomic():
        number = take_revision(Part.CATALOGUE)
    second, _ = make_key()
    assert first.revision < number < second.revision


@on_postgresql
def test_key_is_revoked_while_the_catalogue_is_held() -> None:
    key, _ = make_key()
    before = revision.read()
    with catalogue_held():
        revoke_key(key=key)
        during = revision.read()
        revision.tell_keys()
        assert told_keys() == before.told_keys
    assert during.keys > before.keys
    assert (during.number, during.owes_keys) == (before.number, True)


@on_postgresql
def test_neighbours_are_told_once_the_catalogue_is_free() -> None:
    key, _ = make_key()
    seen_by_neighbour = told_keys()
    with catalogue_held():
        revoke_key(key=key)
    revision.tell_keys()
    assert not revision.read().owes_keys
    assert told_keys() > seen_by_neighbour
    assert Key.objects.filter(revision__gt=seen_by_neighbour, revoked_at__isnull=False).exists()


@on_postgresql
def test_lock_that_is_not_had_in_time_is_told_as_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    make_key()
    monkeypatch.setattr(revision, "PATIENCE_S", 0.1)
    with catalogue_held(), pytest.raises(OperationalError) as refusal, transaction.atomic():
        revision.lock_revision()
    assert is_busy(refusal.value)


def test_what_a_neighbour_of_the_last_version_revokes_is_seen() -> None:
    key, text = make_key()
    make_key()
    directory = SqlKeyDirectory(staleness_s=60)
    directory.refresh(revision.read())
    asyncio.run(directory.look_up(read_key(text)))
    # As that version takes one: of the first row only.
    number = Revision.objects.get(pk=Revision.WHOLE).number + 1
    Revision.objects.filter(pk=Revision.WHOLE).update(number=number, keys=number)
    Key.objects.filter(pk=key.pk).update(revoked_at="2026-01-01T00:00:00Z", revision=number)
    directory.refresh(revision.read())
    facts = directory.known(key.public_id)
    directory.close()
    assert facts is not None
    assert not facts.is_active
