"""Directories of identity providers: their tokens, shown once, and what their groups are in teams."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts.admin.given_roles import GivenRoleInline
from accounts.admin.history import HistoryAdminBase
from accounts.admin.shown_once import ShownOnceBase
from accounts.models import ScimDirectory, ScimGroup, ScimGroupRole, ScimToken
from accounts.scim.groups import grant_of
from accounts.scim.tokens import issue_token, revoke_tokens
from accounts.shown_once import keep_text, take_text
from gateway.core.admin_base import TableInline, confirmed_action, to_page


class TokenInline(TableInline):
    """To look at: they are made and revoked by the page's acts."""

    model = ScimToken
    fields = readonly_fields = ["public_id", "created_at", "last_used_at", "revoked_at"]
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


@admin.register(ScimDirectory)
class ScimDirectoryAdmin(ShownOnceBase):
    list_display = ["name", "trusted_domains", "people_count", "created_at"]
    search_fields = ["name"]
    fields = ["name", "trusted_domains"]
    inlines = [TokenInline]
    change_form_before_template = "admin/new_token.html"
    actions_detail = ["issue", "revoke"]

    def has_delete_permission(self, request: HttpRequest, obj: ScimDirectory | None = None) -> bool:
        """One with people is kept: revoke its tokens instead."""
        is_allowed: bool = super().has_delete_permission(request, obj)
        return is_allowed and obj is not None and not obj.people.exists()

    @admin.display(description="people")
    def people_count(self, directory: ScimDirectory) -> int:
        return directory.people.filter(deleted_at__isnull=True).count()

    def take_new(self, request: HttpRequest, row: ScimDirectory) -> Mapping[str, Any]:
        address = request.build_absolute_uri(reverse("scim:users")).rpartition("/")[0]
        return {"new_token": take_text(request.session, row), "scim_address": address}

    @confirmed_action(
        "New token",
        "Make a token for this directory?",
        "It is shown once. Those that there are work on until they are revoked.",
    )
    def issue(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:  # noqa: ARG002
        directory = ScimDirectory.objects.get(pk=object_id)
        keep_text(request.session, directory, issue_token(directory)[1])
        return to_page(request, directory)

    @confirmed_action(
        "Revoke the tokens",
        "Revoke all tokens of this directory but the newest?",
        "Where there is only one, that one is revoked. People and groups stay as they are; nothing changes them any "
        "more until the directory has a token that works.",
    )
    def revoke(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:  # noqa: ARG002
        directory = ScimDirectory.objects.get(pk=object_id)
        live = list(directory.tokens.filter(revoked_at__isnull=True)[:2])
        count = revoke_tokens(directory, but=live[0] if len(live) == 2 else None)
        messages.success(request, f"Revoked: {count}.")
        return to_page(request, directory)


class RoleInline(GivenRoleInline):
    model = ScimGroupRole
    fields = ["team", "role"]


@admin.register(ScimGroup)
class ScimGroupAdmin(HistoryAdminBase):
    """Groups come from their directories; here is said what their people are in teams."""

    list_display = ["display_name", "directory", "people_count", "roles_told"]
    list_filter = ["directory"]
    search_fields = ["display_name"]
    fields = readonly_fields = ["display_name", "directory", "external_id", "people_told"]
    inlines = [RoleInline]

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ScimGroup | None = None) -> bool:  # noqa: ARG002
        return False

    @admin.display(description="people")
    def people_count(self, group: ScimGroup) -> int:
        return group.people.count()

    @admin.display(description="people")
    def people_told(self, group: ScimGroup) -> str:
        names = [person.user_name for person in group.people.all()[:50]]
        return ", ".join(names) or "nobody"

    @admin.display(description="roles")
    def roles_told(self, group: ScimGroup) -> str:
        return ", ".join(str(role) for role in group.roles.select_related("team")) or "none"

    def save_model(self, request: HttpRequest, obj: ScimGroup, form: Any, change: bool) -> None:
        """Nothing of it is said here but its roles."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Its people have what the roles say from now on."""
        super().save_related(request, form, formsets, change)
        transaction.on_commit(partial(grant_of, form.instance))
