"""Changes to who belongs to a team and as what, and what becomes of the keys of those who leave.

Each takes the next revision of keys first: its lock puts them into one order, and every process notices.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts import services
from accounts.acting import Acting, refusal
from accounts.alerts.raising import raise_alert
from accounts.allowances import grant as grant_allowances
from accounts.audit import record_event
from accounts.models import Key, Membership, MembershipGrant, ServiceAccount, Team, User
from accounts.people import keeps_who_people_are
from accounts.revision import Part, take_revision
from accounts.rights import CALLING, RANK, Right, Role, highest
from accounts.scopes import MANAGEMENT
from accounts.sessions import end_sessions
from gateway.core.lines import as_one_line
from gateway.core.refusals import InvalidField, Refused

Source = MembershipGrant.Source


@dataclass(frozen=True, slots=True)
class KeysThen:
    """What becomes of a leaver's keys: they are revoked, or the team's own, or the member's `to`."""

    act: Literal["revoke", "team", "member"]
    to: User | None = None


@dataclass(slots=True)
class Changes:
    """What a sync did: the teams that were joined, in which the role changed, and that were left."""

    joined: list[Team] = field(default_factory=list)
    changed: list[Team] = field(default_factory=list)
    left: list[Team] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.joined or self.changed or self.left)


def teams_of(person: User) -> QuerySet[Team]:
    """Those to which they belong now."""
    return Team.objects.filter(memberships__user=person, memberships__suspended_at__isnull=True)


def people_of(team: Team, right: Right = Right.READ) -> QuerySet[User]:
    """Those who belong to it now, with a role that has the right."""
    return User.objects.filter(pk__in=team.memberships.with_right(right).values("user"))


@transaction.atomic
def give_role(
    *,
    team: Team,
    person: User,
    role: str,
    source: str = Source.MANUAL,
    origin: str = "",
    until: datetime | None = None,
    by: Acting | None = None,
) -> Membership:
    """Set that one grant; who was not there joins. The role is the highest of all their grants.

    `by`: who does it, None for staff and machines. Raises InvalidField, Refused.
    """
    role = read_role(role)
    revision = take_revision(Part.KEYS)
    membership = team.memberships.filter(user=person).first()
    before = _role_now(membership)
    _check_may(by, team, before, role)
    if membership is None:
        membership = Membership.objects.create(team=team, user=person, role=role)
    else:
        _keep_reason(membership)
    _set_grant(membership, source, origin, role, until)
    _settle(membership, before, revision)
    if source == Source.MANUAL:
        check_owner_left(team, before)
    return membership


@transaction.atomic
def take_grant(
    *, membership: Membership, source: str, origin: str = "", by: Acting | None = None
) -> Membership:
    """Remove that one grant; without any the membership is suspended. Raises Refused."""
    revision = take_revision(Part.KEYS)
    membership.refresh_from_db(fields=["role", "suspended_at"])
    before = _role_now(membership)
    _check_may(by, membership.team, before, None)
    _keep_reason(membership)
    membership.grants.filter(source=source, origin=origin).delete()
    _settle(membership, before, revision)
    if source == Source.MANUAL:
        check_owner_left(membership.team, before)
    return membership


@transaction.atomic
def sync_grants(*, person: User, source: str, origin: str, wanted: Mapping[int, str]) -> Changes:
    """Have exactly `wanted` (team's id → role) of that source and origin; grants of others are not touched.

    Who says by rules and groups what people are gains nothing by them.
    """
    changes = Changes()
    had = _grants(person, source, origin)
    if keeps_who_people_are(person):
        wanted = _not_raised(person, had, wanted)
    if {team: grant.role for team, grant in had.items()} == {
        team: str(role) for team, role in wanted.items()
    }:
        return changes
    revision = take_revision(Part.KEYS)
    had = _grants(person, source, origin)
    for team in Team.objects.filter(pk__in=wanted):
        grant = had.get(team.pk)
        if grant is None or grant.role != wanted[team.pk]:
            membership = grant.membership if grant else team.memberships.filter(user=person).first()
            before = _role_now(membership)
            after = give_role(team=team, person=person, role=wanted[team.pk], source=source, origin=origin)
            if before is None:
                changes.joined.append(team)
            elif after.role != before:
                changes.changed.append(team)
    for team_id in had.keys() - wanted.keys():
        membership = had[team_id].membership
        before = _role_now(membership)
        had[team_id].delete()
        _settle(membership, before, revision)
        if not membership.is_active:
            changes.left.append(membership.team)
        elif membership.role != before:
            changes.changed.append(membership.team)
    return changes


@transaction.atomic
def end_grants(at: datetime) -> int:
    """Take those whose time is over. Returns how many."""
    over = MembershipGrant.objects.filter(until__lte=at)
    if not over.exists():
        return 0
    revision = take_revision(Part.KEYS)
    ended = list(over.select_related("membership__team"))
    for grant in ended:
        before = _role_now(grant.membership)
        grant.delete()
        _settle(grant.membership, before, revision)
    return len(ended)


@transaction.atomic
def leave(*, membership: Membership, keys: KeysThen | None, by: Acting | None = None) -> Membership:
    """Suspend a membership, by its person or by those who may: all its grants go, and its row stays.

    `keys` says what becomes of the person's keys; it may be None where there are none.
    Raises InvalidField, Refused.
    """
    take_revision(Part.KEYS)
    membership.refresh_from_db(fields=["role", "suspended_at"])
    before = _role_now(membership)
    if not (by and by.is_own(membership.user_id)):
        _check_may(by, membership.team, before, None)
    _dispose_of_keys(membership, keys, by)
    return suspend_member(membership=membership)


@transaction.atomic
def suspend_member(*, membership: Membership) -> Membership:
    """Staff's act: all grants go at once, and the person's keys wait in the queue. Raises Refused."""
    revision = take_revision(Part.KEYS)
    membership.refresh_from_db(fields=["role", "suspended_at"])
    before = _role_now(membership)
    membership.grants.all().delete()
    _settle(membership, before, revision)
    check_owner_left(membership.team, before)
    return membership


@transaction.atomic
def disable_person(*, person: User) -> None:
    """Their sessions end, and their keys are refused within a second; whose team it is finds the keys in a queue."""
    _switch_person(person, is_active=False)


@transaction.atomic
def enable_person(*, person: User) -> None:
    """They may sign in again; keys that nobody revoked or handed over meanwhile are let in."""
    _switch_person(person, is_active=True)


def live_keys_of(membership: Membership) -> QuerySet[Key]:
    """Those of the person in that team that are neither revoked nor expired; the playground's aside."""
    return live_keys(membership.team).filter(owner=membership.user_id)


def keys_left_behind(team: Team) -> QuerySet[Key]:
    """Live keys whose owner is switched off, has left or may not have keys any more: somebody has to decide."""
    return live_keys(team).filter(is_left_behind()).select_related("owner", "team").order_by("pk")


def is_left_behind() -> Q:
    """Of live keys."""
    calling = Membership.objects.in_roles(CALLING).filter(team=OuterRef("team"), user=OuterRef("owner"))
    return Q(Q(owner__is_active=False) | ~Exists(calling), owner__isnull=False)


@transaction.atomic
def hand_over_key(
    *, key: Key, to: User | ServiceAccount | None, by: Acting | None = None, is_leaving: bool = False
) -> Key:
    """Make a key, with all of its lineage, somebody else's, or with None the team's own.

    What it used stays its former owner's, who may know its text: it is told so until it is rotated. So whoever may
    not make keys for others hands theirs over only when they leave: they would else call at others' limits and
    budgets. Raises InvalidField, Refused.
    """
    revision = take_revision(Part.KEYS)
    if by is not None and not (by.may_manage(key) if is_leaving else by.may(Right.KEYS)):
        raise refusal(key.team, Right.KEYS)
    if by is not None and MANAGEMENT in key.scope_set and not by.may(Right.KEYS):
        raise Refused(
            "role_required",
            f"“{key.name}” manages keys, which is more than you may hand on: revoke it.",
            status=403,
        )
    key.refresh_from_db(fields=["revoked_at"])
    if key.revoked_at is not None:
        raise InvalidField("revoked_at", "This key is revoked; issue a new one instead.")
    owner = to if isinstance(to, User) else None
    account = to if isinstance(to, ServiceAccount) else None
    services.check_changes(key.team, {"owner": owner, "service_account": account})
    first = key.lineage_id
    for each in Key.objects.filter(Q(pk=first) | Q(first_id=first)):
        _set_owner(each, owner, account, revision)
        each.save(update_fields=["owner", "service_account", "known_to", "revision"])
    _set_owner(key, owner, account, revision)
    return key


def _set_owner(key: Key, owner: User | None, account: ServiceAccount | None, revision: int) -> None:
    knows = key.known_to_id or key.owner_id
    key.known_to_id = None if owner is not None and owner.pk == knows else knows
    key.owner, key.service_account, key.revision = owner, account, revision


def check_may_give(by: Acting, role: Role) -> None:
    """Raises Refused."""
    _check_may(by, by.team, None, role)


def read_role(text: str) -> Role:
    """Raises InvalidField."""
    try:
        return Role(text)
    except ValueError:
        raise InvalidField("role", f"role is {text!r}; use {', '.join(reversed(Role))}.") from None


def _grants(person: User, source: str, origin: str) -> dict[int, MembershipGrant]:
    """By the id of their team."""
    rows = MembershipGrant.objects.filter(membership__user=person, source=source, origin=origin)
    return {grant.membership.team_id: grant for grant in rows.select_related("membership__team")}


def _not_raised(
    person: User, had: Mapping[int, MembershipGrant], wanted: Mapping[int, str]
) -> Mapping[int, str]:
    """Without what would be new or more to them; it is told in the audit."""
    kept = {
        team: role
        for team, role in wanted.items()
        if team in had and RANK[Role(role)] <= RANK[Role(had[team].role)]
    }
    more = {team: had[team].role for team in wanted if team in had and team not in kept}
    if len(kept) < len(wanted):
        teams = Team.objects.filter(pk__in=wanted.keys() - kept.keys()).values_list("slug", flat=True)
        record_event("member.not_raised", row=person, facts={"teams": ", ".join(sorted(teams))})
    return kept | more


def _role_now(membership: Membership | None) -> str | None:
    return membership.role if membership is not None and membership.is_active else None


def _keep_reason(membership: Membership) -> None:
    """A process of the version before grants made it: it stands on somebody's word."""
    if membership.is_active and not membership.grants.exists():
        membership.grants.create(source=Source.MANUAL, role=membership.role)


def _set_grant(membership: Membership, source: str, origin: str, role: Role, until: datetime | None) -> None:
    grant = membership.grants.filter(source=source, origin=origin).first()
    if grant is None:
        membership.grants.create(source=source, origin=origin, role=role, until=until)
    elif (grant.role, grant.until) != (role, until):
        grant.role, grant.until = role.value, until
        grant.save(update_fields=["role", "until"])


def _settle(membership: Membership, before: str | None, revision: int) -> None:
    """Bring the membership to what its grants say, and let the person's keys obey."""
    at = timezone.now()
    valid = membership.grants.filter(Q(until__isnull=True) | Q(until__gt=at))
    role = highest(valid.values_list("role", flat=True))
    if role is None:
        membership.suspended_at = membership.suspended_at or at
    else:
        membership.role, membership.suspended_at = role.value, None
    membership.save(update_fields=["role", "suspended_at"])
    if before is None and role is not None:
        grant_allowances(membership)
    Key.objects.filter(team=membership.team_id, owner=membership.user_id).update(revision=revision)
    if before in CALLING and role not in CALLING:
        _tell_left_behind(membership, at)


def _tell_left_behind(membership: Membership, at: datetime) -> None:
    if count := live_keys_of(membership).count():
        data = {
            "who": as_one_line(str(membership.user)),
            "team_name": as_one_line(membership.team.name),
            "count": str(count),
        }
        cause = f"member:{membership.pk}"
        raise_alert("keys.left_behind", cause=cause, window=str(at), team=membership.team, data=data)


def _check_may(by: Acting | None, team: Team, before: str | None, after: Role | None) -> None:
    """Raises Refused."""
    if by is None:
        return
    by.check(Right.MEMBERS)
    if Role.OWNER in {before, after} and not by.may(Right.OWNERS):
        raise Refused(
            "owner_required", f"Only an owner of {team.name} makes or unmakes its owners.", status=403
        )


def check_owner_left(team: Team, before: str | None) -> None:
    """Raises Refused where somebody's hand took the last owner away."""
    if before != Role.OWNER or team.memberships.in_roles([Role.OWNER]).filter(user__is_active=True).exists():
        return
    raise Refused("last_owner", f"{team.name} would have no owner any more: make somebody else one first.")


def _dispose_of_keys(membership: Membership, keys: KeysThen | None, by: Acting | None) -> None:
    held = list(live_keys_of(membership).select_related("team"))
    if held and keys is None:
        count = "a key" if len(held) == 1 else f"{len(held):,} keys"
        raise InvalidField(
            "keys",
            f"{membership.user} has {count} here. Say what becomes of them: revoke them, or hand them over.",
        )
    if keys is not None and keys.act == "member" and (keys.to is None or keys.to.pk == membership.user_id):
        raise InvalidField("hand_over_to", "Name the member who gets the keys.")
    for key in held:
        if keys is None or keys.act == "revoke":
            services.revoke_key(key=key)
        else:
            hand_over_key(key=key, to=keys.to, by=by, is_leaving=True)
    for key in Key.objects.filter(team=membership.team_id, owner=membership.user_id, is_playground=True):
        services.revoke_key(key=key)


def live_keys(team: Team) -> QuerySet[Key]:
    """Neither revoked nor expired; the playground's aside."""
    unexpired = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return Key.objects.for_team(team).filter(unexpired, revoked_at__isnull=True, is_playground=False)


def _switch_person(person: User, *, is_active: bool) -> None:
    person.is_active = is_active
    if not is_active:
        end_sessions(person)
        for membership in person.memberships.in_roles(CALLING).select_related("team", "user"):
            _tell_left_behind(membership, timezone.now())
    services.tell_keys_of(users=[person])
    person.save(update_fields=["is_active"])
    for membership in person.memberships.active().select_related("team", "user"):
        # The person is no team's row, and each of theirs has to read of it.
        event = "member.switched_on" if is_active else "member.switched_off"
        record_event(event, team=membership.team_id, row=membership)
