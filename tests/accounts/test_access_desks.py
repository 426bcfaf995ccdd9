"""Desks of staff and what their members ask for: each decides its own kinds, with its group and nothing else."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from accounts.access_desks import deciders_of
from accounts.access_requests import ask, ask_second, decide, end
from accounts.acting import Acting
from accounts.budgeting import OfOperator, make_budget
from accounts.limiting import set_limit
from accounts.models import AccessRequest, Alert, Budget, Limit, Membership, Team, User
from accounts.rights import RIGHTS, Role
from accounts.staff_groups import make_groups
from accounts.staff_roles import PERMISSIONS, StaffRole, written
from gateway.core.refusals import Refused
from tests.make import make_membership, make_team, make_user

pytestmark = pytest.mark.django_db
QUEUE = "/admin/accounts/accessrequest/"
LIMIT = {"subject": "team", "unit": "requests", "window": "minute", "amount": 120}
BUDGET = {"subject": "team", "window": "month", "raise_usd": "50"}
DECIDERS = {
    "limit": StaffRole.SUPPORT,
    "budget": StaffRole.SUPPORT,
    "provider": StaffRole.OPERATOR,
    "model": StaffRole.OPERATOR,
}


@pytest.fixture
def team() -> Team:
    team = make_team("research", provider_patterns=["acme"], model_patterns=["acme/one"])
    set_limit(subject=team, unit="requests", window="minute", amount=60, most=60, is_staff=True)
    make_budget(subject=team, window="month", amount_usd=Decimal(100))
    Budget.objects.update(most_usd=Decimal(100))
    return team


@pytest.fixture
def mary(team: Team) -> Membership:
    return make_membership(team, make_user("mary"))


@pytest.fixture(autouse=True)
def desks() -> None:
    make_groups(written(PERMISSIONS))


def at(role: StaffRole, name: str = "") -> User:
    person = User.objects.create(
        username=name or role.value, email=f"{role.value}@example.com", is_staff=True
    )
    person.groups.add(Group.objects.get(name=role.value))
    return User.objects.get(pk=person.pk)


def asked(by: Membership, kind: str) -> AccessRequest:
    terms = {
        "limit": LIMIT,
        "budget": BUDGET,
        "provider": {"provider": "zeta"},
        "model": {"model": "acme/two"},
    }
    here = Acting(by.user, by.team, by, RIGHTS[Role(by.role)])
    return ask(kind=kind, asked=terms.get(kind, {"role": "admin"}), reason="The backfill", by=here)[0]


@pytest.mark.parametrize("role", StaffRole)
@pytest.mark.parametrize("kind", ["limit", "budget", "provider", "model", "role"])
def test_each_desk_decides_its_kinds_and_no_other(mary: Membership, kind: str, role: StaffRole) -> None:
    request, person = asked(mary, kind), at(role)
    if DECIDERS.get(kind) is not role:
        for grants in (True, False):
            with pytest.raises(Refused) as refusal:
                decide(request=request, grants=grants, by=person)
            assert refusal.value.code == "permission_required"
        return
    decide(request=request, grants=True, by=person)
    assert request.state == "granted"
    end(request=request, by=person)
    assert request.state == "ended"


def test_only_the_desk_whose_it_is_is_mailed(mary: Membership) -> None:
    people = {role: at(role).pk for role in StaffRole}
    assert deciders_of(asked(mary, "limit")) == {people[StaffRole.SUPPORT]}
    assert Alert.objects.get(kind="request.for_staff").people == [people[StaffRole.SUPPORT]]
    assert deciders_of(asked(mary, "provider")) == {people[StaffRole.OPERATOR]}


def test_raise_above_the_bound_takes_two_at_the_desk(mary: Membership, settings: Any) -> None:
    settings.RAISE_ALONE_MOST_USD = Decimal(10)
    request, sue, sam = asked(mary, "budget"), at(StaffRole.SUPPORT, "sue"), at(StaffRole.SUPPORT, "sam")
    decide(request=request, grants=True, by=sue)
    assert request.state == "open"
    with pytest.raises(Refused, match="second person"):
        decide(request=request, grants=True, by=sue)
    decide(request=request, grants=True, by=sam)
    assert (request.state, Budget.objects.get().amount_usd) == ("granted", 150)


def test_operators_raise_of_a_provider_is_granted_by_another_operator() -> None:
    budget = make_budget(subject=OfOperator(), window="day", amount_usd=Decimal(1), is_staff=True)
    olga, omar, sue = (
        at(role, name)
        for role, name in [
            (StaffRole.OPERATOR, "olga"),
            (StaffRole.OPERATOR, "omar"),
            (StaffRole.SUPPORT, "sue"),
        ]
    )
    changes = {"amount_usd": Decimal(9)}
    request, _ = ask_second(budget=budget, changes=changes, reason="Black Friday", person=olga)
    for person in (olga, sue):
        with pytest.raises(Refused):
            decide(request=request, grants=True, by=person)
    decide(request=request, grants=True, by=omar)
    budget.refresh_from_db()
    assert budget.amount_usd == 9


def test_queue_of_a_desk_has_its_requests_alone(mary: Membership) -> None:
    limit, provider = asked(mary, "limit"), asked(mary, "provider")
    client = Client()
    client.force_login(at(StaffRole.OPERATOR))
    page = client.get(QUEUE).text
    assert provider.summary in page
    assert limit.summary not in page
    assert client.get(f"{QUEUE}{limit.pk}/change/").status_code == 302
    client.post(f"{QUEUE}{limit.pk}/change/", {"decision": "grant", "note": ""})
    client.post(QUEUE, {"_selected_action": [limit.pk, provider.pk], "action": "grant_selected"})
    assert dict(AccessRequest.objects.values_list("kind", "state")) == {
        "limit": "open",
        "provider": "granted",
    }
    assert "/admin/accounts/accessrequest/" in client.get("/admin/").text


def test_support_grants_on_the_page_and_looks_at_the_rest(mary: Membership) -> None:
    limit, provider = asked(mary, "limit"), asked(mary, "provider")
    client = Client()
    client.force_login(at(StaffRole.SUPPORT))
    assert client.get(f"{QUEUE}{provider.pk}/change/").status_code == 200
    for row in (limit, provider):
        client.post(
            f"{QUEUE}{row.pk}/change/", {"decision": "grant", "note": "", "until_0": "", "until_1": ""}
        )
    assert dict(AccessRequest.objects.values_list("kind", "state")) == {
        "limit": "granted",
        "provider": "open",
    }
    assert Limit.objects.get().amount == 120
