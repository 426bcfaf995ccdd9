"""`/v1/limits`: how much a team's keys, people, programs, projects and the team itself may have."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.limit_serializers import (
    LimitChangesSerializer,
    LimitListParameters,
    LimitListSerializer,
    LimitSerializer,
    NewLimitSerializer,
)
from accounts.limiting import BY_OWNERS, Owner, remove_limit, set_limit, subject_columns
from accounts.management_view import TEAM, ManagementView, checked, own_team, team_of
from accounts.models import Key, Limit, Team
from gateway.core.errors import ApiError
from gateway.core.refusals import InvalidField

_LIMIT = {
    "id": "17",
    "object": "limit",
    "team": "research",
    "subject": "project",
    "subject_id": "invoices",
    "unit": "tokens",
    "window": "minute",
    "amount": 100_000,
    "most": None,
    "set_by": "mary",
    "set_at": "2026-11-02T09:30:00Z",
}
_NEW = {name: _LIMIT[name] for name in ("subject", "subject_id", "unit", "window", "amount")}
_ANSWER = OpenApiExample("A limit", value=_LIMIT, response_only=True)
_SENT = OpenApiExample("Tokens a minute for a project", value=_NEW, request_only=True)
_CHANGE = OpenApiExample("Less", value={"amount": 50_000}, request_only=True)
_PAGE = OpenApiExample(
    "One page",
    value={"object": "list", "total": 1, "limit": 50, "offset": 0, "data": [_LIMIT]},
    response_only=True,
)


@extend_schema_view(
    get=extend_schema(
        tags=["team"],
        operation_id="limit_list",
        summary="List the limits of the team and of all that belongs to it",
        parameters=[TEAM, LimitListParameters],
        responses=LimitListSerializer,
        examples=[_PAGE],
    ),
    post=extend_schema(
        tags=["team"],
        operation_id="limit_create",
        summary="Make a limit; one that is there with the same amount is answered with 200",
        parameters=[TEAM],
        request=NewLimitSerializer,
        responses={201: LimitSerializer, 200: LimitSerializer},
        examples=[_SENT, _ANSWER],
    ),
)
class LimitsView(ManagementView):
    """`/v1/limits`."""

    def get(self, request: Request) -> Response:
        query = checked(LimitListParameters, request.query_params.dict())
        team = team_of(request, query.get("team"))
        rows = Limit.objects.for_team(team).with_subjects()
        if "subject" in query:
            rows = rows.filter(**{f"{query['subject']}__isnull": False})
        if "subject_id" in query:
            if "subject" not in query:
                raise InvalidField("subject", "subject is needed to say what subject_id names.")
            rows = rows.filter(**subject_columns(find_subject(team, query["subject"], query["subject_id"])))
        limit, offset = query["limit"], query["offset"]
        page = LimitSerializer(rows[offset : offset + limit], many=True).data
        return Response(
            {"object": "list", "total": rows.count(), "limit": limit, "offset": offset, "data": page}
        )

    def post(self, request: Request) -> Response:
        team, given = self.asked_team(), checked(NewLimitSerializer, request.data)
        subject = find_subject(team, given["subject"], given.get("subject_id"))
        check_may_set(self, given["subject"])
        window = given.get("window") or Limit.Window.NONE
        measure = {"unit": given["unit"], "window": window}
        there = (
            Limit.objects.for_team(team).with_subjects().filter(**subject_columns(subject), **measure).first()
        )
        if there is None:
            made = set_limit(subject=subject, amount=given["amount"], **measure)
            return Response(LimitSerializer(made).data, status=status.HTTP_201_CREATED)
        if there.amount != given["amount"]:
            message = (
                f"There is such a limit already, of {there.amount}. Change that one: its id is '{there.pk}'."
            )
            raise ApiError(message, status=409, code="already_exists", param="amount")
        return Response(LimitSerializer(there).data)


@extend_schema_view(
    get=extend_schema(
        tags=["team"],
        operation_id="limit_retrieve",
        summary="One limit",
        parameters=[TEAM],
        responses=LimitSerializer,
        examples=[_ANSWER],
    ),
    patch=extend_schema(
        tags=["team"],
        operation_id="limit_partial_update",
        summary="Change how much it is, in force within a second",
        parameters=[TEAM],
        request=LimitChangesSerializer,
        responses=LimitSerializer,
        examples=[_CHANGE, _ANSWER],
    ),
    delete=extend_schema(
        tags=["team"],
        operation_id="limit_destroy",
        summary="Remove a limit that is the team's own",
        parameters=[TEAM],
        responses={204: None},
        examples=[],
    ),
)
class LimitView(ManagementView):
    """`/v1/limits/{id}`."""

    def get(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002  # the name in the address
        return Response(LimitSerializer(self._find(id)).data)

    def patch(self, request: Request, id: str) -> Response:  # noqa: A002
        limit = self._find(id)
        check_may_set(self, limit.subject_kind)
        changes = checked(LimitChangesSerializer, request.data, partial=True)
        if "amount" in changes:
            subject: Any = limit.subject_row
            limit = set_limit(subject=subject, unit=limit.unit, window=limit.window, amount=changes["amount"])
        return Response(LimitSerializer(limit).data)

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        limit = self._find(id)
        check_may_set(self, limit.subject_kind)
        remove_limit(limit=limit)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _find(self, text: str) -> Limit:
        # As long as the ids that there are: no database is asked for others.
        is_id = text.isascii() and text.isdecimal() and len(text) < 19
        limit = (
            Limit.objects.for_team(self.asked_team()).with_subjects().filter(pk=int(text)).first()
            if is_id
            else None
        )
        if limit is None:
            raise ApiError(f"There is no limit '{text}' in this team.", status=404, code="not_found")
        return limit


def find_subject(team: Team, kind: str, name: str | None) -> Owner:
    """The team's, by how it is named. Raises InvalidField."""
    rows: dict[str, tuple[QuerySet[Any], str]] = {
        "key": (Key.objects.for_team(team).select_related("first", "team"), "public_id"),
        "member": (team.memberships.select_related("user", "team"), "user__username"),
        "service_account": (team.service_accounts.all(), "slug"),
        "project": (team.projects.all(), "slug"),
    }
    if kind == "team":
        found: Owner | None = team if name in {None, team.slug} else None
    else:
        queryset, field = rows[kind]
        # PostgreSQL fails on a NUL.
        found = queryset.filter(**{field: name}).first() if name and name.isprintable() else None
    if found is None:
        what = kind.replace("_", " ")
        raise InvalidField("subject_id", f"subject_id is {name!r}, and this team has no such {what}.")
    return found


def check_may_set(view: ManagementView, kind: str) -> None:
    """Of the team and its people its owners decide. Raises ApiError."""
    if kind in BY_OWNERS:
        own_team(view)
