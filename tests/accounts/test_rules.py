"""All limits that count for a call, the nearest subject's first, as they are in force."""

from dataclasses import replace
from typing import Any

import pytest

from accounts import rules as rules_module
from accounts.attempts import OWNERS
from accounts.budgets import Terms
from accounts.key_facts import facts_of
from accounts.keys import KeyFacts
from accounts.limiting import set_limit
from accounts.models import Key, Membership, Project
from accounts.rule_loading import load_rules
from accounts.rules import Rules
from accounts.services import OVERLAP, rotate_key
from accounts.subjects import subjects_of
from gateway.core.store.interface import Limit
from tests.make import make_key, make_team, make_user

FACTS = KeyFacts(
    id=2,
    public_id="a",
    digest="",
    name="",
    team_id=9,
    team_slug="",
    scope="inference",
    is_active=True,
    scopes=frozenset(),
    subjects=(("key", 1), ("member", 4), ("team", 9)),
    lineage_id=1,
)
RULES = Rules(
    {
        ("key", 1): [("requests", "minute", 60), ("concurrency", "none", 5)],
        ("member", 4): [("tokens", "day", 1_000)],
        ("project", 7): [("output_tokens", "minute", 100)],
        ("team", 9): [("requests", "day", 9)],
        ("key", 2): [("requests", "minute", 1)],
    }
)


def test_all_levels_count_the_nearest_first() -> None:
    assert RULES.for_key(FACTS, 7).limits == (
        Limit("key:1", "requests", 60, 60),
        Limit("key:1", "concurrency", 5, 0),
        Limit("member:4", "tokens", 1_000, 86_400),
        Limit("project:7", "output_tokens", 100, 60),
        Limit("team:9", "requests", 9, 86_400),
    )


def test_project_that_a_call_does_not_name_does_not_count() -> None:
    assert "project:7" not in {limit.subject for limit in RULES.for_key(FACTS).limits}


def test_bound_key_counts_for_its_own_project_once() -> None:
    bound = replace(FACTS, subjects=(("key", 1), ("project", 7), ("team", 9)))
    assert subjects_of(bound, 7) == bound.subjects == subjects_of(bound)


@pytest.mark.parametrize(("most", "amount"), [(None, 60), (61, 60), (60, 60), (59, 59)])
def test_keys_own_limits_are_within_its_teams_ceiling(most: int | None, amount: int) -> None:
    key = replace(FACTS, requests_per_minute_most=most)
    assert RULES.for_key(key).limits[0] == Limit("key:1", "requests", amount, 60)


def test_ceiling_counts_for_a_key_without_a_limit_of_its_own() -> None:
    key = replace(FACTS, subjects=(("key", 3), ("team", 9)), requests_per_minute_most=8, concurrency_most=2)
    assert RULES.for_key(key).limits[:2] == (
        Limit("key:3", "requests", 8, 60),
        Limit("key:3", "concurrency", 2, 0),
    )


@pytest.mark.parametrize(
    ("limits", "budgets", "is_so"),
    [
        ([("requests", "minute", 60), ("concurrency", "none", 5)], {}, True),
        ([("tokens", "minute", 60)], {}, False),
        ([("requests", "minute", 60)], {"key:1": [Terms("day", "UTC", 1)]}, False),
        ([], {}, False),
    ],
)
def test_limits_may_count_calls_alone(limits: Any, budgets: Any, is_so: bool) -> None:
    rules = Rules({("key", 1): limits}, budgets).for_key(FACTS)
    assert rules.counts_calls_alone == is_so


def test_rules_of_a_key_are_put_together_once_and_anew_where_the_key_changed() -> None:
    first = RULES.for_key(FACTS, 7)
    assert RULES.for_key(FACTS, 7) is first
    assert RULES.for_key(FACTS) is not first
    changed = replace(FACTS, subjects=(("key", 1),))
    assert [limit.subject for limit in RULES.for_key(changed, 0).limits] == ["key:1", "key:1"]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules_module, "_KEPT_MOST", 2)
    rules = Rules({})
    kept = []
    for id_ in range(5):
        rules.for_key(replace(FACTS, id=id_))
        kept.append(len(rules._kept))
    assert kept == [1, 2, 1, 2, 1]


def test_budgets_of_all_levels_and_of_the_deployment_count_the_nearest_first() -> None:
    terms = [Terms("month", "UTC", 5)]
    names = ("deployment", "team:9", "project:7", "key:1", "key:2")
    rules = Rules({}, dict.fromkeys(names, terms))
    asked = [budgets.subject for budgets in rules.for_key(FACTS, 7).budgets]
    assert asked == ["key:1", "project:7", "team:9", "deployment"]
    assert RULES.for_key(FACTS, 7).budgets == ()


def owned(**ids: int) -> tuple[int, ...]:
    return tuple(ids.get(kind, 0) for kind in OWNERS)


def test_a_call_that_is_put_right_counts_for_those_whose_ids_travel_with_it() -> None:
    terms = [Terms("month", "UTC", 5)]
    names = ("deployment", "team:9", "project:7", "project:8", "team:9:own", "project:8:own")
    rules = Rules(RULES._limits, dict.fromkeys(names, terms))
    found = rules.of_call(owned(project=7), 9)
    assert found.token_limits == (Limit("project:7", "output_tokens", 100, 60),)
    assert found.payers == ("project:7", "team:9", "deployment")
    assert found.own_payers == ("team:9:own",)
    assert found.holders == ("project:7", "team:9", "deployment", "team:9:own")
    assert rules.of_call(owned(project=7), 9) is found
    assert rules.of_call(owned(project=8), 9).own_payers == ("project:8:own", "team:9:own")


def test_what_is_kept_of_calls_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules_module, "_KEPT_MOST", 2)
    rules = Rules({})
    kept = []
    for id_ in range(1, 6):
        rules.of_call(owned(project=id_), 9)
        kept.append(len(rules._of_calls))
    assert kept == [1, 2, 1, 2, 1]


def test_subject_without_limits_has_none() -> None:
    assert RULES.limits_of(("team", 1)) == ()
    assert RULES.limits_of(("team", 9)) == (Limit("team:9", "requests", 9, 86_400),)


@pytest.mark.django_db
def test_rules_are_read_whole_in_a_query_for_each_kind_of_subject_and_one_for_budgets(
    django_assert_num_queries: Any,
) -> None:
    team = make_team()
    mary = make_user("mary", teams=[team])
    project = Project.objects.create(team=team, slug="blue", name="Blue")
    key, _ = make_key(team, owner=mary, project=project, requests_per_minute=6)
    new, _ = rotate_key(key=key, overlap=OVERLAP)
    membership = Membership.objects.get()
    for number, subject in enumerate((membership, project, team), start=1):
        set_limit(subject=subject, unit="tokens", window="minute", amount=number)
    with django_assert_num_queries(6):
        rules = load_rules()
    assert rules.for_key(facts_of(Key.objects.get(pk=new.pk))).limits == (
        Limit(f"key:{key.pk}", "requests", 6, 60),
        Limit(f"member:{membership.pk}", "tokens", 1, 60),
        Limit(f"project:{project.pk}", "tokens", 2, 60),
        Limit(f"team:{team.pk}", "tokens", 3, 60),
    )
