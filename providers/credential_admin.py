"""The admin of further credentials: the operator's, which staff add and change; teams' own, to look at and remove."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from accounts.admin.history import HistoryAdminBase
from accounts.fields import words_field
from gateway.core.admin_base import PasswordInput, Select, TableInline, TextArea, status_chip
from gateway.core.locales import write_number
from gateway.core.reader import current
from gateway.core.refusals import InvalidField
from providers.credential_check import NotTaken, try_secret
from providers.credential_places import check_region, check_same_address, checked_address
from providers.credentials import (
    add_credential,
    change_credential,
    check_secret,
    remove_credential,
    replace_secret,
)
from providers.models import ProviderCredential, Quota
from providers.services import stand_quota

Place = ProviderCredential.Place


def told_left(quota: Quota) -> str | None:
    """Such as 1,041 of 2,000; None where nobody can say."""
    standing = stand_quota(quota) if quota.pk else None
    if standing is None:
        return None
    here = current().locale
    left = max(0, standing.remaining)
    return f"{write_number(left, here)} of {write_number(quota.amount, here)}"


class FurtherCredentialForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's own class takes none
    """Of one of the operator's. A secret is tested before it is kept."""

    secret = forms.CharField(
        required=False,
        strip=True,
        widget=PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Tested, stored encrypted, and never shown again. Empty: the one that is stored stays.",
    )
    place = forms.ChoiceField(
        choices=[(Place.BEFORE, "Before the main one"), (Place.AFTER, "After the main one")],
        initial=Place.AFTER,
        widget=Select,
    )
    model_patterns = words_field(
        "model_patterns",
        widget=TextArea(attrs={"rows": 2}),
        help_text="Models that it is used for, one on each line, such as anthropic/*. Leave it empty for all.",
    )
    tested_at: Any = None

    class Meta:
        model = ProviderCredential
        fields = [
            "provider",
            "label",
            "place",
            "position",
            "model_patterns",
            "base_url",
            "region",
            "is_enabled",
        ]

    def clean_model_patterns(self) -> list[str] | None:
        return self.cleaned_data["model_patterns"] or None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        provider, secret = cleaned.get("provider", self.instance.provider_id and self.instance.provider), ""
        if "secret" not in self.errors:
            secret = cleaned.get("secret", "")
        if provider:
            self._check_place(provider, cleaned, has_secret=bool(secret))
        if not secret and not self.instance.ciphertext:
            self.add_error("secret", "Type the provider's key.")
        elif secret and provider and "base_url" not in self.errors:
            self._try(provider, secret, cleaned.get("base_url", ""))
        return cleaned

    def _check_place(self, provider: Any, cleaned: dict[str, Any], *, has_secret: bool) -> None:
        saved = ProviderCredential.objects.filter(pk=self.instance.pk).first()
        try:
            check_region(cleaned.get("region", ""))
            typed = cleaned.get("base_url", "")
            cleaned["base_url"] = checked_address(typed, provider=provider, is_own=False)
            if saved and not has_secret:
                check_same_address(saved, cleaned["base_url"])
        except InvalidField as fault:
            self.add_error(fault.field, fault.message)

    def _try(self, provider: Any, secret: str, base_url: str) -> None:
        try:
            check_secret(secret)
            self.tested_at = try_secret(provider, secret, base_url)
        except (InvalidField, NotTaken) as fault:
            self.add_error("secret", fault.message)


class CredentialQuotaInline(TableInline):
    """What may be sent by one of the operator's in a window; where it is full, the next one is used."""

    model = Quota
    verbose_name_plural = "quotas: how much may be sent by it"
    fields = ["unit", "window", "amount", "left_now"]
    readonly_fields = ["left_now"]

    @admin.display(description="left now")
    def left_now(self, quota: Quota) -> str | None:
        return told_left(quota)


@admin.register(ProviderCredential)
class ProviderCredentialAdmin(HistoryAdminBase):
    form = FurtherCredentialForm
    list_display = ["label", "whose", "provider", "masked", "place", "state", "tested_at", "failed_at"]
    list_filter = ["is_enabled", "place", "provider"]
    list_select_related = ["provider", "team"]
    search_fields = ["label", "team__slug", "team__name", "provider__slug", "provider__name"]
    search_help_text = "Label, team or provider"
    autocomplete_fields = ["provider"]
    readonly_fields = [
        "whose",
        "masked",
        "state",
        "rotated_at",
        "tested_at",
        "failed_at",
        "failure",
        "set_by",
    ]
    fieldsets = [
        (
            "Where it is used",
            {
                "fields": [
                    "provider",
                    "whose",
                    "label",
                    ("place", "position"),
                    "model_patterns",
                    "base_url",
                    "region",
                ]
            },
        ),
        ("The secret", {"fields": ["secret", "masked", "is_enabled", "state"]}),
        ("What was seen of it", {"fields": ["rotated_at", "set_by", "tested_at", "failed_at", "failure"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderCredential]:
        rows: QuerySet[ProviderCredential] = super().get_queryset(request)
        return rows.select_related("provider", "team")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """There is no field for a secret where nobody may give one, and nothing to tell of one that is new."""
        left_out = {"masked", "state"} if obj is None else set()
        if obj is not None and not self.has_change_permission(request, obj):
            left_out = {"secret"}
        sets = [
            (name, {**told, "fields": [field for field in told["fields"] if field not in left_out]})
            for name, told in super().get_fieldsets(request, obj)
        ]
        return sets[:2] if obj is None else sets

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> list[Any]:  # noqa: ARG002
        """A team's own have no quotas of ours."""
        return [] if obj is None or obj.team_id else [CredentialQuotaInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:  # noqa: ARG002
        return [*self.readonly_fields, "provider"] if obj else self.readonly_fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A team's own are its owners' to change."""
        is_ours = obj is None or obj.team_id is None
        return is_ours and bool(super().has_change_permission(request, obj))

    @admin.display(description="whose", ordering="team")
    def whose(self, credential: ProviderCredential) -> str:
        return str(credential.team) if credential.team_id else "the operator"

    @admin.display(description="state")
    def state(self, credential: ProviderCredential) -> str:
        if not credential.ciphertext:
            return status_chip("forgotten", "warning", "Its provider has moved to another origin")
        if not credential.is_enabled:
            return status_chip("off")
        if credential.failed_at:
            return status_chip("refused", "bad", credential.failure)
        return status_chip("works", "good") if credential.tested_at else status_chip("not tested")

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().changeform_view(request, *args, **kwargs)
        return answer

    def save_model(self, request: HttpRequest, obj: ProviderCredential, form: Any, change: bool) -> None:  # noqa: ARG002
        given = form.cleaned_data
        names = ("label", "place", "position", "model_patterns", "base_url", "region", "is_enabled")
        terms = {name: given[name] for name in names if name in given}
        if not change:
            made = add_credential(
                provider=obj.provider, team=None, secret=given["secret"], tested_at=form.tested_at, **terms
            )
            obj.pk = made.pk
        elif given["secret"]:
            replace_secret(credential=obj, secret=given["secret"], tested_at=form.tested_at, **terms)
        else:
            change_credential(credential=obj, **terms)

    def delete_model(self, request: HttpRequest, obj: ProviderCredential) -> None:  # noqa: ARG002
        remove_credential(credential=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ProviderCredential]) -> None:  # noqa: ARG002
        with transaction.atomic():
            for credential in queryset:
                remove_credential(credential=credential)
