"""Looking at the portal as a team sees it: kept in the session of whoever may, and told in the team's audit."""

import time

from django.http import HttpRequest

from accounts.audit import record_event
from accounts.models import Team, User

RIGHT = "accounts.view_as_team"
_KEPT = "view_as"
LONGEST_S = 3_600
"""After which it ends by itself."""


def begin(request: HttpRequest, team: Team) -> None:
    end(request)
    request.session[_KEPT] = {"team": team.pk, "since": time.time()}
    record_event("view_as.begun", team=team, row=team)


def end(request: HttpRequest) -> Team | None:
    """The team that was looked at, if one was."""
    kept = request.session.pop(_KEPT, None)
    team = Team.objects.filter(pk=kept["team"]).first() if kept else None
    if team is not None:
        record_event("view_as.ended", team=team, row=team)
    return team


def viewed_team(request: HttpRequest) -> Team | None:
    """The one that is looked at now. What nobody may any more, or went on for too long, ends."""
    kept = request.session.get(_KEPT)
    if kept is None:
        return None
    person = request.user
    is_over = time.time() - kept["since"] > LONGEST_S
    if is_over or not isinstance(person, User) or not (person.is_staff and person.has_perm(RIGHT)):
        end(request)
        return None
    team: Team | None = Team.objects.filter(pk=kept["team"]).first()
    return team
