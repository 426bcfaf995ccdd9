"""Budgets, as people of a team see them in the portal."""

from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from accounts.budgeting import make_budget
from accounts.models import Team
from accounts.recording import record_attempts
from tests.gateway.spooling import attempt
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return make_team("research")


@pytest.fixture
def client(team: Team) -> Client:
    client = Client()
    client.force_login(make_user("mary", teams=[team]))
    return client


def test_key_and_team_show_what_is_spent_and_left(client: Client, team: Team) -> None:
    key, _ = make_key(team)
    make_budget(subject=key, window="lifetime", amount_usd=Decimal(10))
    make_budget(subject=team, window="month", amount_usd=Decimal(250), refuses=False)
    now = timezone.now().timestamp()
    end = {"cost_usd": "0.1234", "loss_usd": "0"}
    record_attempts([attempt(end=end, started_at=now, key_id=key.pk, lineage_id=key.pk, team_id=team.pk)])
    of_key = client.get(f"/keys/{key.public_id}").content.decode()
    of_team = client.get("/team").content.decode()
    for text in ("$10 ever", "$0.1234", "$9.88", "$250 a month", "$249.88", "only tells"):
        assert text in of_key, text
    assert "$249.88" in of_team
    assert "$10 ever" not in of_team


def test_page_without_budgets_says_nothing_of_them(client: Client, team: Team) -> None:
    key, _ = make_key(team)
    for address in (f"/keys/{key.public_id}", "/team"):
        assert 'id="budgets"' not in client.get(address).content.decode()
