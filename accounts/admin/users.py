"""People and groups: staff may look, only superusers change anything, so nobody widens their own rights."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from accounts import services
from accounts.admin.history import HistoryAdminBase
from accounts.audit import record_event
from accounts.memberships import disable_person, enable_person
from accounts.models import User
from accounts.second_factor import take_factors
from accounts.sessions import end_sessions
from gateway.core.admin_base import (
    ChangePersonForm,
    MultipleChoice,
    NewPersonForm,
    PasswordForm,
    confirmed_action,
    to_page,
)

SWITCH = "accounts.switch_user"
_HELP = {
    "groups": "They have the rights of each of their groups.",
    "user_permissions": "Rights besides those of their groups.",
}


class SuperusersOnly:
    """Changing anything takes a superuser, whatever permissions somebody was given."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return _is_superuser(request)


class ChosenBySearch:
    """Rights and groups are chosen from one list that can be searched: two lists side by side are wider than a page."""

    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]
        # The theme gives the widget that it is told of a look of its own.
        field.widget = MultipleChoice()
        field.widget.choices = field.choices
        field.help_text = _HELP.get(db_field.name, "")
        return field


@admin.register(User)
class UserAdmin(SuperusersOnly, ChosenBySearch, BaseUserAdmin, HistoryAdminBase):  # type: ignore[misc,type-arg]
    form = ChangePersonForm
    add_form = NewPersonForm
    change_password_form = PasswordForm
    list_display = ["username", "email", "is_active", "is_staff", "is_superuser", "last_login"]
    fieldsets = (*(BaseUserAdmin.fieldsets or ()), ("Times and numbers", {"fields": ["time_zone", "locale"]}))
    actions_detail = ["take_factors", "end_sessions", "switch_off", "switch_on"]

    def has_switch_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever keeps people safe switches them off and on, and never a superuser nor themselves."""
        if _is_superuser(request):
            return True
        if not request.user.has_perm(SWITCH):
            return False
        person = User.objects.filter(pk=object_id).first() if object_id else None
        return person is None or not (person.is_superuser or person == request.user)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Keys of somebody who is switched off are refused, and those of somebody who is back are let in."""
        if change:
            services.tell_keys_of(users=[obj])
        super().save_model(request, obj, form, change)

    @confirmed_action(
        "Take second factors away",
        "Take all second factors of this person away?",
        "For somebody who lost them: make sure that it is really they who ask. Their sessions end, and their "
        "password alone opens the account until they add a factor.",
    )
    def take_factors(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:  # noqa: ARG002
        person = User.objects.get(pk=object_id)
        take_factors(person)
        messages.success(request, f"{person} has no second factor any more.")
        return to_page(request, person)

    @confirmed_action(
        "End sessions",
        "End all sessions of this person?",
        "They have to sign in again in every browser. Their keys go on working.",
        right="switch",
    )
    def end_sessions(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:  # noqa: ARG002
        person = self._switched(request, object_id)
        count = end_sessions(person)
        record_event("session.ended", row=person, facts={"sessions": count})
        messages.success(request, f"Ended: {count} session{'' if count == 1 else 's'}.")
        return to_page(request, person)

    @confirmed_action(
        "Switch off",
        "Switch this person off?",
        "Their sessions end and their keys are refused within a second. Their teams' owners find the keys in a queue.",
        right="switch",
    )
    def switch_off(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:  # noqa: ARG002
        person = self._switched(request, object_id)
        if person == request.user:
            raise PermissionDenied
        disable_person(person=person)
        messages.success(request, f"{person} is switched off.")
        return to_page(request, person)

    @confirmed_action(
        "Switch on",
        "Switch this person on again?",
        "They may sign in, and those of their keys that nobody revoked or handed over are let in.",
        right="switch",
    )
    def switch_on(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:  # noqa: ARG002
        person = self._switched(request, object_id)
        enable_person(person=person)
        messages.success(request, f"{person} is switched on.")
        return to_page(request, person)

    def _switched(self, request: HttpRequest, object_id: str) -> User:
        """Raises PermissionDenied, Http404."""
        if not self.has_switch_permission(request, object_id):
            raise PermissionDenied
        return get_object_or_404(User, pk=object_id)


# What makes sign-ins is changed by whose it is, at the sign-in's own pages: an address of a superuser's mail, or a
# second factor, is a way to be one.
for _model in (EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken, UserSession):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)
admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(SuperusersOnly, ChosenBySearch, BaseGroupAdmin, HistoryAdminBase):  # type: ignore[misc]
    pass


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)
