"""Invitations to teams, to look at and to withdraw: who is let in is the teams' own decision."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.admin.history import HistoryAdminBase
from accounts.invitations import withdraw
from accounts.models import Invitation
from gateway.core.admin_base import Tone, confirmed_action, status_chip, to_page
from gateway.core.refusals import Refused

State = Invitation.State
_TONES: dict[str, Tone] = {State.OPEN: "info", State.ACCEPTED: "good", State.WITHDRAWN: "bad"}


class StateFilter(admin.SimpleListFilter):
    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [(state.value, str(state.label)) for state in State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        waits = Q(accepted_at=None, withdrawn_at=None)
        match self.value():
            case State.ACCEPTED:
                return queryset.filter(accepted_at__isnull=False)
            case State.WITHDRAWN:
                return queryset.filter(accepted_at=None, withdrawn_at__isnull=False)
            case State.EXPIRED:
                return queryset.filter(waits, expires_at__lte=timezone.now())
            case State.OPEN:
                return queryset.filter(waits, expires_at__gt=timezone.now())
        return queryset


@admin.register(Invitation)
class InvitationAdmin(HistoryAdminBase):
    list_display = ["email", "team", "role", "state_told", "invited_by", "sent_at", "expires_at"]
    list_filter = [StateFilter, "role", "team"]
    list_select_related = ["team", "invited_by"]
    search_fields = ["email", "team__slug", "team__name", "invited_by__username"]
    fields = readonly_fields = [
        *("email", "team", "role", "state_told", "invited_by", "created_at", "sent_at", "expires_at"),
        *("accepted_at", "accepted_by", "withdrawn_at"),
    ]
    actions = ["withdraw_selected"]
    actions_detail = ["withdraw_it"]

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:  # noqa: ARG002
        return False

    @admin.display(description="state")
    def state_told(self, row: Invitation) -> str:
        return status_chip(str(row.state.label).lower(), _TONES.get(row.state, "neutral"))

    @admin.action(description="Withdraw", permissions=["change"])
    def withdraw_selected(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        for row in queryset.select_related("team"):
            _withdraw(request, row)

    @confirmed_action("Withdraw", "Withdraw this invitation?", "Its link opens nothing any more.")
    def withdraw_it(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:  # noqa: ARG002
        row = Invitation.objects.select_related("team").get(pk=object_id)
        _withdraw(request, row)
        return to_page(request, row)


def _withdraw(request: HttpRequest, row: Invitation) -> None:
    try:
        withdraw(invitation=row, by=None)
    except Refused as refusal:
        messages.error(request, f"{row}: {refusal.message}")
    else:
        messages.success(request, f"{row}: withdrawn.")
