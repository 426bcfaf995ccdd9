"""A team with somebody who is signed in, and what it used."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Team
from accounts.recording import record_attempts
from tests.gateway.spooling import attempt
from tests.make import make_team, make_user

Record = Callable[..., None]
NOON = datetime(2026, 6, 10, 12, 7, tzinfo=UTC)


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Now, for all that asks Django for it."""
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    return NOON


@pytest.fixture
def team() -> Team:
    return make_team("atlas", name="Atlas")


@pytest.fixture
def owner(client: Client, team: Team) -> Client:
    client.force_login(make_user("mary", teams=[team], role="owner"))
    return client


@pytest.fixture
def used(team: Team) -> Record:
    """Record one call of the team: `used(cost, at=…, outcome=…, tokens=(in, out), …)`; now, where nothing is said."""

    def record(
        cost: str = "0.1",
        *,
        at: datetime | None = None,
        outcome: str = "finished",
        tokens: tuple[int, int] = (3, 5),
        cached: int = 0,
        first_token_ms: float | None = None,
        **opened: Any,
    ) -> None:
        usage = {"input_tokens": tokens[0], "output_tokens": tokens[1], "cached_read_tokens": cached}
        end = {"cost_usd": cost, "outcome": outcome, "usage": usage, "first_token_ms": first_token_ms}
        started_at = (at or timezone.now()).timestamp()
        whose = {"team_id": team.pk, "key_id": 1, "lineage_id": 1}
        record_attempts([attempt(end=end, started_at=started_at, **whose | opened)])

    return record
