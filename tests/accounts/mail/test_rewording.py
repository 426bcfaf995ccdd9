"""Mail about alerts has times, days and money as whoever gets it writes them; what people typed stays as it is."""

from typing import Any

import pytest

from accounts.alerts.kinds import DIGEST, KINDS
from accounts.alerts.letters import letter
from accounts.alerts.raising import make_alert
from accounts.mail.message import Facts, Message
from accounts.models import Alert, AlertDelivery, Team, User
from tests.accounts.mail.test_golden import DATA
from tests.make import make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return make_team("atlas", name="2026-06-08", time_zone="Asia/Tokyo")


@pytest.fixture(autouse=True)
def anna() -> User:
    return make_user("anna", email="anna@example.com", locale="de", time_zone="Europe/Berlin")


def mailed(kind: str, team: Team, address: str = "anna@example.com", **data: Any) -> Message:
    alert = make_alert(kind, cause="x", team=team, data={**DATA, **data})
    return letter(AlertDelivery(pk=1, alert=alert, address=address), "")


def facts(message: Message) -> dict[str, str]:
    return dict(line for part in message.parts if isinstance(part, Facts) for line in part.lines)


def test_times_money_and_days_are_those_of_whoever_is_mailed(team: Team) -> None:
    message = mailed("budget.threshold", team, budget="$1250.5 a month", spent_usd="1234.5678")
    told = facts(message)
    assert told["Spent"] == "1.234,57\N{NO-BREAK SPACE}$"
    assert told["Budget"] == "1.250,50\N{NO-BREAK SPACE}$ a month (Europe/Berlin)"
    assert told["Begins anew"] == "01.07.2026, 00:00 CEST"
    expiring = mailed("key.expiring", team, expires_at="2026-06-08 22:30 UTC", team_name=team.name)
    assert expiring.subject == "A key of 2026-06-08 expires on 09.06.2026"
    assert facts(expiring)["Expires"] == "09.06.2026, 00:30 CEST"
    assert facts(expiring)["Team"] == "2026-06-08"
    price = "Model 'a/b' has new prices: 0.000002 USD a token from 2026-12-01 → none."
    assert "0,000002 USD a token from 01.12.2026" in str(mailed("model.repriced", team, news=price).parts)
    leap = mailed("spend.leaped", team, at="2026-06-01 11:58 UTC", times="3.5")
    assert "3,5 times as much as usual" in leap.subject
    assert "Spent from midnight of UTC until 01.06.2026, 13:58 CEST" in str(leap.parts)
    opened = mailed("breaker.opened", team, at="2026-06-01 11:58:07 UTC")
    assert facts(opened)["Since"] == "01.06.2026, 13:58:07 CEST"
    alarm = mailed(
        "provider.alarm", team, lines=["m: 3 calls since 2026-06-01 12:00 UTC.\n2026-06-01 12:00 UTC"]
    )
    assert "since 01.06.2026, 14:00 CEST.\\n2026-06-01 12:00 UTC" in str(alarm.parts)
    digest = mailed(DIGEST, team, lines=["2026-06-01 12:00 UTC: A key was made: 2026-06-01 12:00 UTC: x"])
    assert "01.06.2026, 14:00 CEST: A key was made: 2026-06-01 12:00 UTC: x" in str(digest.parts)


def test_who_chose_nothing_has_the_teams_times_and_the_alert_itself_stays_as_it_is(team: Team) -> None:
    make_user("bob", email="bob@example.com")
    assert facts(mailed("key.expiring", team, "bob@example.com"))["Expires"].endswith("21:00 JST")
    assert facts(mailed("key.expiring", team, "list@example.com"))["Expires"].endswith("21:00 JST")
    assert "2026-06-08 12:00 UTC" in Alert.objects.filter(kind="key.expiring").latest("pk").text


def test_address_of_two_people_is_nobodys_own(team: Team) -> None:
    make_user("anna2", email="anna@example.com", locale="fr")
    assert facts(mailed("key.expiring", team))["Expires"].endswith("JST")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_said_anew(kind: str, team: Team) -> None:
    message = mailed(kind, team, at="never", day="2026-99-99", expires_at="2026-99-99 99:99 UTC")
    assert message.subject
    assert "$" not in str(message.subject) or "_usd" in KINDS[kind].title
