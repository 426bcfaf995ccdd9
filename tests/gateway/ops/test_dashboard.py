"""What staff see of all teams on one page: numbers as usage has them, queues, and nothing without the right to it."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import reduce
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.budgeting import OfOperator, make_budget
from accounts.keys import DEPLOYMENT
from accounts.models import AccessRequest, Spend, Team
from accounts.staff_groups import make_groups
from accounts.staff_roles import PERMISSIONS, StaffRole, written
from accounts.usage.closing import close_days
from accounts.usage.question import Question
from accounts.usage.reader import read_total
from accounts.usage.repair import day_of, rebuild_day
from gateway.ops.dashboard import MEASURES, NOTHING, PERIODS, SPLITS, Asked, add, read_figures
from gateway.ops.dashboard_page import when
from providers.models import Incident
from tests.gateway.portal.overview.test_overview import chart_of
from tests.hostile.single_rights import staff_with
from tests.hostile.test_staff_roles import staff_in
from tests.make import make_entry, make_key, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db
PAGE = "/admin/dashboard/"
NOON = datetime(2026, 11, 20, 12, 7, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    cache.clear()


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> datetime:
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    return NOON


@pytest.fixture
def used(at: datetime) -> None:
    """Two teams of one cost centre, one of them in Berlin, and one of none."""
    for number, (slug, centre, zone) in enumerate(
        (("atlas", "4711", "UTC"), ("berlin", "4711", "Europe/Berlin"), ("nobody", "", "UTC")), start=1
    ):
        team = make_team(
            slug, name=f"{slug.title()} <b>", cost_centre=centre, time_zone=zone, usage_zone=zone
        )
        key, _ = make_key(team)
        for days in (0, 1, 3, 8):
            said = {"cost_usd": Decimal(number), "charge_usd": Decimal(number), "latency_ms": 100 * number}
            make_entry(key, started_at=at - timedelta(days=days, minutes=30), **said)
            failed = {"outcome": "failed", "error_code": "provider_error", "model": "acme/two"}
            make_entry(key, started_at=at - timedelta(days=days, minutes=30), **failed)
    for days in range(10):
        rebuild_day(day_of(at - timedelta(days=days)))


def figures(at: datetime, **asked: str) -> Any:
    return read_figures(Asked(**asked), at)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("period", PERIODS)
def test_bars_and_lines_come_to_the_same(used: None, at: datetime, period: str, measure: str) -> None:
    value = MEASURES[measure].value
    for by in SPLITS:
        found = figures(at, period=period, by=by, measure=measure)
        summed = reduce(add, (step.used for step in found.steps), NOTHING)
        lines = reduce(add, (line.parts.now for line in found.lines), NOTHING)
        assert lines == found.parts.now
        assert value(summed) == value(lines)
        assert lines["errors"] * 2 == lines["calls"] > 0


def test_hours_are_those_of_usage(used: None, at: datetime) -> None:
    found = figures(at, period="24h")
    end = -(-int(at.timestamp()) // 900) * 900
    total = read_total(Question(int(found.begins.timestamp()), end))
    assert (found.parts.now["charge"], found.parts.now["calls"]) == (total["charge"], total["calls"])


def test_days_are_each_teams_own_and_those_of_usage(at: datetime) -> None:
    """Half past eleven in the evening of UTC is the next day in Berlin."""
    late = (at - timedelta(days=2)).replace(hour=23, minute=30)
    for slug, zone in (("atlas", "UTC"), ("berlin", "Europe/Berlin")):
        make_entry(make_key(make_team(slug, time_zone=zone, usage_zone=zone))[0], started_at=late)
    rebuild_day(day_of(late))
    found = figures(at, period="7d", measure="calls")
    told = {f"{step.begins:%d}": step.used["calls"] for step in found.steps if step.used["calls"]}
    assert told == {"18": 1, "19": 1}
    team = Team.objects.get(slug="berlin")
    begin = datetime(2026, 11, 19, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    its = read_total(Question(int(begin), int(begin) + 86_400, zone="Europe/Berlin", team_id=team.pk))
    assert its["calls"] == 1


def test_days_that_begin_at_one_instant_a_world_apart_are_told_apart(at: datetime) -> None:
    late = (at - timedelta(days=2)).replace(hour=11, minute=30)
    for slug, zone in (("east", "Etc/GMT-12"), ("west", "Etc/GMT+12")):
        make_entry(make_key(make_team(slug, time_zone=zone, usage_zone=zone))[0], started_at=late)
        make_entry(make_key(Team.objects.get(slug=slug))[0], started_at=late + timedelta(hours=1))
    rebuild_day(day_of(late))
    steps = figures(at, period="7d", measure="calls").steps
    told = {f"{step.begins:%d}": step.used["calls"] for step in steps if step.used["calls"]}
    assert told == {"17": 1, "18": 2, "19": 1}


def test_days_that_are_over_are_compared_with_as_many_before(used: None, at: datetime) -> None:
    parts = figures(at, period="7d").parts
    assert (parts.now["calls"], parts.whole["calls"], parts.before["calls"]) == (18, 12, 6)
    found = figures(at, period="7d")
    assert len(found.steps) == 7
    assert found.begins == datetime(2026, 11, 14, tzinfo=UTC)


def test_year_is_told_by_months_of_each_teams_own(at: datetime) -> None:
    """Half past eleven in the evening of UTC is the next month in Berlin."""
    instants = [datetime(2026, 1, 31, 23, 30, tzinfo=UTC), datetime(2025, 1, 31, 23, 30, tzinfo=UTC), at]
    for slug, zone in (("atlas", "UTC"), ("berlin", "Europe/Berlin")):
        key = make_key(make_team(slug, time_zone=zone, usage_zone=zone))[0]
        for instant in instants:
            make_entry(key, started_at=instant)
        # Beyond what is compared: of as many days of the year before.
        make_entry(key, started_at=datetime(2025, 11, 25, tzinfo=UTC))
    for instant in (*instants, datetime(2025, 11, 25, tzinfo=UTC)):
        rebuild_day(day_of(instant))
    while close_days(at=at):
        pass
    found = figures(at, period="12mo", measure="calls")
    assert [when(step) for step in found.steps][::11] == ["Dec 2025", "Nov 2026"]
    told = {when(step): step.used["calls"] for step in found.steps if step.used["calls"]}
    assert told == {"Jan 2026": 1, "Feb 2026": 1, "Nov 2026": 2}
    parts = found.parts
    assert (parts.now["calls"], parts.whole["calls"], parts.before["calls"]) == (4, 2, 2)


def test_hours_are_compared_with_as_many_before(used: None, at: datetime) -> None:
    parts = figures(at, period="24h").parts
    assert (parts.now["calls"], parts.whole["calls"], parts.before["calls"]) == (6, 6, 6)


def test_cost_centres_are_the_sums_of_their_teams(used: None, at: datetime) -> None:
    lines = {line.name: line.parts.now["charge"] for line in figures(at, by="cost_centre").lines}
    assert lines == {"4711": 9 * 10**10, "no cost centre": 9 * 10**10}


def test_lines_are_in_the_order_of_what_is_asked(used: None, at: datetime) -> None:
    assert [line.name for line in figures(at, by="team").lines] == ["nobody", "berlin", "atlas"]
    assert [line.name for line in figures(at, by="model", measure="errors").lines] == ["acme/two", "acme/one"]


def test_page_shows_what_it_is_asked_for_and_escapes_names(client: Client, used: None) -> None:
    client.force_login(make_staff("root"))
    text = client.get(f"{PAGE}?period=24h&by=team&measure=calls").content.decode()
    assert "Calls over time" in text
    assert len(chart_of(text)["starts"]) == len(chart_of(text)["totals"]) == 24
    assert "as in the time before" in text
    assert "style=" not in text.partition("staff-page")[2]
    assert 'href="?period=30d&amp;by=team&amp;measure=calls"' in text


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("period=2d", "period is &#x27;2d&#x27;; use any of 1h, 24h, 7d, 30d, 90d, 12mo."),
        ("by=key", "by is &#x27;key&#x27;; use any of team, model, provider, cost_centre."),
        ("measure=", "measure is &#x27;&#x27;; use any of spend"),
        ("x=1", "&#x27;x&#x27; is no parameter of this page."),
    ],
)
def test_what_cannot_be_used_is_said(client: Client, query: str, fault: str) -> None:
    client.force_login(make_staff("root"))
    answer = client.get(f"{PAGE}?{query}")
    assert answer.status_code == 400
    assert fault in answer.content.decode()


def test_queues_show_what_waits(client: Client, at: datetime) -> None:
    team = make_team("atlas")
    for amount in (100, 79, 81, 50):
        budget = make_budget(subject=make_team(f"b{amount}"), window="lifetime", amount_usd=Decimal(100))
        Spend.objects.create(
            subject=f"team:{budget.team_id}", grain="total", starts_at=0, cost=amount * 10**10, loss=0
        )
    asked = {"team": team, "person": make_user("mary", teams=[team]), "kind": "role", "reason": "x"}
    for number, decider in enumerate(("staff", "team")):
        AccessRequest.objects.create(
            **asked, asked={}, summary=f"Asked of {decider}", fingerprint=str(number), decider=decider
        )
    Incident.objects.create(kind="incident", title="Going on", began_at=at - timedelta(hours=1))
    Incident.objects.create(kind="incident", title="Gone", began_at=at - timedelta(hours=2), ended_at=at)
    client.force_login(make_staff("root"))
    text = client.get(PAGE).content.decode()
    assert "or nearly: 2<" in text
    assert "100 %" in text
    assert "81 %" in text
    assert "Asked of staff" in text
    assert "Asked of team" not in text
    assert "Going on" in text
    assert "Gone" not in text


PARTS = {
    "accounts.view_ledgerentry": "over time",
    "accounts.view_budget": "Budgets that are spent",
    "accounts.view_accessrequest": "that wait for staff",
    "providers.view_incident": "that go on",
}


@pytest.mark.parametrize("right", PARTS)
def test_each_right_alone_shows_its_part_alone(used: None, right: str) -> None:
    text = staff_with(right).get(PAGE).content.decode().partition("staff-page")[2]
    assert {part for part in PARTS.values() if part in text} == {PARTS[right]}


def test_a_desk_sees_what_it_decides_alone(used: None) -> None:
    mary = make_user("mary")
    for number, kind in enumerate(("model", "limit")):
        AccessRequest.objects.create(
            team=Team.objects.all()[0],
            person=mary,
            kind=kind,
            asked={},
            summary=f"A {kind}, please",
            fingerprint=str(number),
            reason="x",
            decider="staff",
        )
    text = staff_with("accounts.decide_reach").get(PAGE).content.decode().partition("staff-page")[2]
    assert "A model, please" in text
    assert "A limit, please" not in text
    assert "over time" not in text


def test_whoever_keeps_the_operators_budgets_sees_no_teams(used: None) -> None:
    for subject in (Team.objects.get(slug="atlas"), OfOperator()):
        make_budget(subject=subject, window="lifetime", amount_usd=Decimal(1), is_staff=True)
    for subject in (f"team:{Team.objects.get(slug='atlas').pk}", DEPLOYMENT):
        Spend.objects.create(subject=subject, grain="total", starts_at=0, cost=10**10, loss=0)
    text = (
        staff_with("accounts.change_operators_budget").get(PAGE).content.decode().partition("staff-page")[2]
    )
    assert "or nearly: 1<" in text
    assert "Atlas" not in text


def test_nobody_else_opens_it(client: Client, used: None) -> None:
    assert staff_with("catalogue.view_model", "accounts.view_team").get(PAGE).status_code == 403
    client.force_login(make_user("mary", teams=[Team.objects.all()[0]]))
    assert client.get(PAGE).status_code == 302


@pytest.mark.parametrize(
    ("role", "parts"),
    [
        (StaffRole.CURATOR, None),
        (StaffRole.SECURITY, None),
        (StaffRole.OPERATOR, set(PARTS.values()) - {"over time"}),
        (StaffRole.SUPPORT, set(PARTS.values())),
        (StaffRole.AUDITOR, set(PARTS.values())),
    ],
)
def test_each_desk_sees_what_is_its_business(used: None, role: StaffRole, parts: set[str] | None) -> None:
    make_groups(written(PERMISSIONS))
    answer = staff_in(role).get(PAGE)
    assert answer.status_code == (403 if parts is None else 200)
    text = answer.content.decode().partition("staff-page")[2]
    assert {part for part in PARTS.values() if part in text} == (parts or set())


@pytest.mark.parametrize("period", PERIODS)
def test_times_are_told_by_their_median_and_beside_it_on_average(
    client: Client, used: None, at: datetime, period: str
) -> None:
    make_entry(make_key()[0], started_at=at - timedelta(minutes=5), latency_ms=4_000)
    rebuild_day(day_of(at))
    client.force_login(make_staff("root"))
    text = client.get(f"{PAGE}?period={period}").content.decode()
    assert re.search(r"Latency</span><b[^>]*>(200|300) ms</b><span>median; 95\s% within 4\.00 s</span>", text)
    assert re.search(r"on average \d\.\d\d s|on average \d{3} ms", text)


def test_page_takes_few_queries(client: Client, used: None, django_assert_max_num_queries: Any) -> None:
    client.force_login(make_staff("root"))
    client.get(PAGE)
    for query in ("", "?by=cost_centre", "?by=model"):
        cache.clear()
        with django_assert_max_num_queries(15):
            assert client.get(f"{PAGE}{query}").status_code == 200
