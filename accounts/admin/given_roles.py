"""Rows that say what people of an identity provider are in teams: who keeps them makes no owners by them."""

from typing import Any

from django import forms
from django.http import HttpRequest

from accounts.rights import Role
from gateway.core.admin_base import TableInline

MAKES_OWNERS = "accounts.change_membership"
_WHY = f"To say who is an owner you need {MAKES_OWNERS} besides: whoever keeps identity providers says who people are."


class _RoleForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    may_make_owners = False

    def clean_role(self) -> str:
        role = str(self.cleaned_data["role"])
        if role == Role.OWNER and self.has_changed() and not self.may_make_owners:
            raise forms.ValidationError(_WHY)
        return role


class GivenRoleInline(TableInline):
    autocomplete_fields = ["team"]

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        may = bool(request.user.has_perm(MAKES_OWNERS))
        form = type("GivenRoleForm", (_RoleForm,), {"may_make_owners": may})
        return super().get_formset(request, obj, **{"form": form} | kwargs)
