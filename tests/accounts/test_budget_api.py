"""Budgets, as programs and people meet them in `/v1/budgets`."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils import timezone

from accounts.budgeting import make_budget
from accounts.models import Budget, Membership, Project, ServiceAccount, Team
from accounts.recording import record_attempts
from tests.accounts.conftest import Caller
from tests.gateway.spooling import attempt
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db
KINDS = ["key", "member", "service_account", "project", "team"]


@pytest.fixture
def named(team: Team) -> dict[str, str]:
    """One of each kind in the team, by how it is named."""
    make_user("mary", teams=[team])
    ServiceAccount.objects.create(team=team, slug="robot", name="Robot")
    Project.objects.create(team=team, slug="blue", name="Blue")
    key = make_key(team)[0].public_id
    return {"key": key, "member": "mary", "service_account": "robot", "project": "blue", "team": team.slug}


class Person:
    """Somebody of the team who is signed in."""

    def __init__(self, team: Team, role: str) -> None:
        self.client = Client()
        self.client.force_login(make_user(f"the-{role}", teams=[team]))
        Membership.objects.filter(user__username=f"the-{role}").update(role=role)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        content = b"" if body is None else orjson.dumps(body)
        return self.client.generic(method, path, content, "application/json")


@pytest.fixture
def boss(team: Team) -> Person:
    return Person(team, "owner")


def budget_of(kind: str, name: str, **terms: Any) -> dict[str, Any]:
    return {"subject": kind, "subject_id": name, "window": "month", "amount_usd": "10"} | terms


@pytest.mark.parametrize("kind", KINDS)
def test_budget_is_made_once_told_changed_raised_and_removed(
    boss: Person, named: dict[str, str], kind: str
) -> None:
    given = budget_of(kind, named[kind])
    answers = [boss.call("POST", "/v1/budgets", given) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    made = answers[0].json()
    assert {name: made[name] for name in given} == given
    assert (made["spent_usd"], made["left_usd"], made["zone"], made["set_by"]) == (
        "0",
        "10",
        "UTC",
        "the-owner",
    )
    at = f"/v1/budgets/{made['id']}"
    assert boss.call("GET", at).json() == made == boss.call("GET", "/v1/budgets").json()["data"][0]
    changed = boss.call(
        "PATCH", at, {"amount_usd": "12.5", "zone": "Asia/Kolkata", "thresholds": [50]}
    ).json()
    assert (changed["amount_usd"], changed["zone"], changed["thresholds"]) == ("12.5", "Asia/Kolkata", [50])
    until = (timezone.now() + timedelta(hours=1)).isoformat()
    raised = boss.call("POST", f"{at}/raise", {"raise_usd": "2", "raise_until": until}).json()
    assert (raised["amount_usd"], raised["raise_usd"], raised["left_usd"]) == ("12.5", "2", "14.5")
    assert boss.call("DELETE", f"{at}/raise").status_code == 204
    assert boss.call("GET", at).json()["raise_usd"] is None
    assert boss.call("DELETE", at).status_code == 204
    assert boss.call("GET", at).status_code == 404


def test_budget_tells_what_is_spent_and_left_of_its_window(boss: Person, team: Team) -> None:
    now = timezone.now().timestamp()
    spent = {"cost_usd": "3.25", "loss_usd": "0"}
    record_attempts([attempt(end=spent, started_at=now, lineage_id=9, team_id=team.pk)])
    for window in ("day", "lifetime"):
        boss.call("POST", "/v1/budgets", budget_of("team", team.slug, window=window, amount_usd="3"))
    day, ever = boss.call("GET", "/v1/budgets").json()["data"]
    assert [(each["spent_usd"], each["left_usd"]) for each in (day, ever)] == [("3.25", "0")] * 2
    assert day["window_start"] < day["resets_at"]
    assert (ever["window_start"], ever["resets_at"]) == (None, None)


@pytest.mark.parametrize(
    ("terms", "param"),
    [
        ({"amount_usd": "0"}, "amount_usd"),
        ({"amount_usd": "-1"}, "amount_usd"),
        ({"amount_usd": "0.00000000001"}, "amount_usd"),
        ({"amount_usd": "ten"}, "amount_usd"),
        ({"amount_usd": "NaN"}, "amount_usd"),
        ({"window": "year"}, "window"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"thresholds": [0]}, "thresholds"),
        ({"thresholds": [90, 80]}, "thresholds"),
        ({"mode": "lax"}, "mode"),
        ({"subject": "provider"}, "subject"),
        ({"subject_id": "nobody"}, "subject_id"),
        ({"most_usd": "1"}, "most_usd"),
        ({"mood": "good"}, "mood"),
    ],
)
def test_wrong_term_is_refused_by_its_name(
    boss: Person, named: dict[str, str], terms: dict[str, Any], param: str
) -> None:
    answer = boss.call("POST", "/v1/budgets", budget_of("project", "blue") | terms)
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["param"].partition(".")[0] == param
    assert not Budget.objects.exists()


def test_budget_of_other_terms_is_a_conflict(boss: Person, named: dict[str, str]) -> None:
    boss.call("POST", "/v1/budgets", budget_of("project", "blue"))
    answer = boss.call("POST", "/v1/budgets", budget_of("project", "blue", amount_usd="11"))
    assert (answer.status_code, answer.json()["error"]["param"]) == (409, "amount_usd")


def test_budgets_of_another_team_are_not_found(call: Caller, manager: str) -> None:
    foreign = make_budget(subject=make_team("other"), window="day", amount_usd=Decimal(1))
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"amount_usd": "2"}),
        ("DELETE", "", None),
        ("POST", "/raise", {"raise_usd": "1", "raise_until": "2099-01-01T00:00:00Z"}),
    ):
        assert call(method, f"/v1/budgets/{foreign.pk}{path}", manager, body).status_code == 404
    assert call("GET", "/v1/budgets", manager).json()["total"] == 0


def test_of_the_team_and_its_people_owners_decide(call: Caller, manager: str, named: dict[str, str]) -> None:
    for kind, expected in (("team", 403), ("member", 403), ("key", 201), ("project", 201)):
        assert call("POST", "/v1/budgets", manager, budget_of(kind, named[kind])).status_code == expected, (
            kind
        )


def test_budget_of_staff_may_be_lowered_and_not_removed(boss: Person, team: Team) -> None:
    most = Decimal(5)
    budget = make_budget(subject=team, window="day", amount_usd=most, most_usd=most, is_staff=True)
    at = f"/v1/budgets/{budget.pk}"
    assert boss.call("PATCH", at, {"amount_usd": "6"}).json()["error"]["param"] == "amount_usd"
    assert boss.call("PATCH", at, {"refuses": False}).json()["error"]["param"] == "refuses"
    assert boss.call("DELETE", at).status_code == 400
    assert boss.call("PATCH", at, {"amount_usd": "4"}).json()["amount_usd"] == "4"


def test_list_is_narrowed_by_subject(boss: Person, named: dict[str, str]) -> None:
    for kind in KINDS:
        boss.call("POST", "/v1/budgets", budget_of(kind, named[kind]))
    found = boss.call("GET", "/v1/budgets?subject=project&subject_id=blue").json()
    assert [(each["subject"], each["subject_id"]) for each in found["data"]] == [("project", "blue")]
    assert boss.call("GET", "/v1/budgets?subject_id=blue").status_code == 400
