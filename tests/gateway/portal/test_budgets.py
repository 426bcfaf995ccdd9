"""Budgets on the portal's pages: what is spent, held and free of them, and setting them there."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import standings
from accounts.budgeting import make_budget
from accounts.limiting import set_limit
from accounts.models import Budget, Key, Limit, Membership, Project, ServiceAccount, Team
from accounts.money import UNITS_A_USD
from accounts.recording import record_attempts
from accounts.rights import Role
from accounts.services import OVERLAP, revoke_key, rotate_key
from gateway.core.store.interface import Limit as StoreLimit
from gateway.core.store.interface import Standing
from tests.gateway.spooling import attempt
from tests.make import make_key, make_team, make_user
from tests.pages import MOST_QUERIES

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return make_team("research", name="Research")


@pytest.fixture
def client(team: Team) -> Client:
    client = Client()
    client.force_login(make_user("mary", teams=[team], role="admin"))
    return client


@pytest.fixture
def owner(client: Client) -> Client:
    Membership.objects.update(role=Role.OWNER)
    return client


@pytest.fixture
def pages(team: Team) -> dict[str, str]:
    """Where budgets of each kind are set, by kind."""
    ServiceAccount.objects.create(team=team, slug="robot", name="Robot")
    Project.objects.create(team=team, slug="blue", name="Blue")
    return {
        "member": f"/team/members/{Membership.objects.get().pk}?team=research",
        "service_account": "/team/service-accounts/robot?team=research",
        "project": "/team/projects/blue?team=research",
    }


def typed(amount: str = "10", **more: Any) -> dict[str, Any]:
    fields = {"window": "month", "amount_usd": amount, "zone": "UTC", "mode": "balanced"} | more
    return {f"budget-{name}": value for name, value in fields.items()}


def cells(page: str, section: str = "Budgets") -> list[list[str]]:
    tables = re.findall(rf'aria-label="{section}[^"]*".*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    rows = [row for table in tables for row in table.split("</tr>")[:-1]]
    ids = [re.sub(r'<span class="id">.*?</span>', "", row, flags=re.DOTALL) for row in rows]
    plain = [re.sub(r'<span class="(unseen|hint)">[^<]*</span>', "", row) for row in ids]
    return [
        [
            unescape(re.sub(r"<[^>]+>", "", cell)).strip("\N{EN DASH} \n")
            for cell in re.split(r"</t[hd]>", row)[:-1]
        ]
        for row in plain
    ]


def spend(key: Key, cost_usd: str) -> None:
    now = timezone.now().timestamp()
    end = {"cost_usd": cost_usd, "loss_usd": "0"}
    record_attempts([attempt(end=end, started_at=now, key_id=key.pk, lineage_id=key.pk, team_id=key.team_id)])


def test_key_and_team_show_what_is_spent_and_free(client: Client, team: Team) -> None:
    key, _ = make_key(team)
    make_budget(subject=key, window="lifetime", amount_usd=Decimal(10))
    make_budget(subject=team, window="month", amount_usd=Decimal(250), refuses=False)
    spend(key, "0.1234")
    of_key = client.get(f"/keys/{key.public_id}").text
    of_team = client.get("/team/limits").text
    for text in ("$10 ever", "$0.12", "$9.88", "$250 a month", "$249.88", "only tells"):
        assert text in of_key, text
    assert "$249.88" in of_team
    assert "$10 ever" in of_team


def test_what_running_calls_hold_and_what_is_left_of_limits_is_shown(
    client: Client, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Plane(standings.Nobody):
        def standings(self, limits: Sequence[StoreLimit]) -> Sequence[Standing]:
            return [Standing(limit, 1_041, 19.0) for limit in limits]

        def held(self, subjects: Sequence[str]) -> Mapping[str, int]:
            return dict.fromkeys(subjects, 2 * UNITS_A_USD)

    monkeypatch.setattr(standings.here, "reader", Plane())
    key, _ = make_key(team)
    make_budget(subject=key, window="lifetime", amount_usd=Decimal(10))
    set_limit(subject=key, unit="tokens", window="minute", amount=2_000)
    spend(key, "1.5")
    page = client.get(f"/keys/{key.public_id}").text
    assert cells(page) == [["This key", "$10 ever", "$1.50", "$2.00", "$6.50", "never", "Change"]]
    assert cells(page, "Limits")[0][2:4] == ["959", "1,041"]
    assert "whole in 19 seconds" in page


def test_budget_of_a_key_is_made_changed_raised_and_removed(client: Client, team: Team) -> None:
    key, _ = make_key(team)
    page = f"/keys/{key.public_id}"
    given = typed(zone="Europe/Berlin", thresholds="90 50", refuses="on")
    assert "Saved." in client.post(f"{page}/budgets", given, follow=True).text
    budget = Budget.objects.get()
    assert (budget.key, budget.window, budget.amount_usd, budget.zone) == (key, "month", 10, "Europe/Berlin")
    assert (budget.thresholds, budget.refuses, budget.set_by) == ([50, 90], True, "mary")
    at = re.findall(r'href="(/team/budgets/\d+[^"]*)"', client.get(page).text)[0]
    at = unescape(at)
    answer = client.post(at, shown(client, at) | {"form": "terms", "budget-amount_usd": "12.5"}, follow=True)
    assert answer.redirect_chain[-1][0] == page
    until = timezone.now() + timedelta(days=2)
    more = {"form": "raise", "raise-usd": "2.25", "raise-until": f"{until:%Y-%m-%dT%H:%M}"}
    assert "$2.25 more until" in client.post(at, more, follow=True).text
    budget.refresh_from_db()
    assert (budget.amount_usd, budget.raise_usd) == (Decimal("12.5"), Decimal("2.25"))
    assert budget.raise_until == until.replace(second=0, microsecond=0)
    assert "End the raise now" in client.get(at).text
    asks = client.get(f"/team/budgets/{budget.pk}/end-raise").text
    assert "has $12.50 a month again, no more" in asks
    assert "DELETE http" in unescape(asks)
    client.post(f"/team/budgets/{budget.pk}/end-raise")
    budget.refresh_from_db()
    assert budget.raise_usd is None
    answer = client.post(f"/team/budgets/{budget.pk}/remove", {"key": key.public_id}, follow=True)
    assert answer.redirect_chain[-1][0] == page
    assert not Budget.objects.exists()


def shown(client: Client, address: str) -> dict[str, Any]:
    """What a browser would send of a budget's page as it stands."""
    form = client.get(address).context["terms"]
    fields: dict[str, Any] = {}
    for field in form:
        value = field.value()
        text = field.field.prepare_value(value)
        fields[field.html_name] = ("on" if value else "") if isinstance(value, bool) else text
        fields[field.html_initial_name] = fields[field.html_name]
    return {name: value for name, value in fields.items() if value not in {"", None}}


def test_only_what_a_person_changed_counts(client: Client, team: Team) -> None:
    budget = make_budget(subject=make_key(team)[0], window="day", amount_usd=Decimal(5))
    at = f"/team/budgets/{budget.pk}?team=research"
    sent = shown(client, at) | {"form": "terms", "budget-zone": "Asia/Kolkata"}
    Budget.objects.update(amount_usd=7)
    client.post(at, sent)
    budget.refresh_from_db()
    assert (budget.amount_usd, budget.zone, budget.is_active) == (7, "Asia/Kolkata", True)


def test_budget_of_a_successor_is_its_lineages(client: Client, team: Team) -> None:
    key, _ = make_key(team)
    new, _ = rotate_key(key=key, overlap=OVERLAP)
    client.post(f"/keys/{new.public_id}/budgets", typed())
    assert Budget.objects.get().key == key
    page = client.get(f"/keys/{new.public_id}").text
    assert f"key={new.public_id}" in page
    assert cells(page)[0][:2] == ["This key", "$10 a month"]


@pytest.mark.parametrize("kind", ["member", "service_account", "project"])
def test_owner_sets_limits_and_budgets_on_the_page_of_each(
    owner: Client, pages: dict[str, str], kind: str
) -> None:
    assert "own; those of the team count all the same." in owner.get(pages[kind]).text
    owner.post(pages[kind], {"form": "budget"} | typed("3"))
    limit = {"limit-unit": "requests", "limit-window": "minute", "limit-amount": "5"}
    answer = owner.post(pages[kind], {"form": "limit"} | limit, follow=True)
    assert answer.redirect_chain[-1][0] == pages[kind]
    assert (Budget.objects.get().subject_kind, Limit.objects.get().subject_kind) == (kind, kind)
    assert cells(answer.text)[0][1:5] == ["$3 a month", "$0.00", "", "$3.00"]
    assert cells(answer.text, "Limits")[0][1] == "5 requests a minute"
    gone = owner.post(f"/team/limits/{Limit.objects.get().pk}/remove", follow=True)
    assert gone.redirect_chain[-1][0] == pages[kind]
    budget = Budget.objects.get()
    assert pages[kind] in unescape(owner.get(f"/team/budgets/{budget.pk}?team=research").text)


def test_owner_sets_a_budget_of_the_team_and_of_whoever_belongs_to_it(
    owner: Client, pages: dict[str, str]
) -> None:
    page = owner.get("/team/limits").text
    subjects = re.findall(r'<option value="(\w+-\d+)"', page.partition('name="budget-subject"')[2])
    for value in subjects:
        owner.post("/team/limits", {"form": "budget"} | typed(subject=value))
    assert {budget.subject_kind for budget in Budget.objects.all()} == {"team", *pages}
    page = owner.get("/team/limits").text
    assert len(cells(page)) == 4
    for address in pages.values():
        assert f'href="{address}"' in page


def test_member_sees_budgets_of_all_and_sets_none(client: Client, team: Team, pages: dict[str, str]) -> None:
    Membership.objects.update(role=Role.MEMBER)
    mine = make_budget(subject=team, window="day", amount_usd=Decimal(5), is_staff=True)
    make_budget(subject=Membership.objects.get(), window="day", amount_usd=Decimal(5))
    assert [row[-1] for row in cells(client.get("/team/limits").text)] == ["Ask for more"] * 2
    assert client.get(f"/team/budgets/{mine.pk}").status_code == 403
    for act in ("remove", "end-raise"):
        assert client.post(f"/team/budgets/{mine.pk}/{act}").status_code == 403
    assert "Make a budget" not in client.get(pages["member"]).text
    for page in pages.values():
        assert client.post(page, {"form": "budget"} | typed(window="week")).status_code == 403
    answer = client.post("/team/limits", {"form": "budget"} | typed(subject=f"team-{team.pk}"))
    assert answer.status_code == 403
    assert Budget.objects.count() == 2


def test_admin_sets_budgets_of_all_but_the_team(client: Client, team: Team, pages: dict[str, str]) -> None:
    client.post("/team/limits", {"form": "budget"} | typed(subject=f"team-{team.pk}"))
    assert not Budget.objects.exists()
    for page in pages.values():
        client.post(page, {"form": "budget"} | typed())
    assert {budget.subject_kind for budget in Budget.objects.all()} == set(pages)


def test_budget_that_staff_set_is_lowered_and_neither_passed_loosened_nor_removed(
    owner: Client, team: Team
) -> None:
    terms: Any = {"amount_usd": Decimal(5), "most_usd": Decimal(5), "is_staff": True}
    budget = make_budget(subject=team, window="day", **terms)
    at = f"/team/budgets/{budget.pk}?team=research"
    sent = shown(owner, at) | {"form": "terms"}
    owner.post(at, sent | {"budget-amount_usd": "3", "budget-zone": "Asia/Kolkata", "budget-refuses": ""})
    budget.refresh_from_db()
    assert (budget.amount_usd, budget.zone, budget.refuses) == (3, "UTC", True)
    page = owner.post(at, sent | {"budget-amount_usd": "6"}).text
    assert re.search(r'id="id_budget-amount_usd_error"[^>]*><li>[^<]*5 at most', page)
    until = timezone.now() + timedelta(days=2)
    more = {"form": "raise", "raise-usd": "3", "raise-until": f"{until:%Y-%m-%dT%H:%M}"}
    assert "5 at most" in owner.post(at, more).text
    assert "Remove the budget" not in owner.get(at).text
    owner.post(f"/team/budgets/{budget.pk}/remove")
    assert Budget.objects.get().amount_usd == 3


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (typed("0"), "amount_usd"),
        (typed("-1"), "amount_usd"),
        (typed("NaN"), "amount_usd"),
        (typed("1e30"), "amount_usd"),
        (typed("0.00000000001"), "amount_usd"),
        (typed(zone="Mars"), "zone"),
        (typed(zone="../etc/passwd"), "zone"),
        (typed(window="year"), "window"),
        (typed(mode="loose"), "mode"),
        (typed(thresholds="0"), "thresholds"),
        (typed(thresholds="80.5"), "thresholds"),
        (typed(thresholds="1 2 3 4 5 6 7 8 9 10 11"), "thresholds"),
    ],
)
def test_budget_that_cannot_be_is_refused_at_its_field(
    client: Client, team: Team, given: dict[str, Any], field: str
) -> None:
    page = client.post(f"/keys/{make_key(team)[0].public_id}/budgets", given).text
    assert re.search(rf'id="id_budget-{field}_error"[^>]*><li>', page)
    assert not Budget.objects.exists()


@pytest.mark.parametrize(
    ("usd", "until", "field"),
    [
        ("0", "2099-01-01T00:00", "usd"),
        ("1", "2020-01-01T00:00", "until"),
        ("1", "2099-01-01T00:00", "until"),
        ("1", "soon", "until"),
    ],
)
def test_raise_that_cannot_be_is_refused_at_its_field(
    client: Client, team: Team, usd: str, until: str, field: str
) -> None:
    budget = make_budget(subject=make_key(team)[0], window="day", amount_usd=Decimal(5))
    page = client.post(
        f"/team/budgets/{budget.pk}", {"form": "raise", "raise-usd": usd, "raise-until": until}
    ).text
    assert re.search(rf'id="id_raise-{field}_error"[^>]*><li>', page)
    budget.refresh_from_db()
    assert budget.raise_usd is None


def test_second_budget_of_a_window_is_refused_with_what_to_do(client: Client, team: Team) -> None:
    key, _ = make_key(team)
    for _ in range(2):
        page = client.post(f"/keys/{key.public_id}/budgets", typed()).text
    assert "change that one" in page
    assert Budget.objects.count() == 1


def test_revoked_key_gets_no_budget(client: Client, team: Team) -> None:
    key, _ = make_key(team)
    revoke_key(key=key)
    assert client.post(f"/keys/{key.public_id}/budgets", typed()).status_code == 403
    assert "Make a budget" not in client.get(f"/keys/{key.public_id}").text


@pytest.mark.parametrize("key", ["a/b", "é", "%00", ""])
def test_page_to_go_back_to_is_one_of_a_key_whatever_was_sent(client: Client, team: Team, key: str) -> None:
    ours, _ = make_key(team)
    budget = make_budget(subject=ours, window="day", amount_usd=Decimal(5))
    limit = set_limit(subject=ours, unit="tokens", window="minute", amount=5)
    for address in (f"/team/limits/{limit.pk}/remove", f"/team/budgets/{budget.pk}/remove"):
        answer = client.post(address, {"key": key})
        assert (answer.status_code, answer["Location"]) == (302, f"/keys/{ours.public_id}")


def test_page_asks_as_many_queries_for_many_budgets_as_for_few(
    owner: Client, team: Team, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        project = Project.objects.create(team=team, slug=f"p{number}", name="P")
        make_budget(subject=project, window="day", amount_usd=Decimal(5))
    # The first page lists the session, which takes queries of its own.
    owner.get("/team/limits")
    with django_assert_max_num_queries(MOST_QUERIES):
        owner.get("/team/limits")
