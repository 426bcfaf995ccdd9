"""For which team a person is on a page, and what they may do there."""

from collections.abc import Sequence
from typing import cast

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from accounts.acting import Acting, refusal
from accounts.models import Membership, Team, User
from accounts.rights import Right
from gateway.core.reader import read_for_team

_ACTED_AS, _EVERYWHERE = "acted_as", "acted_everywhere"


def acting(request: HttpRequest) -> Acting:
    """For the team that the address names, or the person's first. Raises Http404 where they belong to no such team."""
    return choose(request, acting_everywhere(request))


def acted_as(request: HttpRequest) -> Acting | None:
    """For whom the page that is being made was found to act; None where it asked for no team."""
    found: Acting | None = getattr(request, _ACTED_AS, None)
    return found


def acting_with(request: HttpRequest, right: Right) -> Acting:
    """Raises PermissionDenied with who may, and Http404."""
    return checked(acting(request), right)


def acting_for(request: HttpRequest, team: Team, right: Right = Right.READ) -> Acting:
    """For a team that is known by what the address names. Raises PermissionDenied, Http404."""
    if (viewed := _viewed(request)) is not None:
        if viewed != team:
            raise Http404("You look at another team.")
        return checked(act_as(request, _as_viewer(request, viewed)), right)
    membership = _memberships(request).filter(team=team).first()
    return checked(act_as(request, _of(request, membership)), right)


def acting_everywhere(request: HttpRequest) -> list[Acting]:
    """For each of the person's teams, by name."""
    if (viewed := _viewed(request)) is not None:
        found = [_as_viewer(request, viewed)]
    else:
        found = [_of(request, each) for each in _memberships(request).order_by("team__name")]
    setattr(request, _EVERYWHERE, found)
    return found


def acted_everywhere(request: HttpRequest) -> Sequence[Acting]:
    """What the page has looked up before, if it has."""
    found: Sequence[Acting] | None = getattr(request, _EVERYWHERE, None)
    return acting_everywhere(request) if found is None else found


def choose(request: HttpRequest, everywhere: Sequence[Acting]) -> Acting:
    """The one of them whose team the address names, or the first. Raises Http404."""
    slug = request.GET.get("team")
    for each in everywhere:
        if slug in {None, each.team.slug}:
            return act_as(request, each)
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


def act_as(request: HttpRequest, acting: Acting) -> Acting:
    """Keep for whom the page acts, for the column beside it and for times that it tells."""
    setattr(request, _ACTED_AS, acting)
    read_for_team(request, acting.team.time_zone)
    return acting


def _viewed(request: HttpRequest) -> Team | None:
    """The team that support looks at, in place of its own."""
    team: Team | None = getattr(request, "viewing_as", None)
    return team


def _as_viewer(request: HttpRequest, team: Team) -> Acting:
    return Acting(person_of(request), team, None, frozenset({Right.READ}), is_viewing_as=True)


def _memberships(request: HttpRequest) -> QuerySet[Membership]:
    """With what overviews need of their teams."""
    rows = Membership.objects.active().filter(user=person_of(request))
    return rows.select_related("team__usage_closed")


def _of(request: HttpRequest, membership: Membership | None) -> Acting:
    if membership is None:
        raise Http404("You belong to no such team.")
    return Acting(person_of(request), membership.team, membership, membership.rights)
