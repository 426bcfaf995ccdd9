"""Limits are rows of whoever can own or spend: set within what staff and the team's ceilings allow, and told."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts import revision
from accounts.limiting import remove_limit, set_limit
from accounts.models import AuditEntry, Key, Limit, Membership, Project, ServiceAccount, Team
from accounts.services import OVERLAP, rotate_key, save_team, update_key
from gateway.core.refusals import InvalidField
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db


def owner_of_kind(kind: str, team: Team) -> Any:
    if kind == "key":
        return make_key(team)[0]
    if kind == "member":
        make_user("mary", teams=[team])
        return Membership.objects.get()
    if kind == "service_account":
        return ServiceAccount.objects.create(team=team, slug="robot", name="Robot")
    return Project.objects.create(team=team, slug="blue", name="Blue") if kind == "project" else team


KINDS = ["key", "member", "service_account", "project", "team"]


@pytest.mark.parametrize("kind", KINDS)
def test_limit_is_made_changed_and_removed_for_every_subject(kind: str) -> None:
    owner = owner_of_kind(kind, make_team())
    limit = set_limit(subject=owner, unit="tokens", window="minute", amount=1_000)
    assert (limit.subject, limit.subject_row) == ((kind, owner.pk), owner)
    assert set_limit(subject=owner, unit="tokens", window="minute", amount=500).pk == limit.pk
    assert [row.amount for row in owner.limits.all()] == [500]
    remove_limit(limit=limit)
    assert not Limit.objects.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_each_change_of_a_limit_moves_the_revision_of_rules(kind: str) -> None:
    owner = owner_of_kind(kind, make_team())
    before = revision.read().rules
    limit = set_limit(subject=owner, unit="requests", window="day", amount=5)
    made = revision.read().rules
    remove_limit(limit=limit)
    assert before < made < revision.read().rules


def test_limits_of_others_than_keys_touch_no_key() -> None:
    team = make_team()
    make_key(team)
    before = revision.read()
    set_limit(subject=team, unit="requests", window="minute", amount=5)
    assert (revision.read().keys, revision.read().number) == (before.keys, before.number)


@pytest.mark.parametrize(
    ("unit", "window", "amount", "field"),
    [
        ("words", "minute", 1, "unit"),
        ("tokens", "hour", 1, "window"),
        ("tokens", "none", 1, "window"),
        ("concurrency", "minute", 1, "window"),
        ("tokens", "minute", 0, "amount"),
        ("tokens", "minute", 10**12 + 1, "amount"),
        ("requests", "minute", 10**6 + 1, "amount"),
        ("concurrency", "none", 10**6 + 1, "amount"),
    ],
)
def test_what_no_limit_can_be_is_refused_by_its_name(unit: str, window: str, amount: int, field: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        set_limit(subject=make_team(), unit=unit, window=window, amount=amount)
    assert refusal.value.field == field
    assert not Limit.objects.exists()


@pytest.mark.parametrize(
    ("unit", "window", "amount"), [("tokens", "minute", 10**12), ("requests", "minute", 10**6)]
)
def test_largest_limits_are_taken(unit: str, window: str, amount: int) -> None:
    assert set_limit(subject=make_team(), unit=unit, window=window, amount=amount).amount == amount


def test_row_of_two_subjects_or_of_none_is_refused_by_the_database() -> None:
    team = make_team()
    project = Project.objects.create(team=team, slug="blue", name="Blue")
    for subjects in ({}, {"team": team, "project": project}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Limit.objects.create(unit="tokens", window="minute", amount=1, **subjects)


def test_team_sets_less_than_staff_allow_and_no_more() -> None:
    team = make_team()
    set_limit(subject=team, unit="tokens", window="minute", amount=1_000, most=1_000, is_staff=True)
    limit = set_limit(subject=team, unit="tokens", window="minute", amount=400)
    assert (limit.amount, limit.most) == (400, 1_000)
    assert set_limit(subject=team, unit="tokens", window="minute", amount=1_000).amount == 1_000
    with pytest.raises(InvalidField, match="staff allow this limit to be 1000 at most"):
        set_limit(subject=team, unit="tokens", window="minute", amount=1_001)
    with pytest.raises(InvalidField, match="at most"):
        remove_limit(limit=limit)


def test_staff_raise_remove_and_let_go_what_they_set() -> None:
    team = make_team()
    terms: Any = {"subject": team, "unit": "tokens", "window": "minute"}
    set_limit(**terms, amount=10, most=10, is_staff=True)
    assert set_limit(**terms, amount=20, most=30, is_staff=True).most == 30
    with pytest.raises(InvalidField) as refusal:
        set_limit(**terms, amount=20, most=19, is_staff=True)
    assert refusal.value.field == "most"
    limit = set_limit(**terms, amount=20, is_staff=True)
    remove_limit(limit=set_limit(**terms, amount=50))
    assert not Limit.objects.filter(pk=limit.pk).exists()


def test_removal_by_staff_needs_nobodys_leave() -> None:
    team = make_team()
    limit = set_limit(subject=team, unit="tokens", window="minute", amount=1, most=1, is_staff=True)
    remove_limit(limit=limit, is_staff=True)
    assert not Limit.objects.exists()


def test_key_is_held_to_its_teams_ceilings_by_its_rows_too() -> None:
    key, _ = make_key(make_team(key_concurrency_most=5))
    for amount, is_taken in ((5, True), (6, False)):
        if is_taken:
            set_limit(subject=key, unit="concurrency", window="none", amount=amount)
        else:
            with pytest.raises(InvalidField, match="at most 5"):
                set_limit(subject=key, unit="concurrency", window="none", amount=amount)
    with pytest.raises(InvalidField, match="at most 5"):
        remove_limit(limit=Limit.objects.get())


def test_fields_of_a_key_are_its_rows() -> None:
    key, _ = make_key(requests_per_minute=60, concurrency=3)
    rows = Limit.objects.order_by("unit").values_list("key", "unit", "window", "amount")
    assert list(rows) == [(key.pk, "concurrency", "none", 3), (key.pk, "requests", "minute", 60)]
    update_key(key=key, requests_per_minute=5, concurrency=None)
    assert (key.requests_per_minute, key.concurrency) == (5, None)
    set_limit(subject=key, unit="requests", window="minute", amount=7)
    assert Key.objects.get().requests_per_minute == 7


def test_wrong_field_of_a_key_is_refused_by_its_own_name() -> None:
    key, _ = make_key()
    with pytest.raises(InvalidField) as refusal:
        update_key(key=key, requests_per_minute=0)
    assert refusal.value.field == "requests_per_minute"


def test_keys_of_a_lineage_have_the_same_limits() -> None:
    old, _ = make_key(requests_per_minute=60)
    new, _ = rotate_key(key=old, overlap=OVERLAP)
    assert new.requests_per_minute == 60
    update_key(key=new, requests_per_minute=5)
    limits = {key.pk: key.requests_per_minute for key in Key.objects.with_limits()}
    assert limits == {old.pk: 5, new.pk: 5}
    assert Limit.objects.count() == 1


def test_limits_of_many_keys_are_read_together(django_assert_num_queries: Any) -> None:
    for _ in range(5):
        rotate_key(key=make_key(requests_per_minute=60)[0], overlap=OVERLAP)
    with django_assert_num_queries(3):
        assert [key.requests_per_minute for key in Key.objects.with_limits()] == [60] * 10


def test_processes_of_the_version_before_read_a_keys_limits_in_its_columns() -> None:
    old, _ = make_key(requests_per_minute=60)
    new, _ = rotate_key(key=old, overlap=OVERLAP)
    set_limit(subject=new, unit="requests", window="minute", amount=7)
    columns = Key.objects.values_list("former_requests_per_minute", flat=True)
    assert list(columns) == [7, 7]
    assert {
        Key._meta.get_field(f"former_{name}").column for name in ("requests_per_minute", "concurrency")
    } == {
        "requests_per_minute",
        "concurrency",
    }
    remove_limit(limit=Limit.objects.get())
    assert list(columns.all()) == [None, None]


def test_limit_of_anybody_is_told_where_they_are() -> None:
    team = make_team()
    limit = set_limit(subject=owner_of_kind("member", team), unit="tokens", window="day", amount=9)
    limit = set_limit(subject=limit.subject_row, unit="tokens", window="day", amount=8)  # type: ignore[arg-type]
    entries = AuditEntry.objects.filter(content_type__model="limit").order_by("id")
    assert {entry.page for entry in entries} == {f"accounts.team/{team.pk}"}
    assert entries.last().changes == {"amount": [9, 8]}  # type: ignore[union-attr]


def test_lower_ceiling_of_a_team_leaves_the_rows_alone() -> None:
    key, _ = make_key(requests_per_minute=60)
    key.team.key_requests_per_minute_most = 5
    save_team(team=key.team)
    assert Limit.objects.get().amount == 60
