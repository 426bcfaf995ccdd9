"""The control thread: what it holds in memory follows SQL, each part when that part has changed."""

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest

from accounts import rule_loading
from accounts.limiting import remove_limit, set_limit
from accounts.models import Team
from gateway.core.store.interface import Limit
from gateway.plane.control import Control
from tests.make import make_key, make_team
from tests.services import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def team() -> Team:
    return make_team()


@pytest.fixture
def control(team: Team) -> Iterator[Control]:
    set_limit(subject=team, unit="tokens", window="minute", amount=5)
    control = Control(on_providers=lambda: None)
    in_a_thread(control.start)
    yield control
    control.stop()


def in_a_thread(act: Any) -> None:
    """Starting gives the connection of its thread up, and tests have further use for theirs."""
    thread = Thread(target=act)
    thread.start()
    thread.join()


def limits_of(control: Control, team: Team) -> tuple[Limit, ...]:
    return control.rules.limits_of(("team", team.pk))


def test_rules_are_there_from_the_start_and_follow_each_change(control: Control, team: Team) -> None:
    name = f"team:{team.pk}"
    assert limits_of(control, team) == (Limit(name, "tokens", 5, 60),)
    limit = set_limit(subject=team, unit="tokens", window="minute", amount=7)
    wait_until(lambda: limits_of(control, team) == (Limit(name, "tokens", 7, 60),), "the control thread")
    remove_limit(limit=limit)
    wait_until(lambda: limits_of(control, team) == (), "the control thread")


def test_rules_are_not_read_again_where_something_else_changed(
    control: Control, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, reads = control.rules, []
    monkeypatch.setattr(rule_loading, "load_rules", lambda: reads.append(1))
    seen = control._seen
    make_key(team)
    wait_until(lambda: control._seen != seen, "the control thread")
    assert (control.rules is before, reads) == (True, [])
