"""`/v1/budgets`: how much a team's keys, people, programs, projects and the team itself may spend."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.budget_serializers import (
    BudgetChangesSerializer,
    BudgetListParameters,
    BudgetListSerializer,
    BudgetSerializer,
    NewBudgetSerializer,
    RaiseSerializer,
    write_budgets,
)
from accounts.budgeting import change_budget, columns_of, end_raise, make_budget, raise_budget, remove_budget
from accounts.limit_views import check_may_set, find_subject
from accounts.management_view import TEAM, ManagementView, checked, team_of
from accounts.models import Budget
from gateway.core.errors import ApiError
from gateway.core.refusals import InvalidField

_BUDGET = {
    "id": "17",
    "object": "budget",
    "team": "research",
    "subject": "project",
    "subject_id": "invoices",
    "window": "month",
    "zone": "Europe/Berlin",
    "amount_usd": "250",
    "most_usd": None,
    "raise_usd": None,
    "raise_until": None,
    "mode": "balanced",
    "refuses": True,
    "thresholds": [80, 100],
    "is_active": True,
    "spent_usd": "12.3456",
    "left_usd": "237.6544",
    "window_start": "2026-10-31T23:00:00Z",
    "resets_at": "2026-11-30T23:00:00Z",
    "set_by": "mary",
    "set_at": "2026-11-02T09:30:00Z",
}
_NEW = {name: _BUDGET[name] for name in ("subject", "subject_id", "window", "zone", "amount_usd")}
_ANSWER = OpenApiExample("A budget", value=_BUDGET, response_only=True)
_SENT = OpenApiExample("A project's month", value=_NEW, request_only=True)
_CHANGE = OpenApiExample("Less", value={"amount_usd": "200"}, request_only=True)
_RAISE = OpenApiExample(
    "Fifty more", value={"raise_usd": "50", "raise_until": "2026-11-30T12:00:00Z"}, request_only=True
)
_PAGE = OpenApiExample(
    "One page",
    value={"object": "list", "total": 1, "limit": 50, "offset": 0, "data": [_BUDGET]},
    response_only=True,
)


class _BudgetView(ManagementView):
    """Of one team's budgets."""

    def found(self, text: str) -> Budget:
        # As long as the ids that there are: no database is asked for others.
        is_id = text.isascii() and text.isdecimal() and len(text) < 19
        budgets = Budget.objects.for_team(self.asked_team()).with_subjects()
        budget = budgets.filter(pk=int(text)).first() if is_id else None
        if budget is None:
            raise ApiError(f"There is no budget '{text}' in this team.", status=404, code="not_found")
        return budget

    def changeable(self, text: str) -> Budget:
        budget = self.found(text)
        check_may_set(self, budget.subject_kind)
        return budget


@extend_schema_view(
    get=extend_schema(
        tags=["team"],
        operation_id="budget_list",
        summary="List the budgets of the team and of all that belongs to it, with what is spent and left",
        parameters=[TEAM, BudgetListParameters],
        responses=BudgetListSerializer,
        examples=[_PAGE],
    ),
    post=extend_schema(
        tags=["team"],
        operation_id="budget_create",
        summary="Make a budget; one that is there with the same terms is answered with 200",
        parameters=[TEAM],
        request=NewBudgetSerializer,
        responses={201: BudgetSerializer, 200: BudgetSerializer},
        examples=[_SENT, _ANSWER],
    ),
)
class BudgetsView(ManagementView):
    """`/v1/budgets`."""

    def get(self, request: Request) -> Response:
        query = checked(BudgetListParameters, request.query_params.dict())
        team = team_of(request, query.get("team"))
        rows = Budget.objects.for_team(team).with_subjects()
        if "subject" in query:
            rows = rows.filter(**{f"{query['subject']}__isnull": False})
        if "subject_id" in query:
            if "subject" not in query:
                raise InvalidField("subject", "subject is needed to say what subject_id names.")
            rows = rows.filter(**columns_of(find_subject(team, query["subject"], query["subject_id"])))
        limit, offset = query["limit"], query["offset"]
        page = write_budgets(list(rows[offset : offset + limit]))
        return Response(
            {"object": "list", "total": rows.count(), "limit": limit, "offset": offset, "data": page}
        )

    def post(self, request: Request) -> Response:
        team, given = self.asked_team(), checked(NewBudgetSerializer, request.data)
        kind, window = given.pop("subject"), given.pop("window")
        subject = find_subject(team, kind, given.pop("subject_id", None))
        check_may_set(self, kind)
        there = Budget.objects.with_subjects().filter(**columns_of(subject), window=window)
        try:
            if not there.exists():
                made = make_budget(subject=subject, window=window, **given)
                return Response(write_budgets([made])[0], status=status.HTTP_201_CREATED)
        except InvalidField:
            # Of two at once the second finds it made.
            if not there.exists():
                raise
        budget = there.get()
        for name, value in given.items():
            if getattr(budget, name) != value:
                message = (
                    f"There is such a budget, with another {name}. Change that one: its id is '{budget.pk}'."
                )
                raise ApiError(message, status=409, code="already_exists", param=name)
        return Response(write_budgets([budget])[0])


@extend_schema_view(
    get=extend_schema(
        tags=["team"],
        operation_id="budget_retrieve",
        summary="One budget, with what is spent and left",
        parameters=[TEAM],
        responses=BudgetSerializer,
        examples=[_ANSWER],
    ),
    patch=extend_schema(
        tags=["team"],
        operation_id="budget_partial_update",
        summary="Change a budget, in force within a second",
        parameters=[TEAM],
        request=BudgetChangesSerializer,
        responses=BudgetSerializer,
        examples=[_CHANGE, _ANSWER],
    ),
    delete=extend_schema(
        tags=["team"],
        operation_id="budget_destroy",
        summary="Remove a budget that is the team's own",
        parameters=[TEAM],
        responses={204: None},
        examples=[],
    ),
)
class BudgetView(_BudgetView):
    """`/v1/budgets/{id}`."""

    def get(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002  # the name in the address
        return Response(write_budgets([self.found(id)])[0])

    def patch(self, request: Request, id: str) -> Response:  # noqa: A002
        budget = self.changeable(id)
        changes: Any = checked(BudgetChangesSerializer, request.data, partial=True)
        return Response(write_budgets([change_budget(budget=budget, **changes)])[0])

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        remove_budget(budget=self.changeable(id))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    post=extend_schema(
        tags=["team"],
        operation_id="budget_raise",
        summary="Raise a budget for a while; another raise takes the place of this one",
        parameters=[TEAM],
        request=RaiseSerializer,
        responses=BudgetSerializer,
        examples=[_RAISE, _ANSWER],
    ),
    delete=extend_schema(
        tags=["team"],
        operation_id="budget_end_raise",
        summary="End a raise before its time",
        parameters=[TEAM],
        responses={204: None},
        examples=[],
    ),
)
class BudgetRaiseView(_BudgetView):
    """`/v1/budgets/{id}/raise`."""

    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        budget, given = self.changeable(id), checked(RaiseSerializer, request.data)
        raised = raise_budget(budget=budget, by_usd=given["raise_usd"], until=given["raise_until"])
        return Response(write_budgets([raised])[0])

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        end_raise(budget=self.changeable(id))
        return Response(status=status.HTTP_204_NO_CONTENT)
