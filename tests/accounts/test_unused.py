"""Keys that nobody uses are told of, and expire a week later; those that somebody uses again are not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import Key, Membership, Team
from accounts.tasks import end_unused_keys
from accounts.unused import WARNED, expire_unused, forgive_used, tell_unused
from tests.accounts.alerts.conftest import deliver
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def key_of(team: Team, *, unused: timedelta, **terms: Any) -> Key:
    key, _ = make_key(team, **terms)
    Key.objects.filter(pk=key.pk).update(created_at=AT - timedelta(days=900), last_used_at=AT - unused)
    return key


@pytest.mark.parametrize(
    ("of_gateway", "of_team", "unused", "told"),
    [
        (0, None, timedelta(days=899), 0),
        (30, None, timedelta(days=30) - SECOND, 0),
        (30, None, timedelta(days=30), 1),
        (30, 0, timedelta(days=899), 0),
        (30, 60, timedelta(days=60) - SECOND, 0),
        (30, 60, timedelta(days=60), 1),
        (0, 60, timedelta(days=61), 1),
    ],
)
def test_key_is_told_of_once_it_is_unused_for_as_long_as_its_team_allows(
    settings: Any, mailoutbox: list[Any], of_gateway: int, of_team: int | None, unused: timedelta, told: int
) -> None:
    settings.UNUSED_KEY_DAYS = of_gateway
    team = make_team(unused_key_days=of_team)
    owner = make_user("ann", teams=[team], email="ann@example.com")
    key_of(team, unused=unused, owner=owner)
    assert [tell_unused(at=AT), tell_unused(at=AT)] == [told, 0]
    deliver(AT)
    assert [mail.to for mail in mailoutbox] == [["ann@example.com"]] * told


def test_key_of_nobody_is_told_of_to_the_owners_of_its_team(mailoutbox: list[Any]) -> None:
    team = make_team(unused_key_days=30)
    for name, role in (("boss", "owner"), ("member", "member")):
        person = make_user(name, email=f"{name}@example.com")
        Membership.objects.create(team=team, user=person, role=role)
    key_of(team, unused=timedelta(days=30))
    tell_unused(at=AT)
    deliver(AT)
    assert [mail.to for mail in mailoutbox] == [["boss@example.com"]]


def test_key_expires_a_week_after_its_people_were_told_and_not_before() -> None:
    key = key_of(make_team(unused_key_days=30), unused=timedelta(days=30))
    assert expire_unused(at=AT + WARNED) == 0
    tell_unused(at=AT)
    assert expire_unused(at=AT + WARNED - SECOND) == 0
    assert expire_unused(at=AT + WARNED) == 1
    before = key.revision
    key.refresh_from_db()
    assert (key.expires_at, key.revision > before) == (AT + WARNED, True)
    assert expire_unused(at=AT + WARNED + SECOND) == 0


def test_key_that_was_used_since_is_forgiven() -> None:
    key_of(make_team(unused_key_days=30), unused=timedelta(days=30))
    tell_unused(at=AT)
    Key.objects.update(last_used_at=AT + SECOND)
    later = AT + WARNED
    assert (forgive_used(at=later), expire_unused(at=later), tell_unused(at=later)) == (1, 0, 0)


def test_key_that_has_ended_or_is_stopped_is_not_told_of() -> None:
    for terms in ({"revoked_at": AT}, {"expires_at": AT}):
        key = key_of(make_team(unused_key_days=30), unused=timedelta(days=40))
        Key.objects.filter(pk=key.pk).update(**terms)
    key_of(make_team(unused_key_days=30, frozen_at=AT), unused=timedelta(days=40))
    assert tell_unused(at=AT) == 0


def test_round_does_all_of_it() -> None:
    key, _ = make_key(make_team(unused_key_days=30))
    Key.objects.filter(pk=key.pk).update(
        created_at=AT - timedelta(days=900), unused_told_at=AT - timedelta(days=30)
    )
    assert end_unused_keys() == 1
