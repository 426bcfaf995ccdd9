"""Access requests: asked, decided once, applied by the services that make such changes, and ended."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import access_requests
from accounts.access_requests import ask, ask_second, decide, end, end_due, withdraw
from accounts.access_terms import describe, is_teams_decision, needs_second, read_asked
from accounts.acting import Acting
from accounts.alerts.delivering import send_due
from accounts.alerts.spreading import spread_new
from accounts.budgeting import make_budget
from accounts.limiting import set_limit
from accounts.memberships import KeysThen, end_grants, leave
from accounts.models import AccessRequest, Alert, Budget, Key, Limit, Membership, Team, User
from accounts.rights import RIGHTS, Role
from gateway.core.refusals import InvalidField, Refused
from tests.make import make_key, make_membership, make_team, make_user

pytestmark = pytest.mark.django_db
WHY = "The backfill of October"


def acting(member: Membership) -> Acting:
    return Acting(member.user, member.team, member, RIGHTS[Role(member.role)])


@pytest.fixture
def team() -> Team:
    return make_team("research")


@pytest.fixture
def mary(team: Team) -> Membership:
    return make_membership(team, make_user("mary", email="mary@example.com"))


@pytest.fixture
def ann(team: Team) -> Membership:
    return make_membership(team, make_user("ann", email="ann@example.com"), role="owner")


def support(name: str, *permissions: str) -> User:
    person = User.objects.create(username=name, is_staff=True)
    for codename in ("change_accessrequest", *permissions):
        person.user_permissions.add(Permission.objects.get(codename=codename))
    return User.objects.get(pk=person.pk)


def asked_limit(team: Team, amount: int = 120) -> dict[str, Any]:
    return {"subject": "team", "unit": "requests", "window": "minute", "amount": amount}


def asked(by: Membership, kind: str, terms: dict[str, Any], **more: Any) -> AccessRequest:
    return ask(kind=kind, asked=terms, reason=WHY, by=acting(by), **more)[0]


@pytest.mark.parametrize(
    ("kind", "is_of_key", "wanted", "most", "is_teams"),
    [
        ("role", False, 0, None, True),
        ("model", True, 0, None, True),
        ("model", False, 0, None, False),
        ("provider", True, 0, None, True),
        ("provider", False, 0, None, False),
        ("limit", False, 100, None, True),
        ("limit", False, 100, 100, True),
        ("limit", False, 101, 100, False),
        ("budget", False, Decimal(10), Decimal(10), True),
        ("budget", False, Decimal("10.01"), Decimal(10), False),
    ],
)
def test_whose_decision_it_is(kind: str, is_of_key: bool, wanted: Any, most: Any, is_teams: bool) -> None:
    assert is_teams_decision(kind, is_of_key=is_of_key, wanted=wanted, most=most) is is_teams


@pytest.mark.parametrize(
    ("more", "most", "needed"),
    [
        (Decimal(100), None, False),
        (None, None, False),
        (Decimal(100), Decimal(100), False),
        (Decimal("100.01"), Decimal(100), True),
        (None, Decimal(100), True),
        (Decimal("0.01"), Decimal(0), True),
    ],
)
def test_second_person_is_needed_above_the_bound(more: Any, most: Any, needed: bool) -> None:
    assert needs_second(more, most) is needed


@pytest.mark.parametrize(
    ("kind", "terms", "field"),
    [
        ("wish", {}, "kind"),
        ("role", {}, "role"),
        ("role", {"role": "king"}, "role"),
        ("role", {"role": "owner", "colour": "red"}, "colour"),
        ("model", {"model": "a b"}, "model"),
        ("model", {"model": ["acme/one"]}, "model"),
        ("limit", {"subject": "key", "subject_id": "x" * 201, "unit": "a", "amount": 1}, "subject_id"),
        ("provider", {"provider": "acme", "key": 7}, "key"),
        ("limit", {"subject": "team", "unit": "requests", "amount": 5}, "window"),
        ("limit", {"subject": "team", "unit": "requests", "window": "minute", "amount": True}, "amount"),
        ("limit", {"subject": "team", "unit": "requests", "window": "minute", "amount": -1}, "amount"),
        ("limit", {"subject": "cat", "unit": "requests", "window": "minute", "amount": 1}, "subject"),
        ("limit", {"subject": "key", "unit": "requests", "window": "minute", "amount": 1}, "subject_id"),
        ("budget", {"subject": "team", "window": "year", "raise_usd": "5"}, "window"),
        ("budget", {"subject": "team", "window": "month", "raise_usd": "much"}, "raise_usd"),
        ("budget", {"subject": "team", "window": "month", "raise_usd": "NaN"}, "raise_usd"),
        ("budget", {"subject": "team", "window": "month", "raise_usd": "-5"}, "raise_usd"),
    ],
)
def test_terms_that_cannot_be_are_told_by_their_field(kind: str, terms: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as fault:
        read_asked(kind, terms)
    assert fault.value.field == field


def test_same_terms_in_other_spellings_are_one() -> None:
    spelt = {"subject": "team", "subject_id": "research", "window": "month", "raise_usd": "50.00"}
    assert read_asked("budget", spelt) == {"subject": "team", "window": "month", "raise_usd": "50"}
    assert describe("budget", read_asked("budget", spelt)) == "$50 more a month for all of the team"


def test_role_is_granted_beside_the_others_until_its_time(mary: Membership, ann: Membership) -> None:
    until = timezone.now() + timedelta(days=1)
    request = asked(mary, "role", {"role": "admin"}, until=until)
    assert request.decider == "team"
    decide(request=request, grants=True, by=acting(ann))
    mary.refresh_from_db()
    assert (mary.role, mary.grants.get(source="request").origin) == ("admin", request.public_id)
    at = until + timedelta(seconds=1)
    assert end_grants(at) == 1
    mary.refresh_from_db()
    assert mary.role == "member"


def test_grant_that_is_over_is_told_and_taken_back(mary: Membership, ann: Membership) -> None:
    request = asked(mary, "role", {"role": "admin"}, until=timezone.now() + timedelta(days=1))
    decide(request=request, grants=True, by=acting(ann))
    assert end_due(timezone.now()) == 0
    AccessRequest.objects.update(until=timezone.now())
    assert (end_due(timezone.now()), end_due(timezone.now())) == (1, 0)
    request.refresh_from_db()
    mary.refresh_from_db()
    assert (request.state, mary.role) == ("ended", "member")
    assert Alert.objects.get(kind="request.ended").people == [mary.user_id]


def test_role_that_is_no_higher_is_no_request(mary: Membership) -> None:
    with pytest.raises(InvalidField, match="You are member of Research already"):
        asked(mary, "role", {"role": "viewer"})


def test_admin_grants_no_owner(team: Team, mary: Membership) -> None:
    admin = make_membership(team, role="admin")
    request = asked(mary, "role", {"role": "owner"})
    with pytest.raises(Refused, match="Only an owner"):
        decide(request=request, grants=True, by=acting(admin))
    request.refresh_from_db()
    assert request.state == "open"


def test_member_decides_nothing(team: Team, mary: Membership) -> None:
    other = make_membership(team)
    request = asked(mary, "role", {"role": "admin"})
    with pytest.raises(Refused) as refusal:
        decide(request=request, grants=False, by=acting(other))
    assert refusal.value.code == "role_required"


def test_nobody_decides_their_own(ann: Membership, team: Team) -> None:
    make_key(team, "batch", model_patterns=["acme/two"])
    key = Key.objects.get()
    request = asked(ann, "model", {"model": "acme/one", "key": key.public_id})
    with pytest.raises(Refused) as refusal:
        decide(request=request, grants=True, by=acting(ann))
    assert refusal.value.code == "own_request"


def test_model_of_a_key_is_listed_there_and_taken_back(team: Team, mary: Membership, ann: Membership) -> None:
    key, _ = make_key(team, "batch", model_patterns=["acme/two"])
    request = asked(mary, "model", {"model": "acme/one", "key": key.public_id})
    decide(request=request, grants=True, by=acting(ann))
    key.refresh_from_db()
    assert (request.decider, key.model_patterns) == ("team", ["acme/two", "acme/one"])
    end(request=request, by=acting(ann))
    key.refresh_from_db()
    assert key.model_patterns == ["acme/two"]


def test_last_pattern_of_a_list_is_denied_in_place_of_opening_everything(
    team: Team, mary: Membership, ann: Membership
) -> None:
    key, _ = make_key(team, "batch", model_patterns=["acme/two"])
    request = asked(mary, "model", {"model": "acme/one", "key": key.public_id})
    decide(request=request, grants=True, by=acting(ann))
    Key.objects.update(model_patterns=["acme/one"])
    end(request=request, by=acting(ann))
    key.refresh_from_db()
    assert (key.model_patterns, key.denied_model_patterns) == (["acme/one"], ["acme/one"])


def test_models_and_providers_of_the_whole_team_are_staffs(
    team: Team, mary: Membership, ann: Membership
) -> None:
    Team.objects.update(provider_patterns=["acme"])
    team.refresh_from_db()
    request = asked(Membership.objects.get(pk=mary.pk), "provider", {"provider": "zeta"})
    assert request.decider == "staff"
    with pytest.raises(Refused) as refusal:
        decide(request=request, grants=True, by=acting(ann))
    assert refusal.value.code == "staff_required"
    decide(request=request, grants=True, by=support("sue", "change_team"))
    team.refresh_from_db()
    assert team.provider_patterns == ["acme", "zeta"]


@pytest.mark.parametrize(
    ("of_team", "of_key", "terms"),
    [
        ({}, {}, {"model": "acme/one", "key": ""}),
        ({"model_patterns": ["zeta/*"]}, {"model_patterns": ["zeta/a"]}, {"model": "acme/one", "key": ""}),
        ({"denied_model_patterns": ["acme/*"]}, {"model_patterns": ["b"]}, {"model": "acme/one", "key": ""}),
        ({}, {}, {"model": "acme/one"}),
        ({"model_patterns": ["acme/*"]}, {}, {"model": "acme/one"}),
    ],
)
def test_what_a_list_does_not_bar_is_no_request(
    of_team: dict[str, Any], of_key: dict[str, Any], terms: dict[str, Any]
) -> None:
    team = make_team("bars", **of_team)
    member = make_membership(team)
    key, _ = make_key(team, "batch", **of_key)
    given = terms | ({"key": key.public_id} if "key" in terms else {})
    with pytest.raises(InvalidField):
        asked(member, "model", given)


def test_limit_within_what_staff_allow_is_the_teams(team: Team, mary: Membership, ann: Membership) -> None:
    limit = set_limit(subject=team, unit="requests", window="minute", amount=60, most=120, is_staff=True)
    request = asked(mary, "limit", asked_limit(team))
    assert request.decider == "team"
    decide(request=request, grants=True, by=acting(ann))
    limit.refresh_from_db()
    assert (limit.amount, limit.most) == (120, 120)
    end(request=request, by=acting(ann))
    limit.refresh_from_db()
    assert (limit.amount, limit.most) == (60, 120)


def test_limit_beyond_that_is_staffs_and_goes_back(team: Team, mary: Membership, ann: Membership) -> None:
    limit = set_limit(subject=team, unit="requests", window="minute", amount=60, most=100, is_staff=True)
    request = asked(mary, "limit", asked_limit(team))
    assert request.decider == "staff"
    sue = support("sue", "change_limit")
    decide(request=request, grants=True, by=sue)
    limit.refresh_from_db()
    assert (limit.amount, limit.most) == (120, 120)
    end(request=request, by=sue)
    limit.refresh_from_db()
    assert (limit.amount, limit.most) == (60, 100)


def test_ceiling_that_came_meanwhile_binds_who_decides(team: Team, mary: Membership, ann: Membership) -> None:
    set_limit(subject=team, unit="requests", window="minute", amount=60)
    request = asked(mary, "limit", asked_limit(team))
    Limit.objects.update(most=100)
    with pytest.raises(InvalidField, match="staff allow this limit to be 100"):
        decide(request=request, grants=True, by=acting(ann))
    request.refresh_from_db()
    assert request.state == "open"


def test_grants_upon_grants_end_at_what_was_before_them(
    team: Team, mary: Membership, ann: Membership
) -> None:
    limit = set_limit(subject=team, unit="requests", window="minute", amount=60)
    first, second = asked(mary, "limit", asked_limit(team)), asked(mary, "limit", asked_limit(team, 200))
    for request in (first, second):
        decide(request=request, grants=True, by=acting(ann))
    end(request=first, by=acting(ann))
    limit.refresh_from_db()
    assert limit.amount == 200
    end(request=second, by=acting(ann))
    limit.refresh_from_db()
    assert limit.amount == 60


def test_amount_that_somebody_set_since_stays(team: Team, mary: Membership, ann: Membership) -> None:
    limit = set_limit(subject=team, unit="requests", window="minute", amount=60)
    request = asked(mary, "limit", asked_limit(team))
    decide(request=request, grants=True, by=acting(ann))
    set_limit(subject=team, unit="requests", window="minute", amount=90)
    end(request=request, by=acting(ann))
    limit.refresh_from_db()
    assert limit.amount == 90


def test_without_a_limit_there_is_nothing_to_raise(team: Team, mary: Membership) -> None:
    with pytest.raises(InvalidField, match="nothing holds it back"):
        asked(mary, "limit", asked_limit(team))


@pytest.fixture
def budget(team: Team) -> Budget:
    return make_budget(subject=team, window="month", amount_usd=Decimal(100))


MORE = {"subject": "team", "window": "month", "raise_usd": "50"}


def test_budget_is_raised_for_a_while_or_for_good(mary: Membership, ann: Membership, budget: Budget) -> None:
    until = timezone.now() + timedelta(days=3)
    decide(request=asked(mary, "budget", MORE, until=until), grants=True, by=acting(ann))
    budget.refresh_from_db()
    assert (budget.raise_usd, budget.raise_until, budget.amount_usd) == (50, until, 100)
    request = asked(mary, "budget", MORE | {"raise_usd": "7"})
    decide(request=request, grants=True, by=acting(ann))
    budget.refresh_from_db()
    assert budget.amount_usd == 107
    end(request=request, by=acting(ann))
    budget.refresh_from_db()
    assert (budget.amount_usd, budget.raise_usd) == (100, 50)


def test_ended_raise_of_a_budget_is_over(mary: Membership, ann: Membership, budget: Budget) -> None:
    request = asked(mary, "budget", MORE, until=timezone.now() + timedelta(days=3))
    decide(request=request, grants=True, by=acting(ann))
    end(request=request, by=acting(mary))
    budget.refresh_from_db()
    assert budget.raise_usd is None


def test_raise_does_not_take_the_place_of_one_in_force(
    mary: Membership, ann: Membership, budget: Budget
) -> None:
    until = timezone.now() + timedelta(days=3)
    decide(request=asked(mary, "budget", MORE, until=until), grants=True, by=acting(ann))
    request = asked(mary, "budget", MORE | {"raise_usd": "7"}, until=until)
    with pytest.raises(InvalidField, match="end that raise first"):
        decide(request=request, grants=True, by=acting(ann))


def test_one_of_two_who_decide_at_once_wins(team: Team, mary: Membership, ann: Membership) -> None:
    bob = make_membership(team, role="owner")
    request = asked(mary, "role", {"role": "admin"})
    other = AccessRequest.objects.get()
    decide(request=request, grants=False, by=acting(ann))
    with pytest.raises(Refused, match="declined already") as refusal:
        decide(request=other, grants=True, by=acting(bob))
    mary.refresh_from_db()
    assert (refusal.value.code, mary.role) == ("request_over", "member")


@pytest.mark.django_db(transaction=True)
def test_of_deciders_in_parallel_one_wins(
    team: Team, mary: Membership, ann: Membership, at_once: Callable[..., list[Any]]
) -> None:
    others = [acting(make_membership(team, role="owner")) for _ in range(3)]
    pk = asked(mary, "role", {"role": "admin"}).pk

    def try_it(by: Acting) -> bool:
        try:
            decide(request=AccessRequest.objects.get(pk=pk), grants=True, by=by)
        except Refused:
            return False
        return True

    won = at_once(*[lambda by=by: try_it(by) for by in [acting(ann), *others]])
    assert sorted(won) == [False, False, False, True]
    assert mary.grants.filter(source="request").count() == 1


def test_person_who_left_gets_nothing(mary: Membership, ann: Membership) -> None:
    request = asked(mary, "role", {"role": "admin"})
    leave(membership=mary, keys=KeysThen("revoke"), by=acting(mary))
    with pytest.raises(Refused) as refusal:
        decide(request=request, grants=True, by=acting(ann))
    assert refusal.value.code == "person_left"
    decide(request=request, grants=False, by=acting(ann))
    mary.refresh_from_db()
    assert (request.state, mary.is_active) == ("declined", False)


def test_person_who_is_switched_off_gets_nothing(mary: Membership, ann: Membership) -> None:
    request = asked(mary, "role", {"role": "admin"})
    User.objects.filter(pk=mary.user_id).update(is_active=False)
    with pytest.raises(Refused, match="does not belong here any more"):
        decide(request=request, grants=True, by=acting(ann))


def test_withdrawn_meanwhile_is_not_granted(mary: Membership, ann: Membership) -> None:
    request = asked(mary, "role", {"role": "admin"})
    withdraw(request=AccessRequest.objects.get(), person=mary.user)
    withdraw(request=AccessRequest.objects.get(), person=mary.user)
    with pytest.raises(Refused, match="withdrawn already"):
        decide(request=request, grants=True, by=acting(ann))


def test_others_withdraw_nothing(mary: Membership, ann: Membership) -> None:
    with pytest.raises(Refused) as refusal:
        withdraw(request=asked(mary, "role", {"role": "admin"}), person=ann.user)
    assert refusal.value.code == "own_request_only"


def test_time_that_is_over_is_not_granted(mary: Membership, ann: Membership) -> None:
    past = timezone.now() - timedelta(seconds=1)
    with pytest.raises(InvalidField, match="in the future"):
        asked(mary, "role", {"role": "admin"}, until=past)
    request = asked(mary, "role", {"role": "admin"}, until=timezone.now() + timedelta(days=1))
    AccessRequest.objects.update(until=past)
    with pytest.raises(InvalidField, match="in the future"):
        decide(request=request, grants=True, by=acting(ann))
    decide(request=request, grants=True, by=acting(ann), until=None)
    assert mary.grants.get(source="request").until is None


def test_staff_give_no_more_than_they_may_change(mary: Membership, budget: Budget) -> None:
    Budget.objects.update(most_usd=Decimal(120))
    request = asked(mary, "budget", MORE)
    assert request.decider == "staff"
    with pytest.raises(Refused) as refusal:
        decide(request=request, grants=True, by=support("sue"))
    assert refusal.value.code == "permission_required"
    with pytest.raises(Refused):
        decide(request=request, grants=False, by=User.objects.create(username="nobody", is_staff=True))
    decide(request=request, grants=True, by=support("bea", "change_budget"))
    budget.refresh_from_db()
    assert (budget.amount_usd, budget.most_usd) == (150, 150)


def test_raise_above_the_bound_takes_two_of_staff(mary: Membership, budget: Budget, settings: Any) -> None:
    settings.RAISE_ALONE_MOST_USD = Decimal("49.99")
    Budget.objects.update(most_usd=Decimal(120))
    request = asked(mary, "budget", MORE)
    bea, sue = support("bea", "change_budget"), support("sue", "change_budget")
    decide(request=request, grants=True, by=bea)
    assert (request.state, request.endorsed_by) == ("open", bea)
    with pytest.raises(Refused) as refusal:
        decide(request=request, grants=True, by=bea)
    assert refusal.value.code == "second_person_required"
    budget.refresh_from_db()
    assert budget.amount_usd == 100
    decide(request=request, grants=True, by=sue)
    budget.refresh_from_db()
    assert (request.state, request.decided_by, budget.amount_usd) == ("granted", sue, 150)


def test_staffs_own_raise_is_granted_by_another(budget: Budget) -> None:
    bea, sue = support("bea", "change_budget"), support("sue", "change_budget")
    changes = {"amount_usd": Decimal(900)}
    request, is_new = ask_second(budget=budget, changes=changes, reason=WHY, person=bea)
    assert is_new
    assert ask_second(budget=budget, changes=changes, reason=WHY, person=bea) == (request, False)
    with pytest.raises(Refused, match="Nobody decides their own"):
        decide(request=request, grants=True, by=bea)
    decide(request=request, grants=True, by=sue)
    budget.refresh_from_db()
    assert budget.amount_usd == 900


def test_both_sides_are_told_by_mail(mary: Membership, ann: Membership) -> None:
    request = asked(mary, "role", {"role": "admin"})
    tell()
    assert [(letter.to, letter.subject) for letter in mail.outbox] == [
        (["ann@example.com"], "mary asks for access in Research: The role admin")
    ]
    decide(request=request, grants=False, by=acting(ann), note="Ask Bob")
    tell()
    letter = mail.outbox[-1]
    assert (letter.to, letter.subject) == (["mary@example.com"], "Your request is declined: The role admin")
    assert "Ask Bob" in letter.body


def test_staff_are_told_of_what_is_theirs(mary: Membership, budget: Budget) -> None:
    Budget.objects.update(most_usd=Decimal(120))
    sue = support("sue")
    asked(mary, "budget", MORE)
    alert = Alert.objects.get(kind="request.for_staff")
    assert (alert.team, alert.people) == (None, [sue.pk])


def test_open_requests_of_one_person_are_bounded(
    mary: Membership, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_requests, "MOST_OPEN", 1)
    asked(mary, "role", {"role": "admin"})
    with pytest.raises(Refused) as refusal:
        asked(mary, "role", {"role": "owner"})
    assert refusal.value.status == 429


def tell() -> None:
    spread_new(at=timezone.now())
    send_due(at=timezone.now())


class Person:
    def __init__(self, member: Membership) -> None:
        self.client = Client()
        self.client.force_login(member.user)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        content = b"" if body is None else orjson.dumps(body)
        return self.client.generic(method, f"/v1/access-requests{path}", content, "application/json")


NEW = {"kind": "role", "asked": {"role": "admin"}, "reason": WHY}


def test_asking_twice_is_one_request(mary: Membership) -> None:
    person = Person(mary)
    first, second = person.call("POST", "", NEW), person.call("POST", "", NEW)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    other = person.call("POST", "", NEW | {"reason": "Another one"})
    assert (other.status_code, other.json()["error"]["code"]) == (409, "already_exists")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (NEW | {"why": "x"}, "why"),
        (NEW | {"asked": {"role": "admin", "colour": "red"}}, "colour"),
        (NEW | {"reason": " "}, "reason"),
        (NEW | {"kind": "staff_budget"}, "kind"),
        (NEW | {"until": "2020-01-01T00:00:00Z"}, "until"),
        ({"kind": "role", "asked": {"role": "admin"}}, "reason"),
    ],
)
def test_bad_requests_name_their_parameter(mary: Membership, body: Any, param: str) -> None:
    answer = Person(mary).call("POST", "", body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_api_takes_a_request_to_its_end(mary: Membership, ann: Membership) -> None:
    one, owner = Person(mary), Person(ann)
    path = f"/{one.call('POST', '', NEW).json()['id']}"
    assert one.call("POST", f"{path}/decide", {"decision": "grant"}).status_code == 403
    assert owner.call("POST", f"{path}/decide", {"decision": "keep"}).status_code == 400
    granted = owner.call("POST", f"{path}/decide", {"decision": "grant", "note": "Until May"}).json()
    assert (granted["state"], granted["decided_by"], granted["note"]) == ("granted", "ann", "Until May")
    again = owner.call("POST", f"{path}/decide", {"decision": "grant"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "request_over")
    assert one.call("POST", f"{path}/end").json()["state"] == "ended"
    assert owner.call("GET", "?state=ended").json()["total"] == 1
    assert owner.call("GET", "?state=open").json()["total"] == 0


def test_member_sees_their_own_alone(team: Team, mary: Membership, ann: Membership) -> None:
    path = f"/{Person(mary).call('POST', '', NEW).json()['id']}"
    other = Person(make_membership(team))
    assert other.call("GET", path).status_code == 404
    assert other.call("GET", "").json()["total"] == 0
    assert Person(ann).call("GET", path).status_code == 200
    assert Person(mary).call("DELETE", path).json()["state"] == "withdrawn"


def test_foreign_teams_requests_are_not_there(mary: Membership) -> None:
    path = f"/{Person(mary).call('POST', '', NEW).json()['id']}"
    stranger = Person(make_membership(make_team("other"), role="owner"))
    for method, address in [("GET", path), ("DELETE", path), ("POST", f"{path}/end")]:
        assert stranger.call(method, address).status_code == 404
    assert stranger.call("POST", f"{path}/decide", {"decision": "grant"}).status_code == 404
    assert stranger.call("GET", "/%00").status_code == 404


def test_no_key_asks_or_decides(team: Team) -> None:
    _, text = make_key(team, "manager", scope="management")
    client = Client(headers={"authorization": f"Bearer {text}"})
    answer = client.get("/v1/access-requests")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "person_required")


def test_last_owner_does_not_end_what_made_them_one(team: Team, mary: Membership, ann: Membership) -> None:
    asked = ask(kind="role", asked={"role": "owner"}, reason=WHY, by=acting(mary))[0]
    decide(request=asked, grants=True, by=acting(ann))
    leave(membership=ann, keys=None, by=acting(ann))
    mary.refresh_from_db()
    with pytest.raises(Refused) as refused:
        end(request=asked, by=acting(mary))
    assert refused.value.code == "last_owner"
    asked.refresh_from_db()
    assert asked.state == "granted"
