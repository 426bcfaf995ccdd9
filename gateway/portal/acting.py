"""For which team a person is on a page, and what they may do there."""

from collections.abc import Sequence
from typing import cast

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from accounts.acting import Acting, refusal
from accounts.models import Membership, Team, User
from accounts.rights import Right


def acting(request: HttpRequest) -> Acting:
    """For the team that the address names, or the person's first. Raises Http404 where they belong to no such team."""
    return choose(acting_everywhere(request), request.GET.get("team"))


def acting_with(request: HttpRequest, right: Right) -> Acting:
    """Raises PermissionDenied with who may, and Http404."""
    return checked(acting(request), right)


def acting_for(request: HttpRequest, team: Team, right: Right = Right.READ) -> Acting:
    """For a team that is known by what the address names. Raises PermissionDenied, Http404."""
    if (viewed := _viewed(request)) is not None:
        if viewed != team:
            raise Http404("You look at another team.")
        return checked(_as_viewer(request, viewed), right)
    return checked(_of(request, _memberships(request).filter(team=team).first()), right)


def acting_everywhere(request: HttpRequest) -> list[Acting]:
    """For each of the person's teams, by name."""
    if (viewed := _viewed(request)) is not None:
        return [_as_viewer(request, viewed)]
    return [_of(request, each) for each in _memberships(request).order_by("team__name")]


def choose(everywhere: Sequence[Acting], slug: str | None) -> Acting:
    """The one of that team, or the first. Raises Http404."""
    for each in everywhere:
        if slug in {None, each.team.slug}:
            return each
    raise Http404("You belong to no such team.")


def checked(acting: Acting, right: Right) -> Acting:
    if not acting.may(right):
        raise PermissionDenied(refusal(acting.team, right).message)
    return acting


def person_of(request: HttpRequest) -> User:
    """Behind login_required there is always one."""
    return cast("User", request.user)


def teams_here(request: HttpRequest) -> list[Team]:
    """Those that pages may be of."""
    return [each.team for each in acting_everywhere(request)]


def _viewed(request: HttpRequest) -> Team | None:
    """The team that support looks at, in place of its own."""
    team: Team | None = getattr(request, "viewing_as", None)
    return team


def _as_viewer(request: HttpRequest, team: Team) -> Acting:
    return Acting(person_of(request), team, None, frozenset({Right.READ}), is_viewing_as=True)


def _memberships(request: HttpRequest) -> QuerySet[Membership]:
    return Membership.objects.active().filter(user=person_of(request)).select_related("team")


def _of(request: HttpRequest, membership: Membership | None) -> Acting:
    if membership is None:
        raise Http404("You belong to no such team.")
    return Acting(person_of(request), membership.team, membership, membership.rights)
