"""Who belongs to a team and as what: grants, leaving, and what becomes of keys."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from accounts.acting import Acting
from accounts.key_facts import read_facts
from accounts.memberships import (
    KeysThen,
    disable_person,
    enable_person,
    end_grants,
    give_role,
    hand_over_key,
    keys_left_behind,
    leave,
    suspend_member,
    sync_grants,
    take_grant,
    teams_of,
)
from accounts.models import (
    Alert,
    AuditEntry,
    Key,
    Limit,
    Membership,
    MembershipGrant,
    ServiceAccount,
    Team,
    User,
)
from accounts.rights import Role
from accounts.services import rotate_key
from gateway.core.refusals import InvalidField, Refused
from tests.make import make_key, make_membership, make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return make_team("atlas", name="Atlas")


@pytest.fixture
def mary(team: Team) -> User:
    return make_user("mary", teams=[team])


def acting_as(team: Team, role: str, person: User | None = None) -> Acting:
    member = make_membership(team, person, role=role)
    return Acting(member.user, team, member, member.rights)


def membership(person: User, team: Team) -> Membership:
    return Membership.objects.select_related("user", "team").get(user=person, team=team)


def is_let_in(key: Key) -> bool:
    ((facts, _),) = read_facts(pk=key.pk)
    return facts.is_valid(time.time())


def grants(person: User) -> set[tuple[str, str, str]]:
    rows = MembershipGrant.objects.filter(membership__user=person)
    return set(rows.values_list("source", "origin", "role"))


def test_role_is_the_highest_of_all_grants(team: Team, mary: User) -> None:
    give_role(team=team, person=mary, role="admin", source="sso", origin="7")
    assert membership(mary, team).role == "admin"
    give_role(team=team, person=mary, role="viewer")
    assert membership(mary, team).role == "admin"
    take_grant(membership=membership(mary, team), source="sso", origin="7")
    assert (membership(mary, team).role, membership(mary, team).is_active) == ("viewer", True)


def test_membership_without_grants_is_suspended_and_its_row_stays(team: Team, mary: User) -> None:
    row = membership(mary, team)
    take_grant(membership=row, source="manual")
    assert membership(mary, team).pk == row.pk
    assert not membership(mary, team).is_active
    assert not teams_of(mary).exists()
    give_role(team=team, person=mary, role="member")
    assert membership(mary, team).is_active


def test_sync_touches_only_grants_of_its_own(team: Team, mary: User) -> None:
    other, third = make_team("other"), make_team("third")
    give_role(team=other, person=mary, role="viewer", source="scim", origin="g1")
    wanted = {team.pk: "admin", third.pk: "member"}
    changes = sync_grants(person=mary, source="sso", origin="7", wanted=wanted)
    assert ([each.slug for each in changes.joined], [each.slug for each in changes.changed]) == (
        ["third"],
        ["atlas"],
    )
    assert not sync_grants(person=mary, source="sso", origin="7", wanted=wanted)
    left = sync_grants(person=mary, source="sso", origin="7", wanted={})
    assert [each.slug for each in left.left] == ["third"]
    assert [each.slug for each in left.changed] == ["atlas"]
    assert grants(mary) == {("manual", "", "member"), ("scim", "g1", "viewer")}
    assert set(teams_of(mary)) == {team, other}


def test_sync_may_take_the_last_owner_and_a_hand_may_not(team: Team, mary: User) -> None:
    sync_grants(person=mary, source="sso", origin="7", wanted={team.pk: "owner"})
    sync_grants(person=mary, source="sso", origin="7", wanted={})
    assert membership(mary, team).role == "member"
    give_role(team=team, person=mary, role="owner")
    acts: list[Callable[[], Any]] = [
        lambda: give_role(team=team, person=mary, role="admin"),
        lambda: take_grant(membership=membership(mary, team), source="manual"),
        lambda: leave(membership=membership(mary, team), keys=None),
        lambda: suspend_member(membership=membership(mary, team)),
    ]
    for act in acts:
        with pytest.raises(Refused) as refused:
            act()
        assert (refused.value.code, refused.value.status) == ("last_owner", 409)
        assert (membership(mary, team).role, membership(mary, team).is_active) == ("owner", True)


def test_owner_who_is_switched_off_is_no_owner_that_is_left(team: Team, mary: User) -> None:
    make_membership(team, make_user("off", is_active=False), role="owner")
    give_role(team=team, person=mary, role="owner")
    with pytest.raises(Refused):
        leave(membership=membership(mary, team), keys=None)


@pytest.mark.parametrize(
    ("by", "before", "after", "code"),
    [
        ("viewer", "viewer", "member", "role_required"),
        ("member", "viewer", "member", "role_required"),
        ("admin", "viewer", "admin", None),
        ("admin", "admin", "viewer", None),
        ("admin", "member", "owner", "owner_required"),
        ("admin", "owner", "admin", "owner_required"),
        ("owner", "member", "owner", None),
        ("owner", "owner", "viewer", None),
    ],
)
def test_only_owners_make_and_unmake_owners(
    team: Team, by: str, before: str, after: str, code: str | None
) -> None:
    acting, other = acting_as(team, by), make_membership(team, role=before)
    make_membership(team, role="owner")
    if code is None:
        give_role(team=team, person=other.user, role=after, by=acting)
    else:
        with pytest.raises(Refused) as refused:
            give_role(team=team, person=other.user, role=after, by=acting)
        assert (refused.value.code, refused.value.status) == (code, 403)
    assert membership(other.user, team).role == (before if code else after)


def test_admin_takes_nobody_out_who_is_an_owner(team: Team) -> None:
    acting, boss = acting_as(team, "admin"), make_membership(team, role="owner")
    make_membership(team, role="owner")
    with pytest.raises(Refused, match="Only an owner"):
        leave(membership=boss, keys=None, by=acting)


def test_unknown_role_is_refused_with_those_that_there_are(team: Team, mary: User) -> None:
    with pytest.raises(InvalidField, match="use owner, admin, member, viewer"):
        give_role(team=team, person=mary, role="boss")


@pytest.mark.parametrize("then", ["viewer", "suspended", "disabled"])
def test_own_keys_are_refused_and_told_to_processes_and_wait_in_a_queue(
    team: Team, mary: User, then: str
) -> None:
    key, _ = make_key(team, owner=mary)
    others, _ = make_key(team)
    assert is_let_in(key)
    if then == "viewer":
        give_role(team=team, person=mary, role="viewer")
    elif then == "suspended":
        suspend_member(membership=membership(mary, team))
    else:
        disable_person(person=mary)
    assert not is_let_in(key)
    assert is_let_in(others)
    assert Key.objects.get(pk=key.pk).revision > key.revision
    assert Key.objects.get(pk=key.pk).stopped_by == "owner"
    assert list(keys_left_behind(team)) == [key]
    told = Alert.objects.get(kind="keys.left_behind")
    assert (told.team, told.data["who"], told.data["count"]) == (team, "mary", "1")


def test_keys_work_again_with_the_role(team: Team, mary: User) -> None:
    key, _ = make_key(team, owner=mary)
    suspend_member(membership=membership(mary, team))
    give_role(team=team, person=mary, role="member")
    assert is_let_in(key)
    assert not keys_left_behind(team).exists()


def test_switched_off_person_has_no_session_left_when_they_are_back(team: Team, mary: User) -> None:
    client = Client()
    client.force_login(mary)
    client.get("/keys")
    UserSession.objects.get_or_create(
        user=mary, session_key=client.session.session_key, defaults={"ip": "192.0.2.1"}
    )
    disable_person(person=mary)
    enable_person(person=mary)
    assert client.get("/keys").status_code == 302


def test_leavers_keys_are_asked_about(team: Team, mary: User) -> None:
    make_key(team, owner=mary)
    with pytest.raises(InvalidField, match="Say what becomes of them") as fault:
        leave(membership=membership(mary, team), keys=None)
    assert fault.value.field == "keys"
    assert membership(mary, team).is_active


def test_leavers_keys_are_revoked(team: Team, mary: User) -> None:
    key, _ = make_key(team, owner=mary)
    playground, _ = make_key(team, owner=mary, is_playground=True)
    left = leave(membership=membership(mary, team), keys=KeysThen("revoke"))
    assert not left.is_active
    assert Key.objects.filter(revoked_at__isnull=True).count() == 0
    assert not Alert.objects.filter(kind="keys.left_behind").exists()
    assert {key.pk, playground.pk} == set(Key.objects.values_list("pk", flat=True))


def test_leavers_keys_become_the_teams_or_a_members(team: Team, mary: User) -> None:
    ann = make_user("ann", teams=[team])
    key, _ = make_key(team, owner=mary)
    leave(membership=membership(mary, team), keys=KeysThen("member", ann))
    assert Key.objects.get().owner == ann
    assert is_let_in(key)
    leave(membership=membership(ann, team), keys=KeysThen("team"))
    assert Key.objects.get().owner is None
    assert is_let_in(key)


def test_keys_go_to_nobody_who_may_have_none(team: Team, mary: User) -> None:
    make_key(team, owner=mary)
    viewer, stranger = make_user(teams=[team], role="viewer"), make_user()
    for to in (viewer, stranger, mary, None):
        with pytest.raises(InvalidField):
            leave(membership=membership(mary, team), keys=KeysThen("member", to))
    assert membership(mary, team).is_active


def test_whole_lineage_is_handed_over(team: Team, mary: User) -> None:
    old, _ = make_key(team, owner=mary)
    new, _ = rotate_key(key=old, overlap=timedelta(hours=1))
    robot = ServiceAccount.objects.create(team=team, slug="robot", name="Robot")
    hand_over_key(key=new, to=robot)
    assert {(key.owner, key.service_account) for key in Key.objects.all()} == {(None, robot)}


def test_leaver_hands_on_no_key_that_manages_more_than_they_may(team: Team, mary: User) -> None:
    key, _ = make_key(team, owner=mary, scope="management")
    member = membership(mary, team)
    acting = Acting(mary, team, member, member.rights)
    with pytest.raises(Refused, match="revoke it"):
        leave(membership=member, keys=KeysThen("team"), by=acting)
    leave(membership=membership(mary, team), keys=KeysThen("revoke"), by=acting)
    assert Key.objects.get(pk=key.pk).revoked_at is not None


def test_grant_ends_by_itself(team: Team, mary: User) -> None:
    now = timezone.now()
    give_role(
        team=team,
        person=mary,
        role="admin",
        source="request",
        origin="1",
        until=now + timedelta(hours=1),
    )
    assert end_grants(now) == 0
    assert membership(mary, team).role == "admin"
    assert end_grants(now + timedelta(hours=1)) == 1
    assert membership(mary, team).role == "member"


def test_membership_of_a_version_before_grants_keeps_its_role(team: Team) -> None:
    person = make_user()
    Membership.objects.create(team=team, user=person, role="member")
    sync_grants(person=person, source="sso", origin="7", wanted={team.pk: "owner"})
    sync_grants(person=person, source="sso", origin="7", wanted={})
    assert (membership(person, team).role, membership(person, team).is_active) == ("member", True)


def test_who_joins_and_who_comes_back_gets_what_each_gets(team: Team) -> None:
    team.allowances.create(whose="member", unit="tokens", window="day", amount=5)
    person = make_user()
    give_role(team=team, person=person, role="member")
    assert Limit.objects.get().member == membership(person, team)
    Limit.objects.all().delete()
    suspend_member(membership=membership(person, team))
    give_role(team=team, person=person, role="member")
    assert Limit.objects.count() == 1


def test_role_and_its_reason_are_in_the_teams_audit(team: Team, mary: User) -> None:
    give_role(team=team, person=mary, role=Role.ADMIN)
    suspend_member(membership=membership(mary, team))
    events = set(AuditEntry.objects.filter(team_id=team.pk).values_list("event", flat=True))
    assert {"member.role_changed", "member.suspended", "member_grant.deleted"} <= events


@pytest.mark.django_db(transaction=True)
def test_of_two_last_owners_who_leave_at_once_one_stays(at_once: Callable[..., list[Any]]) -> None:
    team = make_team("atlas")
    rows = [make_membership(team, role="owner") for _ in range(2)]

    def go(row: Membership) -> str:
        try:
            leave(membership=row, keys=None)
        except Refused as refused:
            return refused.code
        return "left"

    told = at_once(*[lambda row=row: go(row) for row in rows])
    assert sorted(told) == ["last_owner", "left"]
    assert team.memberships.active().count() == 1


def test_key_that_is_handed_over_is_known_to_who_had_it_until_it_is_rotated(team: Team, mary: User) -> None:
    member = give_role(team=team, person=mary, role="member")
    key, _ = make_key(team, "hers", owner=mary)
    ann, bob = (make_membership(team, make_user(name), role="owner").user for name in ("ann", "bob"))
    leave(membership=member, keys=KeysThen("member", ann))
    key.refresh_from_db()
    assert key.known_to == mary
    hand_over_key(key=key, to=bob)
    key.refresh_from_db()
    # Nobody is shown a key's text again, so ann has never known it.
    assert key.known_to == mary
    assert rotate_key(key=key, overlap=timedelta(0))[0].known_to is None
    hand_over_key(key=key, to=None)
    give_role(team=team, person=mary, role="member")
    hand_over_key(key=key, to=mary)
    key.refresh_from_db()
    assert key.known_to is None


def test_who_keeps_identity_providers_gains_nothing_by_them(team: Team, mary: User) -> None:
    other = make_team("other")
    sync_grants(person=mary, source="sso", origin="1", wanted={team.pk: "admin"})
    mary.is_staff = True
    mary.save()
    mary.user_permissions.add(Permission.objects.get(codename="change_claimrule"))
    mary = User.objects.get(pk=mary.pk)
    sync_grants(person=mary, source="sso", origin="1", wanted={team.pk: "owner", other.pk: "viewer"})
    sync_grants(person=mary, source="scim", origin="g", wanted={team.pk: "owner"})
    assert dict(mary.memberships.values_list("team__slug", "role")) == {team.slug: "admin"}
    told = AuditEntry.objects.filter(event="member.not_raised").latest("id")
    assert told.changes == {"teams": [None, team.slug]}
    sync_grants(person=mary, source="sso", origin="1", wanted={team.pk: "member"})
    assert mary.memberships.get().role == "member"
    sync_grants(person=mary, source="sso", origin="1", wanted={})
    assert grants(mary) == {("manual", "", "member")}
