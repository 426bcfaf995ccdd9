"""`/v1/limits`: how much a team's keys, people, programs, projects and the team itself may have."""

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.limit_serializers import (
    LimitChangesSerializer,
    LimitListSerializer,
    LimitSerializer,
    NewLimitSerializer,
    write_limits,
)
from accounts.limiting import remove_limit, set_limit
from accounts.management_view import checked
from accounts.models import Limit
from accounts.subject_rows import Owner
from accounts.subject_views import SubjectRowsView, SubjectRowView, row_schema, rows_schema

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
    "remaining": 87_500,
    "reset_s": 7.5,
    "set_by": "mary",
    "set_at": "2026-11-02T09:30:00Z",
}
_NEW = {name: _LIMIT[name] for name in ("subject", "subject_id", "unit", "window", "amount")}


@rows_schema(
    "limit",
    NewLimitSerializer,
    LimitSerializer,
    LimitListSerializer,
    sent=_NEW,
    case="Tokens a minute for a project",
    example=_LIMIT,
)
class LimitsView(SubjectRowsView):
    """`/v1/limits`."""

    kind, new, measure = Limit, NewLimitSerializer, ("unit", "window")
    write = staticmethod(write_limits)

    def make(self, subject: Owner, terms: dict[str, Any]) -> Limit:
        return set_limit(subject=subject, **terms)


@row_schema(
    "limit",
    LimitChangesSerializer,
    LimitSerializer,
    sent={"amount": 50_000},
    case="Less",
    example=_LIMIT,
)
class LimitView(SubjectRowView):
    """`/v1/limits/{id}`."""

    kind = Limit
    write = staticmethod(write_limits)

    def patch(self, request: Request, id: str) -> Response:  # noqa: A002  # the name in the address
        limit = self.find_changeable(id)
        changes = checked(LimitChangesSerializer, request.data, partial=True)
        if "amount" in changes:
            subject = limit.subject_row
            limit = set_limit(subject=subject, unit=limit.unit, window=limit.window, amount=changes["amount"])
        return self.told(limit)

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        remove_limit(limit=self.find_changeable(id))
        return Response(status=status.HTTP_204_NO_CONTENT)
