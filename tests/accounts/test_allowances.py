"""What each key and each member of a team gets, and may have at most: handed out as limits and budgets of theirs."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts.allowances import grant, remove_allowance, save_allowance, set_allowance
from accounts.budgeting import change_budget, make_budget, raise_budget, remove_budget
from accounts.limiting import set_limit
from accounts.models import Allowance, Budget, Key, Limit, Membership, Team
from accounts.rights import Role
from accounts.services import OVERLAP, rotate_key
from gateway.core.refusals import InvalidField
from tests.accounts.conftest import Caller
from tests.make import make_key, make_staff, make_team, make_user

pytestmark = pytest.mark.django_db
TOKENS = {"unit": "tokens", "window": "minute"}
MONTH = {"unit": "usd", "window": "month"}


def staff_say(team: Team, **terms: Any) -> Allowance:
    return save_allowance(Allowance(team=team, **terms))


def join(team: Team, name: str = "") -> Membership:
    """As the admin's page of a team does it."""
    member = Membership.objects.create(team=team, user=make_user(name))
    grant(member)
    return member


def limit_of(subject: Any) -> tuple[int, int | None]:
    row = Limit.objects.get(**{"member" if isinstance(subject, Membership) else "key": subject})
    return row.amount, row.most


def budget_of(subject: Any) -> tuple[Decimal, Decimal | None]:
    row = Budget.objects.get(**{"member" if isinstance(subject, Membership) else "key": subject})
    return row.amount_usd, row.most_usd


def test_who_joins_gets_what_each_gets(team: Team) -> None:
    old = join(team)
    set_allowance(team=team, whose="member", **TOKENS, amount=Decimal(500))
    set_allowance(team=team, whose="member", **MONTH, amount=Decimal("12.5"))
    new = join(team)
    assert (limit_of(new), budget_of(new)) == ((500, None), (Decimal("12.5"), None))
    assert not Limit.objects.filter(member=old).exists()


def test_new_key_gets_what_each_gets_and_its_successor_no_second_one(team: Team) -> None:
    set_allowance(team=team, whose="key", **MONTH, amount=Decimal(3))
    set_allowance(team=team, whose="member", **MONTH, amount=Decimal(7))
    key, _ = make_key(team)
    rotate_key(key=key, overlap=OVERLAP)
    assert budget_of(key) == (3, None)
    assert Budget.objects.count() == 1


def test_budget_that_is_given_begins_its_days_where_the_team_does(team: Team) -> None:
    Team.objects.update(time_zone="Asia/Kolkata")
    team.refresh_from_db()
    set_allowance(team=team, whose="member", **MONTH, amount=Decimal(7))
    assert Budget.objects.get(member=join(team)).zone == "Asia/Kolkata"


def test_ceiling_holds_for_those_that_there_are(team: Team) -> None:
    poor, rich, none = join(team), join(team), join(team)
    set_limit(subject=poor, **TOKENS, amount=50)
    set_limit(subject=rich, **TOKENS, amount=5_000)
    staff_say(team, whose="member", **TOKENS, amount=Decimal(80), most=Decimal(100))
    assert [limit_of(each) for each in (poor, rich, none)] == [(50, 100), (100, 100), (80, 100)]
    assert limit_of(join(team)) == (80, 100)
    with pytest.raises(InvalidField, match="100 at most"):
        set_limit(subject=poor, **TOKENS, amount=101)


def test_ceiling_without_a_default_is_what_each_gets(team: Team) -> None:
    key, _ = make_key(team)
    staff_say(team, whose="key", **MONTH, most=Decimal(9))
    assert budget_of(key) == budget_of(make_key(team)[0]) == (9, 9)


def test_money_beyond_the_ceiling_is_refused_and_so_is_none(team: Team) -> None:
    staff_say(team, whose="member", **MONTH, amount=Decimal(5), most=Decimal(10))
    budget = Budget.objects.get(member=join(team))
    assert change_budget(budget=budget, amount_usd=Decimal(10)).amount_usd == 10
    with pytest.raises(InvalidField, match="10 at most"):
        change_budget(budget=budget, amount_usd=Decimal(11))
    budget.refresh_from_db()
    with pytest.raises(InvalidField, match="Staff set this budget"):
        remove_budget(budget=budget)


def test_ceiling_that_is_lowered_ends_raises_beyond_it(team: Team) -> None:
    budget = make_budget(subject=join(team), window="month", amount_usd=Decimal(5))
    raise_budget(budget=budget, by_usd=Decimal(3), until=timezone.now() + timedelta(days=1))
    allowance = staff_say(team, whose="member", **MONTH, most=Decimal(8))
    budget.refresh_from_db()
    assert (budget.amount_usd, budget.raise_usd) == (5, 3)
    allowance.most = Decimal(7)
    save_allowance(allowance)
    budget.refresh_from_db()
    assert (budget.amount_usd, budget.most_usd, budget.raise_usd, budget.raise_until) == (5, 7, None, None)


def test_ceiling_that_is_raised_or_gone_leaves_amounts_as_they_are(team: Team) -> None:
    member = join(team)
    allowance = staff_say(team, whose="member", **TOKENS, most=Decimal(100))
    allowance.most = Decimal(200)
    save_allowance(allowance)
    assert limit_of(member) == (100, 200)
    allowance.amount, allowance.most = Decimal(10), None
    save_allowance(allowance)
    assert limit_of(member) == (100, None)


def test_lower_ceiling_of_one_that_staff_set_stays(team: Team) -> None:
    member = join(team)
    set_limit(subject=member, **TOKENS, amount=20, most=20, is_staff=True)
    allowance = staff_say(team, whose="member", **TOKENS, most=Decimal(100))
    assert limit_of(member) == (20, 20)
    remove_allowance(allowance=allowance, is_staff=True)
    assert limit_of(member) == (20, 20)


def test_nothing_is_given_to_another_team(team: Team) -> None:
    other = join(make_team("other"))
    staff_say(team, whose="member", **TOKENS, most=Decimal(100))
    assert not Limit.objects.filter(member=other).exists()


def test_what_somebody_has_already_is_kept(team: Team) -> None:
    set_allowance(team=team, whose="member", **TOKENS, amount=Decimal(500))
    member = Membership.objects.create(team=team, user=make_user())
    set_limit(subject=member, **TOKENS, amount=9)
    grant(member)
    assert limit_of(member) == (9, None)


def test_owners_stay_within_the_ceiling_and_do_not_remove_it(team: Team) -> None:
    allowance = staff_say(team, whose="member", **TOKENS, most=Decimal(100))
    assert set_allowance(team=team, whose="member", **TOKENS, amount=Decimal(100))[1] is False
    with pytest.raises(InvalidField, match="100 at most"):
        set_allowance(team=team, whose="member", **TOKENS, amount=Decimal(101))
    with pytest.raises(InvalidField, match="cannot remove"):
        remove_allowance(allowance=allowance)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"whose": "project", **TOKENS, "amount": 5}, "whose"),
        ({"whose": "key", "unit": "requests", "window": "minute", "amount": 5}, "unit"),
        ({"whose": "key", "unit": "concurrency", "window": "none", "amount": 5}, "unit"),
        ({"whose": "member", "unit": "words", "window": "minute", "amount": 5}, "unit"),
        ({"whose": "member", "unit": "tokens", "window": "month", "amount": 5}, "window"),
        ({"whose": "member", "unit": "usd", "window": "minute", "amount": 5}, "window"),
        ({"whose": "member", **TOKENS, "amount": "0.5"}, "amount"),
        ({"whose": "member", **TOKENS, "amount": 0}, "amount"),
        ({"whose": "member", **MONTH, "amount": 0}, "amount"),
        ({"whose": "member", **MONTH, "amount": "0.00000000001"}, "amount"),
        ({"whose": "member", **MONTH, "amount": 5, "most": 4}, "amount"),
        ({"whose": "member", **MONTH, "amount": 5, "most": "Infinity"}, "most"),
        ({"whose": "member", **MONTH}, "amount"),
    ],
)
def test_allowance_that_cannot_be_is_refused(team: Team, terms: dict[str, Any], field: str) -> None:
    numbers = {name: Decimal(terms[name]) for name in ("amount", "most") if name in terms}
    with pytest.raises(InvalidField) as refusal:
        staff_say(team, **terms | numbers)
    assert refusal.value.field == field
    assert not Allowance.objects.exists()


# As programs and people meet them


@pytest.fixture
def owner(team: Team) -> Client:
    client = Client()
    client.force_login(make_user("mary", teams=[team]))
    Membership.objects.update(role=Role.OWNER)
    return client


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    return client.generic(method, path, b"" if body is None else orjson.dumps(body), "application/json")


def test_owner_makes_changes_and_removes_one_over_the_api(owner: Client, call: Caller, manager: str) -> None:
    given = {"whose": "member", **MONTH, "amount": "50"}
    answers = [send(owner, "POST", "/v1/allowances", given) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    made = answers[0].json()
    assert {name: made[name] for name in given} == given
    assert made["most"] is None
    at = f"/v1/allowances/{made['id']}"
    assert call("GET", at, manager).json() == made == call("GET", "/v1/allowances", manager).json()["data"][0]
    refused = send(owner, "POST", "/v1/allowances", given | {"amount": "51"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (409, "amount")
    assert send(owner, "PATCH", at, {"amount": "51"}).json()["amount"] == "51"
    unknown = send(owner, "PATCH", at, {"most": "51"})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (400, "unknown_parameter")
    assert send(owner, "DELETE", at).status_code == 204
    assert not Allowance.objects.exists()


def test_calls_at_once_have_no_window_over_the_api(owner: Client) -> None:
    given = {"whose": "member", "unit": "concurrency", "amount": "5"}
    assert send(owner, "POST", "/v1/allowances", given).json()["window"] is None


def test_keys_and_members_do_not_set_them(call: Caller, manager: str, member: Client) -> None:
    given = {"whose": "member", **MONTH, "amount": "50"}
    assert call("POST", "/v1/allowances", manager, given).status_code == 403
    assert send(member, "POST", "/v1/allowances", given).status_code == 403


def test_owner_sets_and_removes_one_on_the_teams_page(owner: Client, team: Team) -> None:
    form = {"form": "allowance", "allowance-whose": "member", "allowance-amount": "1000"}
    owner.post("/team/limits", form | {"allowance-unit": "tokens", "allowance-window": "minute"})
    page = owner.get("/team/limits").text
    for text in ("Each member", "tokens, in and out a minute", "1,000"):
        assert text in page
    wrong = owner.post("/team/limits", form | {"allowance-unit": "tokens", "allowance-window": "month"}).text
    assert 'id="id_allowance-window_error"' in wrong
    owner.post(f"/team/allowances/{Allowance.objects.get().pk}/remove")
    assert not Allowance.objects.exists()


def test_ceiling_of_staff_has_no_button_to_remove_it(owner: Client, team: Team) -> None:
    allowance = staff_say(team, whose="member", **MONTH, amount=Decimal(5), most=Decimal(10))
    page = owner.get("/team/limits").text.partition('id="allowances"')[2].partition("</section>")[0]
    assert ("<td>$5 " in page, "<td>$10<" in page, "Remove" in page) == (True, True, False)
    assert "cannot remove" in owner.post(f"/team/allowances/{allowance.pk}/remove", follow=True).text


def test_member_sets_none_on_the_teams_page(member: Client, team: Team) -> None:
    form = {"form": "allowance", "allowance-whose": "member", "allowance-amount": "1000"}
    member.post("/team/limits", form | {"allowance-unit": "tokens", "allowance-window": "minute"})
    assert not Allowance.objects.exists()
    staff_say(team, whose="member", **MONTH, amount=Decimal(5))
    assert member.post(f"/team/allowances/{Allowance.objects.get().pk}/remove").status_code == 403


def inlines(**fields: str) -> dict[str, str]:
    empty = {"TOTAL_FORMS": "0", "INITIAL_FORMS": "0"}
    found = {
        f"{prefix}-{name}": value
        for prefix in ("limits", "allowances", "memberships", "keys")
        for name, value in empty.items()
    }
    return found | {name.replace("__", "-"): value for name, value in fields.items()}


def test_staff_set_ceilings_on_the_teams_page_and_members_who_join_there_get_theirs(
    client: Client, team: Team
) -> None:
    client.force_login(make_staff("boss"))
    mary = make_user("mary")
    given = inlines(
        allowances__TOTAL_FORMS="1",
        allowances__0__whose="member",
        allowances__0__unit="usd",
        allowances__0__window="month",
        allowances__0__amount="5",
        allowances__0__most="10",
        memberships__TOTAL_FORMS="1",
        memberships__0__user=str(mary.pk),
        memberships__0__role="member",
    )
    page = client.get(f"/admin/accounts/team/{team.pk}/change/")
    fields = {
        name: value for name, value in page.context["adminform"].form.initial.items() if value is not None
    }
    lists = {name: "" for name, value in fields.items() if isinstance(value, list)}
    answer = client.post(f"/admin/accounts/team/{team.pk}/change/", fields | lists | given)
    assert answer.status_code == 302, answer.context["errors"]
    member = Membership.objects.get(user=mary)
    assert budget_of(member) == (5, 10)
    assert [(grant.source, grant.role) for grant in member.grants.all()] == [("manual", "member")]


def test_admin_refuses_what_cannot_be_at_its_field(team: Team) -> None:
    allowance = Allowance(team=team, whose="member", unit="usd", window="minute", amount=Decimal(5))
    with pytest.raises(ValidationError) as refusal:
        allowance.clean()
    assert [*refusal.value.message_dict] == ["window"]


def test_key_limits_of_before_are_not_touched(team: Team) -> None:
    key: Key = make_key(team, requests_per_minute=5)[0]
    staff_say(team, whose="key", **TOKENS, most=Decimal(100))
    assert key.requests_per_minute == 5
