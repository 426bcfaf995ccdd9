"""`/v1/budgets`: how much a team's keys, people, programs, projects and the team itself may spend."""

from typing import Any

from drf_spectacular.utils import extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.budget_serializers import (
    BudgetChangesSerializer,
    BudgetListSerializer,
    BudgetSerializer,
    NewBudgetSerializer,
    RaiseSerializer,
    write_budgets,
)
from accounts.budgeting import change_budget, end_raise, make_budget, raise_budget, remove_budget
from accounts.described import operation
from accounts.management_view import checked
from accounts.models import Budget
from accounts.subject_rows import Owner
from accounts.subject_views import (
    SubjectActView,
    SubjectRowsView,
    SubjectRowView,
    row_schema,
    rows_schema,
)

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
    "held_usd": "0.0125",
    "window_start": "2026-10-31T23:00:00Z",
    "resets_at": "2026-11-30T23:00:00Z",
    "set_by": "mary",
    "set_at": "2026-11-02T09:30:00Z",
}
_NEW = {name: _BUDGET[name] for name in ("subject", "subject_id", "window", "zone", "amount_usd")}
_RAISE = {"raise_usd": "50", "raise_until": "2026-11-30T12:00:00Z"}


@rows_schema(
    "budget",
    NewBudgetSerializer,
    BudgetSerializer,
    BudgetListSerializer,
    sent=_NEW,
    case="A project's month",
    example=_BUDGET,
)
class BudgetsView(SubjectRowsView):
    """`/v1/budgets`."""

    kind, new, measure = Budget, NewBudgetSerializer, ("window",)
    write = staticmethod(write_budgets)

    def make(self, subject: Owner, terms: dict[str, Any]) -> Budget:
        return make_budget(subject=subject, **terms)


@row_schema(
    "budget",
    BudgetChangesSerializer,
    BudgetSerializer,
    sent={"amount_usd": "200"},
    case="Less",
    example=_BUDGET,
)
class BudgetView(SubjectRowView):
    """`/v1/budgets/{id}`."""

    kind = Budget
    write = staticmethod(write_budgets)

    def patch(self, request: Request, id: str) -> Response:  # noqa: A002  # the name in the address
        budget = self.find_changeable(id)
        changes: Any = checked(BudgetChangesSerializer, request.data, partial=True)
        return self.told(change_budget(budget=budget, **changes))

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        remove_budget(budget=self.find_changeable(id))
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    post=operation(
        "budget_raise",
        "Raise a budget for a while; another raise takes the place of this one",
        request=RaiseSerializer,
        responses=BudgetSerializer,
        sent=_RAISE,
        case="Fifty more",
        told=_BUDGET,
    ),
    delete=operation("budget_end_raise", "End a raise before its time", responses={204: None}),
)
class BudgetRaiseView(SubjectActView):
    """`/v1/budgets/{id}/raise`."""

    kind = Budget
    write = staticmethod(write_budgets)

    def post(self, request: Request, id: str) -> Response:  # noqa: A002
        budget, given = self.find_changeable(id), checked(RaiseSerializer, request.data)
        raised = raise_budget(budget=budget, by_usd=given["raise_usd"], until=given["raise_until"])
        return self.told(raised)

    def delete(self, request: Request, id: str) -> Response:  # noqa: A002, ARG002
        end_raise(budget=self.find_changeable(id))
        return Response(status=status.HTTP_204_NO_CONTENT)
