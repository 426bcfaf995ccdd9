"""People and groups: staff may look, only superusers change anything, so nobody widens their own rights."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as BaseGroupAdmin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from accounts import services
from accounts.admin.history import HistoryAdminBase
from accounts.models import User
from gateway.core.admin_base import ChangePersonForm, MultipleChoice, NewPersonForm, PasswordForm

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

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Keys of somebody who is switched off are refused, and those of somebody who is back are let in."""
        if change:
            services.tell_keys_of(users=[obj])
        super().save_model(request, obj, form, change)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(SuperusersOnly, ChosenBySearch, BaseGroupAdmin, HistoryAdminBase):  # type: ignore[misc]
    pass


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)
