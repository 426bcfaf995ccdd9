"""Issuing, changing and revoking keys."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from accounts import revision
from accounts.keys import read_key
from accounts.models import Key, Team
from accounts.services import issue_key, revoke_key, save_team, switch_team, update_key
from gateway.core.refusals import InvalidField
from tests.make import make_key, make_team

AtOnce = Callable[..., list[Any]]


def test_issued_key_reads_as_its_row(team: Team) -> None:
    key, text = issue_key(team=team, name="billing")
    shown = read_key(text)
    assert shown is not None
    assert shown.public_id == key.public_id


def test_row_holds_no_part_of_the_secret(team: Team) -> None:
    key, text = issue_key(team=team, name="billing")
    secret = text.rpartition("-")[2]
    stored = " ".join(str(value) for value in Key.objects.filter(pk=key.pk).values().get().values())
    assert not any(secret[i : i + 12] in stored for i in range(len(secret) - 12))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("requests_per_minute", 0),
        ("requests_per_minute", 10**9),
        ("concurrency", -1),
        ("model_patterns", [""]),
        ("model_patterns", ["a b"]),
        ("model_patterns", [7]),
        ("model_patterns", ["a"] * 101),
        ("lane", "bicycle"),
        ("scope", "root"),
        ("expires_at", timezone.now() - timedelta(seconds=1)),
    ],
)
def test_bad_term_is_refused_and_named(team: Team, field: str, value: Any) -> None:
    with pytest.raises(InvalidField, match=field) as refusal:
        issue_key(team=team, name="billing", **{field: value})  # type: ignore[misc]
    assert refusal.value.field == field


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\0b", "a\nb"])
def test_bad_name_is_refused(team: Team, name: str) -> None:
    with pytest.raises(InvalidField, match="name"):
        issue_key(team=team, name=name)


def test_every_change_of_a_key_takes_a_new_revision(team: Team) -> None:
    key, _ = make_key(team)
    numbers = [key.revision, update_key(key=key, name="new").revision, revoke_key(key=key).revision]
    assert numbers == sorted(set(numbers))
    assert revision.read().keys == numbers[-1]


def test_update_changes_only_what_is_named(team: Team) -> None:
    key, _ = make_key(team, concurrency=3)
    update_key(key=key, requests_per_minute=10)
    key.refresh_from_db()
    assert (key.requests_per_minute, key.concurrency) == (10, 3)


def test_revoking_again_changes_nothing(team: Team) -> None:
    key, _ = make_key(team)
    first = revoke_key(key=key).revoked_at
    assert revoke_key(key=key).revoked_at == first


def test_revoked_key_cannot_be_changed(team: Team) -> None:
    key, _ = make_key(team)
    stale = Key.objects.get(pk=key.pk)
    revoke_key(key=key)
    with pytest.raises(InvalidField, match="revoked"):
        update_key(key=stale, name="new")


def test_switching_a_team_marks_all_of_its_keys_and_no_others(team: Team) -> None:
    mine, other = make_key(team)[0], make_key(make_team())[0]
    switch_team(team=team, is_active=False)
    mine.refresh_from_db()
    assert mine.revision > other.revision
    assert Key.objects.get(pk=other.pk).revision == other.revision


def test_renamed_team_marks_its_keys(team: Team) -> None:
    key, _ = make_key(team)
    team.slug = "renamed"
    save_team(team=team)
    assert Key.objects.get(pk=key.pk).revision > key.revision


def test_for_team_shows_no_other_teams_keys(team: Team) -> None:
    mine, _ = make_key(team)
    make_key(make_team())
    assert list(Key.objects.for_team(team)) == [mine]


def test_usable_leaves_out_revoked_expired_and_switched_off(team: Team) -> None:
    live, _ = make_key(team)
    revoke_key(key=make_key(team)[0])
    make_key(team, expires_at=timezone.now() + timedelta(seconds=1))
    make_key(make_team(is_active=False))
    assert list(Key.objects.usable(timezone.now() + timedelta(seconds=2))) == [live]


@pytest.mark.django_db(transaction=True)
def test_concurrent_changes_take_distinct_revisions(at_once: AtOnce) -> None:
    team = make_team()
    issued = at_once(*[partial(issue_key, team=team, name=f"key {i}") for i in range(8)])
    revoked = at_once(*[partial(revoke_key, key=key) for key, _ in issued])
    numbers = [key.revision for key in revoked]
    assert len(set(numbers)) == 8
    assert revision.read().keys == max(numbers)


@pytest.mark.django_db(transaction=True)
def test_racing_revocations_keep_one_instant(at_once: AtOnce) -> None:
    key, _ = make_key()
    at_once(*[partial(revoke_key, key=Key.objects.get(pk=key.pk)) for _ in range(6)])
    assert Key.objects.filter(pk=key.pk, revoked_at__isnull=False).exists()
