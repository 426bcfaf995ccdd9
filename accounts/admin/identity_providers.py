"""Identity providers: how they are asked, and what their claims mean in teams, tried on a pasted token."""

import json
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.admin.given_roles import GivenRoleInline
from accounts.admin.history import HistoryAdminBase
from accounts.claims import Meaning, values_of
from accounts.identity_providers import SET, read_rules
from accounts.models import ClaimRule, IdentityProvider
from accounts.tokens import BadToken, read_unverified
from gateway.core.admin_base import TextArea, TextInput
from gateway.core.links import base_url_of
from gateway.core.sealing import seal

_LONGEST = 100_000


class _Address(forms.URLField):
    """One typed without a scheme is meant as https, for those too who may only look."""

    def __init__(self, **terms: Any) -> None:
        super().__init__(**{"assume_scheme": "https"} | terms)


class ProviderForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    secret = forms.CharField(
        label="Client secret",
        required=False,
        strip=True,
        widget=TextInput(attrs={"autocomplete": "off"}),
        help_text="It is kept encrypted and not shown again. Empty: as it is.",
    )

    class Meta:
        model = IdentityProvider
        # The rest comes with the page, which knows how web addresses are typed.
        fields = ["slug", "trusted_domains"]
        field_classes = {"issuer": _Address}
        help_texts = {
            "trusted_domains": "Domains of mail addresses, such as example.com, with blanks between them: whoever has "
            "a verified address there is who has it here, staff aside, and is let in when new. Empty: people "
            "come in by the rules below, or connect the provider on their own account's page."
        }


class RuleInline(GivenRoleInline):
    model = ClaimRule
    fields = ["claim", "value", "team", "role"]


class TryForm(forms.Form):
    claims = forms.CharField(
        label="A token, or its claims as JSON",
        max_length=_LONGEST,
        strip=True,
        widget=TextArea(attrs={"rows": 12, "spellcheck": "false", "autocomplete": "off"}),
        help_text="Nobody is let in by it, and it is kept nowhere. Its signature is not looked at.",
    )

    def clean_claims(self) -> dict[str, Any]:
        text = str(self.cleaned_data["claims"])
        try:
            found = json.loads(text) if text.startswith("{") else read_unverified(text)
        except (BadToken, ValueError, RecursionError):
            raise forms.ValidationError("This is neither a token nor a JSON object of claims.") from None
        return dict(found)


@admin.register(IdentityProvider)
class IdentityProviderAdmin(HistoryAdminBase):
    form = ProviderForm
    list_display = ["name", "issuer", "is_active", "created_at"]
    search_fields = ["name", "issuer"]
    prepopulated_fields = {"slug": ["name"]}
    inlines = [RuleInline]
    fieldsets = [
        ("Name it", {"fields": [("name", "slug")]}),
        ("Say how it is asked", {"fields": ["issuer", ("client_id", "secret"), "scopes", "is_active"]}),
        ("Say whom it is believed about", {"fields": ["trusted_domains"]}),
    ]
    change_form_before_template = "admin/identity_provider.html"

    def get_prepopulated_fields(self, request: HttpRequest, obj: IdentityProvider | None = None) -> Any:
        return {} if obj else super().get_prepopulated_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: IdentityProvider | None = None) -> Any:  # noqa: ARG002
        """People are known by slug and issuer; what the environment says is changed there."""
        if obj is None:
            return []
        return [*SET, "is_active"] if obj.is_set else ["slug", "issuer"]

    def get_fieldsets(self, request: HttpRequest, obj: IdentityProvider | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not obj.is_set:
            return fieldsets
        asked = {"fields": ["issuer", "client_id", "scopes", "is_active"]}
        return [fieldsets[0], (fieldsets[1][0], asked), fieldsets[2]]

    def has_delete_permission(self, request: HttpRequest, obj: IdentityProvider | None = None) -> bool:
        """One by which people are known is switched off instead."""
        is_allowed: bool = super().has_delete_permission(request, obj)
        known = SocialAccount.objects.filter(provider=obj.slug) if obj else SocialAccount.objects.none()
        return is_allowed and obj is not None and not obj.is_set and not known.exists()

    def save_model(self, request: HttpRequest, obj: IdentityProvider, form: Any, change: bool) -> None:
        if secret := form.cleaned_data.get("secret"):
            obj.sealed_secret = seal(secret.encode())
        super().save_model(request, obj, form, change)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is not None:
            back = reverse("openid_connect_callback", args=[row.slug])
            extra_context = (extra_context or {}) | {
                "callback": base_url_of(request) + back,
                "is_set": row.is_set,
            }
        page: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return page

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.show_trial)
        return [path("<int:pk>/trial/", view, name="accounts_identityprovider_trial"), *super().get_urls()]

    def show_trial(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What a token would come to: nothing is changed."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        row = IdentityProvider.objects.filter(pk=pk).first() if pk < 2**63 else None
        if row is None:
            raise Http404("There is no such identity provider.")
        form = TryForm(request.POST or None)
        context = self.admin_site.each_context(request) | {"row": row, "form": form, "title": "Try the rules"}
        if request.method == "POST" and form.is_valid():
            claims = form.cleaned_data["claims"]
            context |= _told(row, claims, read_rules(row, claims))
        return TemplateResponse(request, "admin/accounts/claims_trial.html", context)


def _told(row: IdentityProvider, claims: dict[str, Any], meaning: Meaning) -> dict[str, Any]:
    rules = list(row.rules.select_related("team"))
    names = {rule.team_id: rule.team.name for rule in rules}
    return {
        "lines": [(rule, rule.pk in meaning.matched, values_of(claims, rule.claim)[:20]) for rule in rules],
        "roles": [(names[team], role.value) for team, role in meaning.roles.items()],
        "left_out": meaning.left_out,
        "absent": meaning.absent,
        "is_told": True,
    }
