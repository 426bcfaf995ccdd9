"""Service accounts and projects of teams: made, switched off and archived; never deleted. Limits of members."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import services
from accounts.admin.history import HistoryAdminBase
from accounts.admin.limits import LimitedMixin, LimitInline
from accounts.models import Membership, Project, ServiceAccount
from gateway.core.admin_base import status_chip


class _OfTeam(LimitedMixin, HistoryAdminBase):
    inlines = [LimitInline]
    list_select_related = ["team"]
    autocomplete_fields = ["team"]
    search_fields = ["slug", "name", "team__slug", "team__name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:  # noqa: ARG002
        return ["team", "slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Keys and the ledger refer to them."""
        return False


@admin.register(ServiceAccount)
class ServiceAccountAdmin(_OfTeam):
    list_display = ["name", "slug", "team", "is_on", "created_at"]
    fieldsets = [("Name it", {"fields": ["team", ("name", "slug"), "is_active"]})]

    @admin.display(description="state", ordering="is_active")
    def is_on(self, account: ServiceAccount) -> str:
        return status_chip("Active", "good") if account.is_active else status_chip("Switched off", "bad")

    def save_model(self, request: HttpRequest, obj: ServiceAccount, form: Any, change: bool) -> None:  # noqa: ARG002
        services.save_service_account(obj)


@admin.register(Project)
class ProjectAdmin(_OfTeam):
    list_display = ["name", "slug", "team", "is_on", "created_at"]
    fieldsets = [("Name it", {"fields": ["team", ("name", "slug")]})]
    actions = ["archive", "bring_back"]

    @admin.display(description="state", ordering="archived_at")
    def is_on(self, project: Project) -> str:
        return status_chip("Archived") if project.archived_at else status_chip("Open", "good")

    def save_model(self, request: HttpRequest, obj: Project, form: Any, change: bool) -> None:  # noqa: ARG002
        services.save_project(obj)

    @admin.action(description="Archive the selected projects", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        for project in queryset.filter(archived_at__isnull=True):
            project.archived_at = timezone.now()
            services.save_project(project)
        messages.success(request, "Archived: keys that are bound to them take no more calls.")

    @admin.action(description="Bring the selected projects back", permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        for project in queryset.filter(archived_at__isnull=False):
            project.archived_at = None
            services.save_project(project)
        messages.success(request, "Brought back.")


@admin.register(Membership)
class MembershipAdmin(LimitedMixin, HistoryAdminBase):
    """What one person may take in one team; who belongs to it is said on the team's page."""

    list_display = ["user", "team", "role"]
    list_select_related = ["user", "team"]
    search_fields = ["user__username", "user__email", "team__slug"]
    fields = readonly_fields = ["user", "team", "role"]
    inlines = [LimitInline]

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False
