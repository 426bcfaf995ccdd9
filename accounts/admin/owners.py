"""Service accounts and projects of teams: made, switched off and archived; never deleted. Limits of members."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts import services
from accounts.admin.deletion import KeptMixin
from accounts.admin.history import HistoryAdminBase
from accounts.admin.limits import LimitedMixin, LimitInline
from accounts.memberships import give_role, suspend_member
from accounts.models import Membership, MembershipGrant, Project, ServiceAccount
from gateway.core.admin_base import TableInline, status_chip
from gateway.core.refusals import Refused


class _OfTeam(KeptMixin, LimitedMixin, HistoryAdminBase):
    inlines = [LimitInline]
    list_select_related = ["team"]
    autocomplete_fields = ["team"]
    search_fields = ["slug", "name", "team__slug", "team__name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:  # noqa: ARG002
        return ["team", "slug"] if obj else []


@admin.register(ServiceAccount)
class ServiceAccountAdmin(_OfTeam):
    kept_because = (
        "A service account cannot be deleted: keys and the ledger refer to it. Switch it off instead."
    )
    list_display = ["name", "slug", "team", "is_on", "created_at"]
    fieldsets = [("Name it", {"fields": ["team", ("name", "slug"), "is_active"]})]

    @admin.display(description="state", ordering="is_active")
    def is_on(self, account: ServiceAccount) -> str:
        return status_chip("Active", "good") if account.is_active else status_chip("Switched off", "bad")

    def save_model(self, request: HttpRequest, obj: ServiceAccount, form: Any, change: bool) -> None:  # noqa: ARG002
        services.save_service_account(obj)


@admin.register(Project)
class ProjectAdmin(_OfTeam):
    kept_because = "A project cannot be deleted: the ledger refers to it. Archive it in the list instead."
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


class GrantInline(TableInline):
    """Why they have their role: the highest counts."""

    model = MembershipGrant
    verbose_name_plural = "why they belong to it"
    fields = readonly_fields = ["source", "origin", "role", "until", "created_at"]
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


def suspend(member: Membership) -> None:
    suspend_member(membership=member)


def let_back_in(member: Membership) -> None:
    give_role(team=member.team, person=member.user, role=member.role)


@admin.register(Membership)
class MembershipAdmin(KeptMixin, LimitedMixin, HistoryAdminBase):
    kept_because = (
        "A membership is not deleted: keys and the ledger refer to it. Suspend it in the list instead."
    )
    """What one person may take in one team, and why they belong to it; roles are given on the team's page."""

    list_display = ["user", "team", "role", "state", "created_at"]
    list_filter = ["role", ("suspended_at", admin.EmptyFieldListFilter)]
    list_select_related = ["user", "team"]
    search_fields = ["user__username", "user__email", "team__slug"]
    fields = readonly_fields = ["user", "team", "role", "suspended_at"]
    inlines = [LimitInline, GrantInline]
    actions = ["suspend", "let_back_in"]

    @admin.display(description="state", ordering="suspended_at")
    def state(self, member: Membership) -> str:
        return status_chip("Active", "good") if member.is_active else status_chip("Left")

    @admin.action(
        description="Suspend: they leave, and their keys wait in the team's queue", permissions=["change"]
    )
    def suspend(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        self._act(request, queryset, suspend)

    @admin.action(description="Let back in, in the role they had", permissions=["change"])
    def let_back_in(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        self._act(request, queryset.filter(suspended_at__isnull=False), let_back_in)

    def _act(
        self, request: HttpRequest, queryset: QuerySet[Membership], act: Callable[[Membership], object]
    ) -> None:
        done = 0
        for member in queryset.select_related("team", "user"):
            try:
                act(member)
            except Refused as refusal:
                messages.error(request, refusal.message)
            else:
                done += 1
        if done:
            messages.success(request, f"{done} done: keys obey within a second.")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False
