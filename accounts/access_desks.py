"""Which of staff may decide which access requests: a desk its own kinds, others as far as they change such things."""

from collections.abc import Mapping

from django.db.models import Q, QuerySet

from accounts.models import AccessRequest, User

Kind = AccessRequest.Kind
DECIDE = "accounts.change_accessrequest"
NEEDED: Mapping[str, str] = {
    Kind.ROLE: "accounts.change_membership",
    Kind.MODEL: "accounts.change_team",
    Kind.PROVIDER: "accounts.change_team",
    Kind.LIMIT: "accounts.change_limit",
    Kind.BUDGET: "accounts.change_budget",
    Kind.STAFF_BUDGET: "accounts.change_budget",
}
"""What one of staff needs besides DECIDE to grant such a request: nobody gives by one what they may not change."""
REACH, AMOUNTS = "accounts.decide_reach", "accounts.decide_amounts"
OPERATORS = "accounts.change_operators_budget"
DESKS: Mapping[str, Q] = {
    REACH: Q(kind__in=[Kind.MODEL, Kind.PROVIDER]),
    AMOUNTS: Q(kind__in=[Kind.LIMIT, Kind.BUDGET]) | Q(kind=Kind.STAFF_BUDGET, team__isnull=False),
    OPERATORS: Q(kind=Kind.STAFF_BUDGET, team__isnull=True),
}
"""Rights of which each alone sees, grants and declines such requests, and changes nothing else."""


def desk_of(kind: str, *, is_operators: bool) -> str | None:
    """The right whose desk such a request is; a role is nobody's but the team's, and of who may change memberships."""
    match kind:
        case Kind.MODEL | Kind.PROVIDER:
            return REACH
        case Kind.LIMIT | Kind.BUDGET:
            return AMOUNTS
        case Kind.STAFF_BUDGET:
            return OPERATORS if is_operators else AMOUNTS
    return None


def may_decide(person: User, request: AccessRequest) -> bool:
    """Grant it where `may_grant` says so, too; decline it in any case."""
    return person.is_active and person.is_staff and (person.has_perm(DECIDE) or _is_at_desk(person, request))


def may_grant(person: User, request: AccessRequest) -> bool:
    return person.has_perm(NEEDED[request.kind]) or _is_at_desk(person, request)


def seen_by(person: User, rows: QuerySet[AccessRequest]) -> QuerySet[AccessRequest]:
    """Of one who may not look at all of them: those of their desks."""
    found = rows.none()
    for right in rights_at_desks(person):
        found |= rows.filter(DESKS[right])
    return found


def rights_at_desks(person: User) -> list[str]:
    return [right for right in DESKS if person.has_perm(right)]


def deciders_of(request: AccessRequest) -> set[int]:
    """Ids of staff who may decide it; superusers only where they were given such a right, too."""
    desk = desk_of(request.kind, is_operators=request.team_id is None)
    return _with(DECIDE) | (_with(desk) if desk else set())


def _is_at_desk(person: User, request: AccessRequest) -> bool:
    desk = desk_of(request.kind, is_operators=request.team_id is None)
    return desk is not None and person.has_perm(desk)


def _with(right: str) -> set[int]:
    backend = "django.contrib.auth.backends.ModelBackend"
    people = User.objects.with_perm(right, include_superusers=False, backend=backend)
    return set(people.filter(is_staff=True, is_active=True).values_list("pk", flat=True))
