"""`/v1/access-requests`: what members of a team ask for, and what is decided."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import access_requests
from accounts.access_request_serializers import (
    AccessRequestListParameters,
    AccessRequestListSerializer,
    AccessRequestSerializer,
    DecisionSerializer,
    NewAccessRequestSerializer,
)
from accounts.acting import Acting
from accounts.described import operation, page_of_one
from accounts.management_view import ManagementView, acting_of, checked, page_of
from accounts.models import AccessRequest
from accounts.rights import Right
from gateway.core.errors import ApiError

_LIMIT = {"subject": "key", "subject_id": "4f9xk2ab", "unit": "requests", "window": "minute", "amount": 120}
_NEW = {
    "kind": "limit",
    "asked": _LIMIT,
    "reason": "The backfill of October",
    "until": "2026-12-01T00:00:00Z",
}
_REQUEST = {
    "id": "arq_2f0c9a3be1d84a7b",
    "object": "access_request",
    "team": "research",
    "person": "mary",
    **_NEW,
    "summary": "120 requests a minute for key 4f9xk2ab",
    "decider": "team",
    "state": "open",
    "decided_by": None,
    "decided_at": None,
    "note": "",
    "ended_at": None,
    "created_at": "2026-11-02T09:30:00Z",
}
_OVER = {"decided_by": "ann", "decided_at": "2026-11-02T10:00:00Z"}
_GRANTED = _REQUEST | _OVER | {"state": "granted", "note": "Until the backfill is through"}


def _rows(acting: Acting) -> QuerySet[AccessRequest]:
    """All of the team for those who decide, else one's own."""
    rows = acting.team.access_requests.of_members().select_related("team", "person", "decided_by")
    return rows if acting.may(Right.DECIDE) else rows.filter(person=acting.person)


def _find(acting: Acting, text: str) -> AccessRequest:
    """One of the team that they may see. Raises ApiError, Refused."""
    # PostgreSQL fails on a NUL.
    of_team = acting.team.access_requests.of_members().select_related("team", "person", "decided_by")
    found = of_team.filter(public_id=text).first() if text.isprintable() else None
    if found is not None:
        acting.check(Right.ASK)
    if found is None or not (
        acting.may(Right.DECIDE) or found.person_id == (acting.person and acting.person.pk)
    ):
        raise ApiError(f"There is no access request '{text}' that you may see.", status=404, code="not_found")
    return found


def _write(found: AccessRequest, answer_status: int = status.HTTP_200_OK) -> Response:
    return Response(AccessRequestSerializer(found).data, status=answer_status)


@extend_schema_view(
    get=operation(
        "access_request_list",
        "List access requests, the latest first: one's own, or all of the team for those who decide",
        query=[AccessRequestListParameters],
        responses=AccessRequestListSerializer,
        told=page_of_one(_REQUEST),
    ),
    post=operation(
        "access_request_create",
        "Ask for more than one has; an open request of the same words is answered with 200",
        request=NewAccessRequestSerializer,
        responses={201: AccessRequestSerializer, 200: AccessRequestSerializer},
        sent=_NEW,
        told=_REQUEST,
    ),
)
class AccessRequestsView(ManagementView):
    """`/v1/access-requests`. Only people who signed in ask and decide."""

    def get(self, request: Request) -> Response:
        query = checked(AccessRequestListParameters, request.query_params.dict())
        rows = _rows(acting_of(request, query.get("team"), Right.ASK))
        if "state" in query:
            rows = rows.filter(state=query["state"])
        return page_of(rows, query, lambda page: AccessRequestSerializer(page, many=True).data)

    def post(self, request: Request) -> Response:
        acting, given = self.acting(Right.ASK), checked(NewAccessRequestSerializer, request.data)
        made, is_new = access_requests.ask(**given, by=acting)
        return _write(made, status.HTTP_201_CREATED if is_new else status.HTTP_200_OK)


@extend_schema_view(
    get=operation(
        "access_request_retrieve", "One access request", responses=AccessRequestSerializer, told=_REQUEST
    ),
    delete=operation(
        "access_request_destroy",
        "Withdraw an open request of one's own; the row stays",
        responses={200: AccessRequestSerializer},
        told=_REQUEST | {"state": "withdrawn"},
    ),
)
class AccessRequestView(ManagementView):
    """`/v1/access-requests/{id}`."""

    def get(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002  # the name in the address
        return _write(_find(self.acting(), id))

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        acting = self.acting()
        found = _find(acting, id)
        if acting.person is None:
            raise acting.refusal(Right.ASK)
        return _write(access_requests.withdraw(request=found, person=acting.person))


class DecisionView(ManagementView):
    """`/v1/access-requests/{id}/decide`."""

    @operation(
        "access_request_decide",
        "Grant or decline what is the team's own to decide; nobody decides their own request",
        request=DecisionSerializer,
        responses=AccessRequestSerializer,
        sent={"decision": "grant", "note": _GRANTED["note"]},
        told=_GRANTED,
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        acting = self.acting()
        found = _find(acting, id)
        given = checked(DecisionSerializer, request.data)
        grants = given.pop("decision") == "grant"
        return _write(access_requests.decide(request=found, grants=grants, by=acting, **given))


class EndView(ManagementView):
    """`/v1/access-requests/{id}/end`."""

    @operation(
        "access_request_end",
        "Take back now what was granted: by those who decide, or by who asked",
        request=None,
        responses=AccessRequestSerializer,
        told=_GRANTED | {"state": "ended", "ended_at": "2026-11-03T09:30:00Z"},
    )
    def post(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        acting = self.acting()
        return _write(access_requests.end(request=_find(acting, id), by=acting))
