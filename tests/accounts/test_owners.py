"""Who owns keys, what they inherit, and what stops them."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import services
from accounts.key_facts import facts_of
from accounts.models import Key, Membership, Project, ServiceAccount, Team, User
from accounts.rule_loading import load_rules
from gateway.core.refusals import InvalidField
from tests.make import make_key, make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(team: Team) -> ServiceAccount:
    return services.save_service_account(ServiceAccount(team=team, slug="reports", name="Reports"))


@pytest.fixture
def project(team: Team) -> Project:
    return services.save_project(Project(team=team, slug="blue", name="Blue"))


def facts(key: Key) -> Any:
    return facts_of(Key.objects.get(pk=key.pk))


def test_plain_key_is_held_to_nothing_more_than_before_there_were_owners(team: Team) -> None:
    key, _ = make_key(team)
    Key.objects.filter(pk=key.pk).update(scopes=[])
    found = facts(key)
    assert found.restrictions is None
    assert found.subjects == (("key", key.pk), ("team", team.pk))
    assert found.is_active


def test_subjects_of_a_key_are_told_the_nearest_first(
    team: Team, account: ServiceAccount, project: Project
) -> None:
    key, _ = make_key(team, service_account=account, project=project)
    assert facts(key).subjects == (
        ("key", key.pk),
        ("service_account", account.pk),
        ("project", project.pk),
        ("team", team.pk),
    )


def test_persons_key_stops_when_they_leave_and_goes_on_when_they_come_back(team: Team) -> None:
    person = make_user(teams=[team])
    key, _ = make_key(team, owner=person)
    member = Membership.objects.get()
    assert ("member", member.pk) in facts(key).subjects
    member.delete()
    assert not facts(key).is_active
    Membership.objects.create(team=team, user=person)
    assert facts(key).is_active
    User.objects.update(is_active=False)
    assert not facts(key).is_active


def test_service_accounts_key_outlives_whoever_made_it_and_obeys_its_switch(
    team: Team, account: ServiceAccount
) -> None:
    person = make_user(teams=[team])
    key, _ = make_key(team, service_account=account, created_by=person)
    person.delete()
    assert facts(key).is_active
    account.is_active = False
    services.save_service_account(account)
    key.refresh_from_db()
    assert not facts(key).is_active


@pytest.mark.parametrize("act", [services.freeze_team, services.archive_team])
def test_team_is_stopped_by_one_act_and_goes_on_by_another(team: Team, act: Any) -> None:
    key, _ = make_key(team)
    before = key.revision
    (word,) = {services.freeze_team: ["is_frozen"], services.archive_team: ["is_archived"]}[act]
    act(team=team, **{word: True})
    key.refresh_from_db()
    assert (facts(key).is_active, key.revision > before) == (False, True)
    act(team=team, **{word: False})
    assert facts(key).is_active


def test_archived_team_gets_no_keys(team: Team) -> None:
    services.archive_team(team=team, is_archived=True)
    with pytest.raises(InvalidField, match="bring it back"):
        make_key(team)


def test_new_key_has_what_its_team_gives_where_nothing_is_said() -> None:
    team = make_team(key_requests_per_minute=60, key_concurrency_most=5, key_days=30)
    key, _ = make_key(team)
    assert (key.requests_per_minute, key.concurrency) == (60, 5)
    assert key.expires_at is not None
    assert key.expires_at - timezone.now() > timedelta(days=29)
    key, _ = make_key(team, requests_per_minute=None, expires_at=None)
    assert (key.requests_per_minute, key.expires_at) == (None, None)


def test_ceiling_holds_for_keys_that_are_older_than_it(team: Team) -> None:
    wide, narrow = make_key(team)[0], make_key(team, requests_per_minute=10)[0]
    Team.objects.update(key_requests_per_minute_most=60)
    in_force = [load_rules().for_key(facts(key)).limits for key in (wide, narrow)]
    assert [[limit.amount for limit in limits] for limits in in_force] == [[60], [10]]


def test_what_the_team_may_not_reach_none_of_its_keys_may(settings: Any) -> None:
    team = make_team(
        denied_model_patterns=["acme/two"], surfaces=["messages", "responses"], ip_ranges=["192.0.2.0/24"]
    )
    key, _ = make_key(team, surfaces=["embeddings", "messages"], ip_ranges=["192.0.2.128/25"])
    rules = facts(key).restrictions
    assert (rules.surfaces, rules.denied_models) == (("messages",), ("acme/two",))
    assert rules.permits_address("192.0.2.200")
    assert not rules.permits_address("192.0.2.1")


@pytest.mark.parametrize(
    ("of_gateway", "of_team", "may_call"),
    [("open", "", True), ("closed", "", False), ("closed", "open", True), ("open", "closed", False)],
)
def test_new_models_are_as_the_team_says_and_else_as_the_gateway_does(
    settings: Any, of_gateway: str, of_team: str, may_call: bool
) -> None:
    settings.NEW_MODELS = of_gateway
    key, _ = make_key(make_team(new_models=of_team))
    assert facts(key).may_call("acme/one") is may_call


def test_rotated_key_works_on_for_the_overlap_and_its_successor_has_its_terms(
    team: Team, account: ServiceAccount, project: Project
) -> None:
    old, _ = make_key(
        team, service_account=account, project=project, requests_per_minute=7, surfaces=["messages"]
    )
    new, text = services.rotate_key(key=old, overlap=timedelta(hours=1))
    assert text.startswith(f"sk-gw-{new.public_id}-")
    assert old.expires_at is not None
    assert timedelta(minutes=59) < old.expires_at - timezone.now() <= timedelta(hours=1)
    assert new.expires_at is None
    assert (new.replaces, old.successor) == (old, new)
    assert (facts(new).lineage_id, new.requests_per_minute) == (old.pk, 7)
    assert facts(new).subjects == facts(old).subjects
    third, _ = services.rotate_key(key=new, overlap=timedelta(0))
    assert third.lineage_id == old.pk


def test_key_that_was_to_expire_is_followed_by_one_that_lives_as_long(team: Team) -> None:
    old, _ = make_key(team, expires_at=timezone.now() + timedelta(days=30))
    Key.objects.update(created_at=timezone.now() - timedelta(days=20))
    old.refresh_from_db()
    new, _ = services.rotate_key(key=old, overlap=timedelta(days=60))
    assert new.expires_at is not None
    assert new.expires_at - timezone.now() > timedelta(days=49)
    assert old.expires_at is not None
    assert old.expires_at - timezone.now() <= timedelta(days=30)


def test_key_is_rotated_once_and_only_while_it_lives(team: Team) -> None:
    old, _ = make_key(team)
    services.rotate_key(key=old, overlap=timedelta(0))
    with pytest.raises(InvalidField, match="rotated before"):
        services.rotate_key(key=old, overlap=timedelta(0))
    revoked, _ = make_key(team)
    services.revoke_key(key=revoked)
    with pytest.raises(InvalidField, match="revoked"):
        services.rotate_key(key=revoked, overlap=timedelta(0))


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), services.OVERLAP_MOST + timedelta(seconds=1)])
def test_overlap_has_bounds(team: Team, overlap: timedelta) -> None:
    old, _ = make_key(team)
    with pytest.raises(InvalidField) as refusal:
        services.rotate_key(key=old, overlap=overlap)
    assert refusal.value.field == "overlap_s"


def test_key_made_by_a_key_inherits_what_is_not_said_and_is_never_wider(team: Team) -> None:
    maker, _ = make_key(
        team, scope="management", model_patterns=["acme/*"], denied_provider_patterns=["other"]
    )
    made, _ = make_key(team, maker=maker)
    assert (made.model_patterns, made.denied_provider_patterns) == (["acme/*"], ["other"])
    with pytest.raises(InvalidField) as refusal:
        make_key(team, maker=maker, model_patterns=["*"])
    assert refusal.value.field == "model_patterns"
    with pytest.raises(InvalidField):
        services.update_key(key=maker, maker=maker, model_patterns=[])
    assert services.update_key(key=made, maker=maker, model_patterns=["acme/one"]).model_patterns == [
        "acme/one"
    ]


def test_management_key_of_before_there_were_scopes_makes_what_it_always_could(team: Team) -> None:
    maker, _ = make_key(team, scope="management", model_patterns=["acme/*"])
    maker.scopes = []
    assert make_key(team, maker=maker)[0].model_patterns == []


@pytest.mark.parametrize("whose", ["owner", "service_account", "project"])
def test_key_belongs_to_nobody_of_another_team(team: Team, whose: str) -> None:
    other = make_team("other")
    terms: dict[str, Any] = {
        "owner": make_user(teams=[other]),
        "service_account": ServiceAccount.objects.create(team=other, slug="x", name="X"),
        "project": Project.objects.create(team=other, slug="x", name="X"),
    }
    with pytest.raises(InvalidField) as refusal:
        make_key(team, **{whose: terms[whose]})
    assert refusal.value.field == whose


def test_archived_project_is_closed_to_new_keys_and_known_as_such_to_old_ones(
    team: Team, project: Project
) -> None:
    key, _ = make_key(team, project=project)
    assert facts(key).projects == {"blue": project.pk}
    project.archived_at = timezone.now()
    services.save_project(project)
    key.refresh_from_db()
    assert facts(key).projects == {}
    with pytest.raises(InvalidField):
        make_key(team, project=project)
