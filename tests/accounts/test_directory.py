"""The data plane's memory of keys."""

import asyncio
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from accounts import revision
from accounts.directory import LOOK_S, SqlKeyDirectory, touches
from accounts.keys import KeyFacts, KeysUnavailable, ShownKey, mint_key, read_key
from accounts.models import Key
from accounts.services import issue_key, revoke_key, switch_team, update_key
from tests.make import make_key, make_team

pytestmark = pytest.mark.django_db(transaction=True)
AtOnce = Callable[..., list[Any]]


@pytest.fixture
def directory() -> Iterator[SqlKeyDirectory]:
    made = SqlKeyDirectory()
    yield made
    made.close()


def shown(text: str) -> ShownKey:
    key = read_key(text)
    assert key is not None
    return key


def catch_up(directory: SqlKeyDirectory) -> None:
    directory.refresh(revision.read())
    directory.confirm(time.monotonic())


def look_up(directory: SqlKeyDirectory, text: str) -> KeyFacts | None:
    return asyncio.run(directory.look_up(shown(text)))


def test_the_revision_goes_up_once_memory_has_changed(directory: SqlKeyDirectory) -> None:
    """Whoever watches it asks only then, and must not be told what was true before."""
    key, text = make_key()
    look_up(directory, text)
    directory.refresh(revision.read())
    before = directory.revision
    for change in (lambda: revoke_key(key=key), lambda: switch_team(team=key.team, is_active=False)):
        change()
        assert directory.revision == before
        directory.refresh(revision.read())
        assert directory.revision > before
        before = directory.revision


def test_a_key_that_is_newer_than_the_limits_in_memory_waits_for_them(directory: SqlKeyDirectory) -> None:
    """A new key would have none for a moment."""
    catch_up(directory)
    key, text = make_key(requests_per_minute=1)
    now = revision.read()

    async def scenario() -> None:
        asked = asyncio.create_task(directory.look_up(shown(text)))
        await asyncio.sleep(3 * LOOK_S)
        directory.refresh(now)
        await asyncio.sleep(3 * LOOK_S)
        assert (asked.done(), directory.known(key.public_id)) == (False, None)
        directory.confirm(time.monotonic())
        assert await asked == directory.known(key.public_id)

    asyncio.run(scenario())


def test_a_new_key_is_answered_though_nothing_is_refreshed(
    directory: SqlKeyDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.directory.REFRESHED_WITHIN_S", LOOK_S)
    catch_up(directory)
    key, text = make_key()
    facts = look_up(directory, text)
    assert facts is not None
    assert directory.known(key.public_id) is None


def test_key_is_looked_up_once_and_then_known(directory: SqlKeyDirectory) -> None:
    key, text = make_key()
    assert directory.known(key.public_id) is None
    assert look_up(directory, text) == directory.known(key.public_id)


def test_known_key_costs_no_query(directory: SqlKeyDirectory) -> None:
    key, text = make_key()
    look_up(directory, text)
    with CaptureQueriesContext(connection) as queries:
        directory.known(key.public_id)
    assert not queries


def test_facts_carry_every_term(directory: SqlKeyDirectory) -> None:
    team = make_team(key_requests_per_minute_most=5, key_concurrency_most=2)
    _, text = make_key(team, model_patterns=["acme/*"], lane="worker")
    facts = look_up(directory, text)
    assert facts is not None
    assert (facts.requests_per_minute_most, facts.concurrency_most) == (5, 2)
    assert (facts.model_patterns, facts.lane) == (("acme/*",), "worker")


def test_revoked_key_is_known_as_inactive_after_a_refresh(directory: SqlKeyDirectory) -> None:
    key, text = make_key()
    look_up(directory, text)
    revoke_key(key=key)
    directory.refresh(revision.read())
    facts = directory.known(key.public_id)
    assert facts is not None
    assert not facts.is_active


def test_keys_of_a_switched_off_team_are_known_as_inactive(directory: SqlKeyDirectory) -> None:
    key, text = make_key()
    look_up(directory, text)
    switch_team(team=key.team, is_active=False)
    directory.refresh(revision.read())
    facts = directory.known(key.public_id)
    assert facts is not None
    assert not facts.is_active


def test_refresh_without_a_change_of_keys_asks_nothing(directory: SqlKeyDirectory) -> None:
    _, text = make_key()
    directory.refresh(revision.read())
    look_up(directory, text)
    numbers = revision.read()
    with CaptureQueriesContext(connection) as queries:
        directory.refresh(numbers)
    assert not queries


def test_refresh_does_not_fill_memory_with_keys_that_nobody_used(directory: SqlKeyDirectory) -> None:
    _, text = make_key()
    unused, _ = make_key()
    look_up(directory, text)
    update_key(key=unused, name="new")
    directory.refresh(revision.read())
    assert directory.known(unused.public_id) is None


def test_unknown_key_is_missing_for_this_revision_only(directory: SqlKeyDirectory) -> None:
    minted = mint_key()
    assert look_up(directory, minted.text) is None
    assert directory.known_missing(minted.public_id)
    make_key()
    directory.refresh(revision.read())
    assert not directory.known_missing(minted.public_id)


def test_key_appears_although_it_was_asked_for_too_early(directory: SqlKeyDirectory) -> None:
    minted = mint_key()
    look_up(directory, minted.text)
    key, _ = make_key()
    Key.objects.filter(pk=key.pk).update(public_id=minted.public_id, digest=minted.digest)
    directory.refresh(revision.read())
    assert look_up(directory, minted.text) is not None


def test_callers_of_one_key_share_one_query(directory: SqlKeyDirectory) -> None:
    _, text = make_key()

    async def together() -> list[KeyFacts | None]:
        return await asyncio.gather(*[directory.look_up(shown(text)) for _ in range(50)])

    found = asyncio.run(together())
    assert len({id(facts) for facts in found}) == 1


def test_caller_that_comes_after_the_query_begins_no_other(directory: SqlKeyDirectory) -> None:
    """It saw nothing in memory, and was overtaken by another's query before it asked for its own."""
    _, text = make_key()
    assert look_up(directory, text) is look_up(directory, text)


def test_memory_that_is_not_believed_answers_no_look_up_either() -> None:
    now = 0.0
    directory = SqlKeyDirectory(staleness_s=300, clock=lambda: now)
    key, text = make_key()
    look_up(directory, text)
    revoke_key(key=key)
    now = 300.5
    facts = look_up(directory, text)
    directory.close()
    assert facts is not None
    assert not facts.is_active


def test_caller_that_leaves_does_not_cancel_the_others(directory: SqlKeyDirectory) -> None:
    _, text = make_key()

    async def one_leaves() -> KeyFacts | None:
        leaver = asyncio.create_task(directory.look_up(shown(text)))
        stayer = asyncio.create_task(directory.look_up(shown(text)))
        await asyncio.sleep(0)
        leaver.cancel()
        return await stayer

    assert asyncio.run(one_leaves()) is not None


def test_memory_that_was_not_confirmed_for_too_long_is_not_believed() -> None:
    now = 0.0
    directory = SqlKeyDirectory(staleness_s=300, clock=lambda: now)
    now = 300.5
    with pytest.raises(KeysUnavailable):
        directory.known("x")
    directory.confirm(300.0)
    assert directory.known("x") is None
    directory.close()


def test_memory_is_bounded_and_forgets_the_least_used() -> None:
    directory = SqlKeyDirectory(capacity=2)
    issued = [make_key() for _ in range(3)]
    look_up(directory, issued[0][1])
    look_up(directory, issued[1][1])
    directory.known(issued[0][0].public_id)
    look_up(directory, issued[2][1])
    directory.close()
    assert [directory.known(key.public_id) is not None for key, _ in issued] == [True, False, True]


def test_sql_away_is_told_apart_from_an_unknown_key(
    directory: SqlKeyDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["default"], "NAME", "/nowhere/at/all")
    monkeypatch.setitem(connections.settings["default"], "PORT", "1")
    with pytest.raises(KeysUnavailable):
        look_up(directory, mint_key().text)


def test_last_use_is_written_in_bulk_and_never_backwards(directory: SqlKeyDirectory) -> None:
    touches.flush()
    key, _ = make_key()
    directory.touched(key.pk, 2_000.0)
    directory.touched(key.pk, 1_000.0)
    assert directory.flush_touched() == 1
    directory.touched(key.pk, 1_500.0)
    directory.flush_touched()
    used_at = Key.objects.get(pk=key.pk).last_used_at
    assert used_at is not None
    assert used_at.timestamp() == 2_000.0


def test_racing_look_ups_never_outlive_a_revocation(directory: SqlKeyDirectory, at_once: AtOnce) -> None:
    issued = [issue_key(team=make_team(), name="test") for _ in range(12)]

    def polls() -> None:
        for _ in range(60):
            directory.refresh(revision.read())
            time.sleep(0.002)

    def asks(text: str) -> None:
        for _ in range(5):
            look_up(directory, text)

    at_once(
        polls,
        *[partial(asks, text) for _, text in issued],
        *[partial(revoke_key, key=key) for key, _ in issued],
    )
    directory.refresh(revision.read())
    remembered = [directory.known(key.public_id) for key, _ in issued]
    assert not any(facts.is_active for facts in remembered if facts)
