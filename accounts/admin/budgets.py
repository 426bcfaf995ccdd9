"""Budgets, as staff set them: of whoever can own or spend, of a provider, and of the whole deployment."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from accounts.access_requests import ask_second
from accounts.access_terms import needs_second
from accounts.admin.history import HistoryAdminBase
from accounts.budgeting import check_budget, raise_of, remove_budget, save_budget
from accounts.models import Budget, User
from accounts.models.subject import KINDS
from accounts.money import usd_of
from accounts.spending import spent_in
from gateway.core.refusals import InvalidField

_REASON = "Set on the budget's page, and more than one person may raise it by."
KEEP_OPERATORS = "accounts.change_operators_budget"
OF_OPERATOR = Q(is_deployment=True) | ~Q(provider="")


class BudgetForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Budget
        fields = "__all__"  # noqa: DJ007  # the page says which

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.instance.pk is None:
            chosen = [name for name in (*KINDS, "provider", "is_deployment") if cleaned.get(name)]
            if len(chosen) != 1:
                self.add_error(None, "Choose exactly one that it is for.")
            elif cleaned.get("key"):
                cleaned["key"] = cleaned["key"].lineage
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        try:
            check_budget(self.instance)
        except InvalidField as fault:
            self.add_error(fault.field if fault.field in self.fields else None, fault.message)


@admin.register(Budget)
class BudgetAdmin(HistoryAdminBase):
    form = BudgetForm
    list_display = ["__str__", "whose", "spent", "refuses", "is_active"]
    list_filter = ["window", "is_active", "refuses"]
    list_select_related = [
        "key",
        "member__user",
        "member__team",
        "service_account__team",
        "project__team",
        "team",
    ]
    autocomplete_fields = ["key", "service_account", "project", "team"]
    raw_id_fields = ["member"]
    readonly_fields = ["spent", "set_by"]
    fieldsets = [
        ("Whose", {"fields": [*KINDS, "provider", "is_deployment"]}),
        (
            "How much",
            {
                "fields": [
                    ("window", "zone"),
                    ("amount_usd", "most_usd"),
                    ("mode", "refuses"),
                    ("counts_own", "is_active"),
                ]
            },
        ),
        ("More for a while", {"fields": ["raise_usd", "raise_until"]}),
        ("Tell", {"fields": ["thresholds", "spent", "set_by"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(OF_OPERATOR) if self._is_operators_alone(request) else rows

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None or request.user.has_perm("accounts.add_budget"):
            return super().get_fieldsets(request, obj)
        return [("Whose", {"fields": ["provider", "is_deployment"]}), *self.fieldsets[1:]]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_view_permission(request, obj)) or self._may_keep_operators(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_add_permission(request)) or self._may_keep_operators(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_change_permission(request, obj)) or self._may_keep_operators(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Where raises need two people, nobody raises one without end by deleting it: two switch it off."""
        if settings.RAISE_ALONE_MOST_USD is not None:
            return False
        return bool(super().has_delete_permission(request, obj)) or self._may_keep_operators(request, obj)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(super().has_module_permission(request)) or self._may_keep_operators(request)

    def _may_keep_operators(self, request: HttpRequest, obj: Any = None) -> bool:
        is_operators = not isinstance(obj, Budget) or obj.is_operators
        return is_operators and bool(request.user.has_perm(KEEP_OPERATORS))

    def _is_operators_alone(self, request: HttpRequest) -> bool:
        """Whether this person keeps budgets of providers and the deployment, and sees none of teams."""
        rights = [f"accounts.{act}_budget" for act in ("view", "change", "add", "delete")]
        return not any(request.user.has_perm(right) for right in rights)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:  # noqa: ARG002
        whose = [*KINDS, "provider", "is_deployment", "window"] if obj else []
        return [*self.readonly_fields, *whose]

    @admin.display(description="whose")
    def whose(self, budget: Budget) -> str:
        if budget.is_deployment:
            return "this deployment"
        return f"provider {budget.provider}" if budget.provider else str(budget.subject_row)

    @admin.display(description="spent in its window")
    def spent(self, budget: Budget) -> str:
        if budget.pk is None:
            return ""
        window = budget.window_at(timezone.now().timestamp())
        return f"${usd_of(spent_in(budget.subject_text, window)):,.2f}"

    def save_model(self, request: HttpRequest, obj: Budget, form: Any, change: bool) -> None:  # noqa: ARG002
        """A raise that one person may not make alone becomes an access request for another one."""
        before = Budget.objects.with_subjects().filter(pk=obj.pk).first()
        if before is not None and needs_second(raise_of(before, obj), settings.RAISE_ALONE_MOST_USD):
            person = cast("User", request.user)
            changes = {name: getattr(obj, name) for name in form.changed_data}
            made, _ = ask_second(budget=before, changes=changes, reason=_REASON, person=person)
            request.waits_for_second = made  # type: ignore[attr-defined]  # for the answer below
            return
        save_budget(obj)

    def response_change(self, request: HttpRequest, obj: Budget) -> HttpResponse:
        made = getattr(request, "waits_for_second", None)
        if made is None:
            answer: HttpResponse = super().response_change(request, obj)
            return answer
        messages.warning(
            request, "Nothing is changed yet: it is an access request, and another person grants it."
        )
        return HttpResponseRedirect(reverse("admin:accounts_budget_changelist"))

    def delete_model(self, request: HttpRequest, obj: Budget) -> None:  # noqa: ARG002
        remove_budget(budget=obj, is_staff=True)
