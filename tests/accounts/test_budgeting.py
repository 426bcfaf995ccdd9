"""Budgets are made, changed, raised and removed; the rules in memory have them, by subject."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import revision
from accounts.budgeting import OfOperator, change_budget, end_raise, make_budget, raise_budget, remove_budget
from accounts.key_facts import facts_of
from accounts.models import AuditEntry, Budget, Project, ServiceAccount, Team
from accounts.rule_loading import load_rules
from accounts.services import OVERLAP, rotate_key
from gateway.core.refusals import InvalidField
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db
FIVE = Decimal(5)


def every_subject(team: Team) -> dict[str, Any]:
    user = make_user("mary", teams=[team])
    return {
        "key": make_key(team)[0],
        "member": team.memberships.get(user=user),
        "service_account": ServiceAccount.objects.create(team=team, slug="robot", name="Robot"),
        "project": Project.objects.create(team=team, slug="blue", name="Blue"),
        "team": team,
        "provider": OfOperator("acme"),
        "deployment": OfOperator(),
    }


def test_each_subject_has_a_budget_for_each_window_once() -> None:
    for kind, subject in every_subject(make_team()).items():
        for window in ("day", "month"):
            made = make_budget(subject=subject, window=window, amount_usd=FIVE)
            assert made.subject_text.partition(":")[0] == kind
            with pytest.raises(InvalidField) as refused:
                make_budget(subject=subject, window=window, amount_usd=FIVE, zone="Europe/Berlin")
            assert refused.value.field == "window"


def test_budget_of_a_team_may_count_own_credentials_and_the_operators_may_not() -> None:
    team = make_team()
    budget = make_budget(subject=team, window="day", amount_usd=FIVE, counts_own=True)
    assert (budget.subject_text, list(load_rules().budgets)) == (
        f"team:{team.pk}:own",
        [f"team:{team.pk}:own"],
    )
    for operators in (OfOperator("acme"), OfOperator()):
        with pytest.raises(InvalidField) as refused:
            make_budget(subject=operators, window="day", amount_usd=FIVE, counts_own=True)
        assert refused.value.field == "counts_own"


def test_sql_refuses_a_second_budget_of_a_subject_and_window_too() -> None:
    for subject in every_subject(make_team()).values():
        budget = make_budget(subject=subject, window="day", amount_usd=FIVE)
        budget.pk = None
        with pytest.raises(IntegrityError), transaction.atomic():
            budget.save(force_insert=True)


def test_sql_refuses_a_budget_of_nobody_and_of_two() -> None:
    team = make_team()
    for subject in ({}, {"team": team, "provider": "acme"}, {"team": team, "is_deployment": True}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Budget.objects.create(window="day", amount_usd=1, **subject)


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"amount_usd": Decimal(0)}, "amount_usd"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"thresholds": [100, 80]}, "thresholds"),
        ({"mode": "lax"}, "mode"),
        ({"window": "year"}, "window"),
    ],
)
def test_wrong_term_is_refused_by_its_name_and_nothing_is_made(terms: dict[str, Any], field: str) -> None:
    given: dict[str, Any] = {"subject": make_team(), "window": "day", "amount_usd": FIVE} | terms
    with pytest.raises(InvalidField) as refused:
        make_budget(**given)
    assert refused.value.field == field
    assert not Budget.objects.exists()


def test_every_change_moves_the_rules_and_is_told_in_the_audit() -> None:
    team = make_team()
    seen = [revision.read().rules]

    def has_moved() -> bool:
        seen.append(revision.read().rules)
        return seen[-1] > seen[-2]

    budget = make_budget(subject=team, window="month", amount_usd=FIVE)
    assert has_moved()
    change_budget(budget=budget, amount_usd=Decimal(6), zone="Asia/Kolkata")
    assert has_moved()
    raise_budget(budget=budget, by_usd=FIVE, until=timezone.now() + timedelta(hours=1))
    assert has_moved()
    end_raise(budget=budget)
    assert has_moved()
    remove_budget(budget=budget)
    assert has_moved()
    told = AuditEntry.objects.filter(page=f"accounts.team/{team.pk}", content_type__model="budget")
    assert told.count() == 5


def test_rules_of_a_key_have_the_budgets_of_all_whose_its_calls_are() -> None:
    team = make_team()
    subjects = every_subject(team)
    for subject in subjects.values():
        make_budget(subject=subject, window="month", amount_usd=FIVE)
    rules = load_rules()
    facts, blue = facts_of(subjects["key"]), subjects["project"].pk
    names = [each.subject for each in rules.for_key(facts, blue).budgets]
    assert names == [f"key:{facts.lineage_id}", f"project:{blue}", f"team:{team.pk}", "deployment"]
    assert [each.subject for each in rules.for_key(facts).budgets] == [names[0], names[2], "deployment"]
    assert rules.budgets["provider:acme"].windows_at(0)[0].amount == 5 * 10**10


def test_budget_that_is_off_is_no_rule() -> None:
    budget = make_budget(subject=OfOperator(), window="month", amount_usd=FIVE)
    change_budget(budget=budget, is_active=False, is_staff=True)
    assert load_rules().budgets == {}


def test_rotated_key_keeps_the_budget_of_its_lineage() -> None:
    key, _ = make_key()
    make_budget(subject=key, window="month", amount_usd=FIVE)
    new, _ = rotate_key(key=key, overlap=OVERLAP)
    with pytest.raises(InvalidField):
        make_budget(subject=new, window="month", amount_usd=FIVE)
    assert [each.subject for each in load_rules().for_key(facts_of(new)).budgets] == [f"key:{key.pk}"]


def test_team_stays_within_what_staff_allow() -> None:
    team = make_team()
    budget = make_budget(subject=team, window="month", amount_usd=FIVE, most_usd=FIVE, is_staff=True)
    later = timezone.now() + timedelta(hours=1)
    refused: list[tuple[Any, str]] = [
        (lambda: change_budget(budget=budget, amount_usd=Decimal(6)), "amount_usd"),
        (lambda: change_budget(budget=budget, refuses=False), "refuses"),
        (lambda: raise_budget(budget=budget, by_usd=Decimal(1), until=later), "raise_usd"),
        (lambda: remove_budget(budget=budget), "most_usd"),
    ]
    for act, field in refused:
        with pytest.raises(InvalidField) as fault:
            act()
        assert fault.value.field == field
        budget.refresh_from_db()
    assert change_budget(budget=budget, amount_usd=Decimal(4)).amount_usd == 4
    raise_budget(budget=budget, by_usd=Decimal(1), until=later)
    remove_budget(budget=budget, is_staff=True)


def test_most_of_a_budget_is_for_staff_to_say() -> None:
    assert make_budget(subject=make_team(), window="day", amount_usd=FIVE, most_usd=FIVE).most_usd is None


def test_raise_is_part_of_the_amount_until_it_ends() -> None:
    until = timezone.now() + timedelta(hours=1)
    budget = make_budget(subject=make_team(), window="day", amount_usd=FIVE)
    raise_budget(budget=budget, by_usd=Decimal(2), until=until)
    assert budget.amount_at(until.timestamp() - 1) == 7 * 10**10
    assert budget.amount_at(until.timestamp()) == 5 * 10**10
