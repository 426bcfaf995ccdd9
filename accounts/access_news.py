"""Alerts of access requests: to those who decide, and to who asked."""

from typing import Any

from accounts.access_desks import deciders_of
from accounts.alerts.raising import raise_alert
from accounts.memberships import people_of
from accounts.models import AccessRequest
from accounts.rights import Right
from gateway.core.lines import as_one_line


def tell_opened(request: AccessRequest) -> None:
    """Also, once more, where it waits for a second person."""
    window = "second" if request.endorsed_by_id else ""
    if request.decider == AccessRequest.Decider.TEAM and request.team is not None:
        people = set(people_of(request.team, Right.DECIDE).values_list("pk", flat=True))
        _raise("request.opened", request, people - {request.person_id}, window)
        return
    people = deciders_of(request)
    people -= {request.person_id, request.endorsed_by_id}
    raise_alert(
        "request.for_staff",
        cause=request.public_id,
        window=window,
        people=people,
        data=_about(request),
    )


def tell_decided(request: AccessRequest) -> None:
    _raise("request.decided", request, {request.person_id})


def tell_ended(request: AccessRequest) -> None:
    _raise("request.ended", request, {request.person_id})


def _raise(kind: str, request: AccessRequest, people: set[int], window: str = "") -> None:
    is_staffs = request.kind == AccessRequest.Kind.STAFF_BUDGET
    raise_alert(
        kind,
        cause=request.public_id,
        window=window,
        team=None if is_staffs else request.team,
        people=people,
        data=_about(request),
    )


def _about(request: AccessRequest) -> dict[str, Any]:
    """Members of an alert's data."""
    return {
        "request_id": request.public_id,
        "request_kind": request.kind,
        "what": request.summary,
        "team_name": as_one_line(request.team.name) if request.team else "the operator",
        "who": as_one_line(str(request.person)),
        "reason": request.reason,
        "state": request.state,
        "by": as_one_line(str(request.decided_by)) if request.decided_by else "nobody",
        "note": request.note or "nothing",
        "ends_at": f"{request.until:%Y-%m-%d %H:%M} UTC" if request.until else "not by itself",
    }
