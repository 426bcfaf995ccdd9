"""Teams: members and keys on one page, and the switch that stops all keys at once."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from unfold.enums import ActionVariant

from accounts import services, viewing
from accounts.admin.deletion import KeptMixin
from accounts.admin.history import HistoryAdminBase
from accounts.admin.limits import LimitedMixin, LimitInline
from accounts.allowances import remove_allowance, save_allowance
from accounts.fields import words_field
from accounts.floors import FLAGS
from accounts.memberships import give_role
from accounts.models import Allowance, Key, Membership, Team
from accounts.restrictions import LISTS
from accounts.rights import Role
from gateway.core.admin_base import TableInline, TextArea, Tone, confirmed_action, status_chip
from gateway.core.refusals import Refused


class MembershipInline(TableInline):
    """Who leaves is suspended on their own page, one click away: the row stays for what they used."""

    model = Membership
    autocomplete_fields = ["user"]
    fields = ["user", "role", "suspended_at"]
    readonly_fields = ["suspended_at"]
    show_change_link = True
    can_delete = False


class HasOwnerFilter(admin.SimpleListFilter):
    """Teams that an identity provider has left without an owner are staff's to mend."""

    title, parameter_name = "owner", "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("none", "Without an owner")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Team]) -> QuerySet[Team]:  # noqa: ARG002
        if self.value() != "none":
            return queryset
        owners = Membership.objects.in_roles([Role.OWNER]).filter(user__is_active=True)
        return queryset.exclude(pk__in=owners.values("team"))


class AllowanceInline(TableInline):
    model = Allowance
    verbose_name_plural = "what each key and each member gets, and has at most"
    fields = ["whose", "unit", "window", "amount", "most"]


class KeyInline(TableInline):
    """To look at; a key's own page, one click away, has Revoke."""

    model = Key
    fields = readonly_fields = ["name", "public_id", "scope", "state", "last_used_at"]
    show_change_link = True
    can_delete = False
    per_page = 20

    def has_add_permission(self, request: HttpRequest, obj: Team | None = None) -> bool:  # noqa: ARG002
        return False

    @admin.display(description="state")
    def state(self, key: Key) -> str:
        return key.state_at(timezone.now()).label


_TONES: dict[Team.State, Tone] = {
    Team.State.ACTIVE: "good",
    Team.State.FROZEN: "warning",
    Team.State.SWITCHED_OFF: "bad",
    Team.State.ARCHIVED: "neutral",
}


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    model_patterns = words_field("model_patterns", widget=TextArea)
    denied_model_patterns = words_field("denied_model_patterns", widget=TextArea)
    provider_patterns = words_field("provider_patterns", widget=TextArea)
    denied_provider_patterns = words_field("denied_provider_patterns", widget=TextArea)
    surfaces = words_field("surfaces", widget=TextArea)
    ip_ranges = words_field("ip_ranges", widget=TextArea)
    regions = words_field("regions", widget=TextArea)
    quantizations = words_field("quantizations", widget=TextArea)


@admin.register(Team)
class TeamAdmin(KeptMixin, LimitedMixin, HistoryAdminBase):
    kept_because = (
        "A team cannot be deleted: the ledger and the audit refer to it. Switch it off, or archive it."
    )
    list_display = ["name", "slug", "is_on", "member_count", "key_count", "created_at"]
    list_filter = ["is_active", HasOwnerFilter]
    search_fields = ["name", "slug"]
    # Counting groups rows, and groups have no order of their own.
    ordering = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [LimitInline, AllowanceInline, MembershipInline, KeyInline]
    fieldsets = [
        ("Name it", {"fields": [("name", "slug")]}),
        ("Decide what its calls meet", {"fields": ["is_active", "lifecycle_policy", "keeps_responses"]}),
        (
            "Say whom it costs",
            {"fields": [("cost_centre", "time_zone"), "charge_factor", "allows_free_projects"]},
        ),
        ("Bound what its keys may reach", {"fields": ["new_models", *LISTS, FLAGS]}),
        (
            "Give its keys limits, and bound them",
            {
                "fields": [
                    ("key_requests_per_minute", "key_requests_per_minute_most"),
                    ("key_concurrency", "key_concurrency_most"),
                    ("key_days", "key_days_most"),
                    "unused_key_days",
                    "leaked_keys",
                ]
            },
        ),
    ]
    form = TeamForm
    actions = ["switch_on", "switch_off", "archive", "bring_back"]
    actions_detail = ["view_as"]

    def has_view_as_permission(self, request: HttpRequest, object_id: Any = None) -> bool:  # noqa: ARG002
        return bool(request.user.has_perm(viewing.RIGHT))

    @confirmed_action(
        "View as team",
        "Look at the portal as this team sees it?",
        "You can read what its viewers read, and change nothing. The team's audit tells that you looked. It ends after "
        "an hour, or when you end it.",
        right="view_as",
        variant=ActionVariant.DEFAULT,
    )
    def view_as(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:  # noqa: ARG002
        team = get_object_or_404(Team, pk=object_id)
        viewing.begin(request, team)
        page = f"{reverse('portal:team')}?team={team.slug}"
        is_dialog = "HX-Request" in request.headers
        return HttpResponse(headers={"HX-Redirect": page}) if is_dialog else HttpResponseRedirect(page)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        live = Q(keys__revoked_at__isnull=True, keys__isnull=False)
        teams: QuerySet[Team] = super().get_queryset(request)
        return teams.annotate(
            member_total=Count(
                "memberships", filter=Q(memberships__suspended_at__isnull=True), distinct=True
            ),
            key_total=Count("keys", filter=live, distinct=True),
        )

    @admin.display(description="state", ordering="is_active")
    def is_on(self, team: Team) -> str:
        return status_chip(team.state.label, _TONES[team.state])

    @admin.display(description="members", ordering="member_total")
    def member_count(self, team: Any) -> int:
        return int(team.member_total)

    @admin.display(description="keys not revoked", ordering="key_total")
    def key_count(self, team: Any) -> int:
        return int(team.key_total)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """What each gets is in force at once, and who joins gets a role by hand."""
        if formset.model is Membership:
            formset.save(commit=False)
            for member in [*formset.new_objects, *(row for row, _ in formset.changed_objects)]:
                self._give_role(request, member)
            return
        if formset.model is not Allowance:
            super().save_formset(request, form, formset, change)
            return
        formset.save(commit=False)
        for allowance in formset.deleted_objects:
            remove_allowance(allowance=allowance, is_staff=True)
        for allowance in [*formset.new_objects, *(row for row, _ in formset.changed_objects)]:
            save_allowance(allowance)

    def _give_role(self, request: HttpRequest, member: Membership) -> None:
        try:
            given = give_role(team=member.team, person=member.user, role=member.role)
        except Refused as refusal:
            messages.error(request, refusal.message)
        else:
            member.pk, member.role = given.pk, given.role

    def save_model(self, request: HttpRequest, obj: Team, form: Any, change: bool) -> None:  # noqa: ARG002
        services.save_team(team=obj)

    @admin.action(description="Switch the selected teams on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Team]) -> None:
        self._switch(request, queryset, is_active=True)

    @admin.action(
        description="Switch the selected teams off: all of their keys are refused", permissions=["change"]
    )
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Team]) -> None:
        self._switch(request, queryset, is_active=False)

    @admin.action(
        description="Archive the selected teams: they are over, and kept for the ledger",
        permissions=["change"],
    )
    def archive(self, request: HttpRequest, queryset: QuerySet[Team]) -> None:
        self._archive(request, queryset, is_archived=True)

    @admin.action(
        description="Bring the selected teams back, and let frozen ones go on", permissions=["change"]
    )
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Team]) -> None:
        self._archive(request, queryset, is_archived=False)
        for team in queryset:
            services.freeze_team(team=team, is_frozen=False)

    def _archive(self, request: HttpRequest, teams: QuerySet[Team], *, is_archived: bool) -> None:
        for team in teams:
            services.archive_team(team=team, is_archived=is_archived)
            self.log_change(request, team, "Archived." if is_archived else "Brought back.")
        messages.success(request, "Archived: their keys are refused." if is_archived else "Brought back.")

    def _switch(self, request: HttpRequest, teams: QuerySet[Team], *, is_active: bool) -> None:
        for team in teams:
            services.switch_team(team=team, is_active=is_active)
            self.log_change(request, team, "Switched on." if is_active else "Switched off.")
        messages.success(request, "Switched on." if is_active else "Switched off: their keys are refused.")
