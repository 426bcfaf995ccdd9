"""Notices: what needs somebody, whom it is told, and where it leads; and the first steps of a new team."""

from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client

from accounts.budgeting import make_budget
from accounts.models import AccessRequest, Key, Membership, Team
from catalogue.models import Model
from providers.breaker_models import Incident
from tests.gateway.portal.overview.conftest import NOON, Record
from tests.make import (
    make_key,
    make_membership,
    make_model,
    make_offering,
    make_price,
    make_provider,
    make_published,
    make_team,
    make_user,
    publish_all,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]
DAY = timedelta(days=1)


def told(client: Client, part: str = "notices") -> str:
    text = unescape(client.get("/overview?team=atlas").content.decode())
    return " ".join(text.partition(f'id="{part}"')[2].partition("</section>")[0].split())


def ending(slug: str = "one", **dates: Any) -> Model:
    return make_published(f"acme/{slug}", **dates)


def test_model_in_use_that_ends_is_told_with_its_successor_and_what_that_costs(
    owner: Client, used: Record, team: Team
) -> None:
    team.charge_factor = Decimal("0.5")
    team.save()
    successor = make_model("acme/two")
    offering = make_offering(successor)
    make_price(offering, "input_text_tokens", "3")
    make_price(offering, "output_text_tokens", "10")
    ending(deprecation_at=NOON - DAY, retirement_at=NOON + 20 * DAY, successor=successor)
    publish_all()
    used("4", tokens=(1_000_000, 100_000))
    used("1", tokens=(1_000_000, 100_000), at=NOON - 40 * DAY)
    found = told(owner)
    assert "Deprecated on " in found
    assert "You spent $4.00 on it in 30 days" in found
    assert "the same at the prices of acme/two comes to about $2.00" in found
    assert 'href="?team=atlas&model=acme/one&by=key"' in found


@pytest.mark.parametrize(
    ("dates", "is_told"),
    [
        ({}, False),
        ({"retirement_at": NOON + 91 * DAY}, False),
        ({"retirement_at": NOON + 90 * DAY}, True),
        ({"deprecation_at": NOON + DAY}, False),
        ({"deprecation_at": NOON}, True),
        ({"retirement_at": NOON - DAY}, True),
    ],
)
def test_ends_are_told_from_three_months_before(
    owner: Client, used: Record, dates: dict[str, Any], is_told: bool
) -> None:
    ending(**dates)
    used()
    assert ("acme/one" in told(owner)) == is_told


def test_ends_of_models_that_are_not_used_are_nobodys_news(owner: Client, used: Record) -> None:
    ending(retirement_at=NOON + DAY)
    used(model="acme/other")
    used(model="acme/one", at=NOON - 31 * DAY)
    assert "Nothing does" in told(owner)


def test_incident_is_told_to_those_who_called_there_and_not_by_others_credentials(
    owner: Client, used: Record
) -> None:
    provider = make_provider("borealis", name="Borealis")
    offering = make_offering(make_model("acme/one"), provider)
    event = {"provider": provider, "offering": offering, "cause": "failures", "began_at": NOON - DAY}
    open_one = Incident.objects.create(way=f"{offering.pk}:77", **event)
    used(model="acme/one", provider="borealis")
    assert "Nothing does" in told(owner)
    open_one.way = str(offering.pk)
    open_one.save()
    found = told(owner)
    assert "acme/one</bdi> at <bdi>Borealis" in found
    assert "provider=borealis&model=acme/one&measure=errors" in found
    open_one.ended_at = NOON
    open_one.save()
    assert "Nothing does" in told(owner)


def test_incident_elsewhere_is_nobodys_news(owner: Client, used: Record) -> None:
    offering = make_offering(make_model("acme/two"), make_provider("borealis"))
    event = {"provider": offering.provider, "offering": offering, "cause": "failures", "began_at": NOON}
    Incident.objects.create(way=str(offering.pk), **event)
    used(model="acme/one", provider="borealis")
    assert "Nothing does" in told(owner)


def key_of(team: Team, name: str, **columns: Any) -> Key:
    key, _ = make_key(team, name)
    Key.objects.filter(pk=key.pk).update(created_at=NOON - 100 * DAY, **columns)
    return key


def test_keys_that_end_are_told_newest_news_first(owner: Client, team: Team, used: Record) -> None:
    used()
    key_of(team, "ends soon", expires_at=NOON + 3 * DAY)
    key_of(team, "ends later", expires_at=NOON + 8 * DAY)
    key_of(team, "lies about", unused_told_at=NOON - DAY)
    gone = make_membership(team, make_user("who-left"))
    make_key(team, "left", owner=gone.user)
    Membership.objects.filter(pk=gone.pk).update(suspended_at=NOON)
    found = told(owner)
    places = [found.index(f"<bdi>{name}</bdi>") for name in ("lies about", "ends soon", "left")]
    assert places == sorted(places)
    assert "ends later" not in found
    assert "left behind by <bdi>who-left</bdi>" in found


def test_members_are_told_of_their_own_keys_alone_and_viewers_of_none(
    client: Client, team: Team, used: Record
) -> None:
    used()
    ann, vera = make_user("ann", teams=[team]), make_user("vera", teams=[team], role="viewer")
    key_of(team, "of all", expires_at=NOON + DAY)
    own = key_of(team, "of ann", expires_at=NOON + DAY)
    Key.objects.filter(pk=own.pk).update(owner=ann)
    client.force_login(ann)
    found = told(client)
    assert "of ann" in found
    assert "of all" not in found
    client.force_login(vera)
    assert "of a" not in told(client)


def test_requests_are_told_to_those_who_decide_and_not_to_who_asked(
    owner: Client, team: Team, used: Record
) -> None:
    used()
    ann = make_user("ann", teams=[team], role="admin")
    facts = {"team": team, "kind": "role", "asked": {}, "summary": "The role owner", "reason": "x"}
    AccessRequest.objects.create(person=ann, fingerprint="x", decider="team", **facts)
    AccessRequest.objects.create(person=ann, fingerprint="y", decider="staff", **facts)
    assert told(owner).count("<bdi>ann</bdi> asked") == 1
    owner.force_login(ann)
    assert "asked" not in told(owner)


def test_another_teams_keys_requests_and_budgets_are_not_told(owner: Client, used: Record) -> None:
    used()
    other = make_team("other", name="Other")
    key_of(other, "theirs", expires_at=NOON + DAY)
    spy = make_user("spy", teams=[other])
    facts = {"kind": "role", "asked": {}, "summary": "Theirs", "reason": "x", "fingerprint": "x"}
    AccessRequest.objects.create(team=other, person=spy, decider="team", **facts)
    make_budget(subject=other, window="day", amount_usd=Decimal(5), is_staff=True)
    assert "Nothing does" in told(owner)
    assert "No budget is set" in told(owner, "budgets")


# Budgets


def test_budget_tells_the_day_on_which_it_ends(owner: Client, team: Team, used: Record) -> None:
    for day in range(7):
        used("10", at=NOON - day * DAY)
    make_budget(subject=team, window="month", amount_usd=Decimal(100), is_staff=True)
    make_budget(subject=team, window="lifetime", amount_usd=Decimal(1000), is_staff=True)
    make_budget(subject=Membership.objects.get(), window="day", amount_usd=Decimal(1))
    found = told(owner, "budgets")
    assert "$70.00 spent, $30.00 left. At the pace of the last 7 days it ends on <strong>13 Jun 2026" in found
    assert "it ends on <strong>11 Sep 2026" in found
    assert "Nothing was spent in the last 7 days" in found
    assert 'width="70.0%"' in found


def test_budget_that_lasts_tells_what_will_be_spent(owner: Client, team: Team, used: Record) -> None:
    used("7", at=NOON - 2 * DAY)
    make_budget(subject=team, window="month", amount_usd=Decimal(100), is_staff=True)
    assert "about $27.50 by the end of its window" in told(owner, "budgets")


def test_days_of_a_budget_are_those_of_its_zone(owner: Client, team: Team, used: Record) -> None:
    used("7")
    make_budget(subject=team, window="month", amount_usd=Decimal(9), zone="Asia/Tokyo", is_staff=True)
    assert "Begins anew on 1 Jul 2026." in told(owner, "budgets")


def test_budget_that_is_used_up_says_so(owner: Client, team: Team, used: Record) -> None:
    used("7")
    make_budget(subject=team, window="month", amount_usd=Decimal(7), is_staff=True)
    assert "<strong>Used up</strong>: calls are refused until 1 Jul 2026." in told(owner, "budgets")


def test_most_urgent_budgets_come_first_and_the_rest_is_counted(
    owner: Client, team: Team, used: Record
) -> None:
    used("7")
    for place, window in enumerate(("day", "week", "month", "lifetime")):
        make_budget(subject=team, window=window, amount_usd=Decimal(1_000 - place), is_staff=True)
        make_budget(subject=Membership.objects.get(), window=window, amount_usd=Decimal(1))
    found = told(owner, "budgets")
    assert found.count("<li>") == 6
    assert "2 more" in found


# A new team


def start(client: Client, query: str = "") -> Any:
    return client.get(f"/overview/start?team=atlas{query}")


def test_new_team_is_led_to_its_first_call(owner: Client) -> None:
    page = unescape(owner.get("/overview?team=atlas").content.decode())
    assert "Start here" in page
    assert 'id="usage"' not in page
    assert "/v1/chat/completions" in page
    assert 'hx-get="/overview/start?team=atlas&done=0"' in page


def test_steps_tick_themselves_off(owner: Client, team: Team, used: Record) -> None:
    assert start(owner, "&done=0").status_code == 204
    make_key(team)
    assert start(owner, "&done=0").content.decode().count('class="done"') == 1
    assert start(owner, "&done=1").status_code == 204
    used(outcome="failed")
    assert start(owner, "&done=1").content.decode().count('class="done"') == 2
    assert start(owner, "&done=2").status_code == 204
    used()
    last = start(owner, "&done=2").content.decode()
    assert last.count('class="done"') == 3
    assert "hx-get" not in last
    assert "Show it" in last


def test_viewer_of_a_new_team_is_not_asked_to_make_a_key(client: Client, team: Team) -> None:
    client.force_login(make_user("vera", teams=[team], role="viewer"))
    page = client.get("/overview?team=atlas").content.decode()
    assert "ask a member of the team" in page
    assert "Create a key" not in page


def test_team_that_used_something_long_ago_is_not_new(owner: Client, used: Record) -> None:
    used(at=NOON - 900 * DAY)
    page = owner.get("/overview?team=atlas").content.decode()
    assert "Start here" not in page
    assert "Nothing was used in this time" in page


def test_somebody_without_a_team_is_told_so(client: Client) -> None:
    client.force_login(make_user("alone"))
    assert client.get("/overview").status_code == 200
