"""Keys: issued here with the secret shown once, changed, and revoked; never deleted."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from accounts import limits, patterns, services
from accounts.admin.history import HistoryAdminBase
from accounts.fields import PatternsField
from accounts.models import Key, User
from accounts.shown_once import keep_secret, take_secret
from gateway.core.admin_base import TextArea, Tone, confirmed_action, status_chip
from gateway.core.refusals import InvalidField

_TERMS = [
    "scope",
    "requests_per_minute",
    "concurrency",
    "model_patterns",
    "lane",
    "may_search_elsewhere",
    "expires_at",
]
_TONES: dict[Key.State, Tone] = {
    Key.State.ACTIVE: "good",
    Key.State.EXPIRED: "neutral",
    Key.State.REVOKED: "bad",
}


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    model_patterns = PatternsField(
        required=False, widget=TextArea, help_text="One a line, such as anthropic/*. Empty: all models."
    )

    class Meta:
        model = Key
        fields = ["team", "name", *_TERMS]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for field in set(self.changed_data) & set(cleaned):
            try:
                _check(field, cleaned[field])
            except InvalidField as fault:
                self.add_error(field, fault.message)
        return cleaned


@admin.register(Key)
class KeyAdmin(HistoryAdminBase):
    form = KeyForm
    list_display = ["name", "team", "public_id", "scope", "state", "limits", "last_used_at", "created_at"]
    list_filter = ["scope", "lane"]
    list_select_related = ["team"]
    search_fields = ["name", "public_id", "team__slug"]
    autocomplete_fields = ["team"]
    change_form_before_template = "admin/new_key.html"
    actions = ["revoke_selected"]
    actions_detail = ["revoke"]
    fieldsets = [
        ("Whose key it is, and what uses it", {"fields": ["team", "name", "scope"]}),
        ("What it may do", {"fields": ["model_patterns", "lane", "may_search_elsewhere", "expires_at"]}),
        ("How much at once", {"fields": ["requests_per_minute", "concurrency"]}),
    ]
    _history = (
        "What happened to it",
        {"fields": ["public_id", "state", "created_by", "created_at", "last_used_at", "revoked_at"]},
    )

    def get_fieldsets(self, request: HttpRequest, obj: Key | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return [*fieldsets, self._history] if obj else fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Key | None = None) -> list[str]:  # noqa: ARG002
        return ["team", "scope", *self._history[1]["fields"]] if obj else []

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may not look at keys could not see the one that they issue."""
        return bool(super().has_add_permission(request) and self.has_view_or_change_permission(request))

    def has_change_permission(self, request: HttpRequest, obj: Key | None = None) -> bool:
        is_revoked = isinstance(obj, Key) and obj.revoked_at is not None
        return not is_revoked and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Key | None = None) -> bool:  # noqa: ARG002
        return False

    @admin.display(description="state")
    def state(self, key: Key) -> str:
        state = key.state_at(timezone.now())
        return status_chip(state.label, _TONES[state])

    @admin.display(description="limits")
    def limits(self, key: Key) -> str:
        rate = f"{key.requests_per_minute} a minute" if key.requests_per_minute else ""
        return (
            ", ".join(filter(None, [rate, f"{key.concurrency} at once" if key.concurrency else ""])) or "none"
        )

    def save_model(self, request: HttpRequest, obj: Key, form: KeyForm, change: bool) -> None:
        values = form.cleaned_data
        if change:
            services.update_key(key=obj, **{name: values[name] for name in form.changed_data})
            self._warn_of_patterns(request, values.get("model_patterns", ()))
            return
        terms = {name: values[name] for name in _TERMS}
        person = cast("User", request.user)
        key, text = services.issue_key(team=obj.team, name=obj.name, created_by=person, **terms)
        obj.pk, obj.public_id, obj.created_at = key.pk, key.public_id, key.created_at
        # Not in a message: those travel in a cookie that everybody can read.
        keep_secret(request.session, key, text)
        self._warn_of_patterns(request, values["model_patterns"])

    def _warn_of_patterns(self, request: HttpRequest, given: Sequence[str]) -> None:
        for warning in patterns.warn_of(given):
            messages.warning(request, f"{warning} It is kept, for models that come later.")

    def response_add(self, request: HttpRequest, obj: Key, *_: Any, **__: Any) -> HttpResponse:  # noqa: ARG002
        """To the key's page, whichever button was pressed: only there its text is shown."""
        return HttpResponseRedirect(reverse("admin:accounts_key_change", args=[obj.pk]))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        key = self.get_object(request, object_id) if request.method == "GET" else None
        if key is not None and self.has_view_or_change_permission(request, key):
            new = take_secret(request.session, key=key)
            extra_context = (extra_context or {}) | {"new_key": new}
        page: HttpResponse = super().change_view(request, object_id, form_url, extra_context)
        return page

    @admin.action(description="Revoke the selected keys", permissions=["change"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[Key]) -> None:
        for key in queryset:
            services.revoke_key(key=key)
            self.log_change(request, key, "Revoked.")
        messages.success(request, "Revoked. Calls with these keys are refused within a second.")

    @confirmed_action(
        "Revoke",
        "Revoke this key?",
        "Calls with it are refused within a second, for good. The ledger keeps its rows.",
    )
    def revoke(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:  # noqa: ARG002
        key = Key.objects.get(pk=object_id)
        services.revoke_key(key=key)
        self.log_change(request, key, "Revoked.")
        messages.success(request, f"{key} is revoked.")
        page = reverse("admin:accounts_key_change", args=[key.pk])
        is_dialog = "HX-Request" in request.headers
        return HttpResponse(headers={"HX-Redirect": page}) if is_dialog else HttpResponseRedirect(page)


def _check(field: str, value: Any) -> None:
    if field == "name":
        limits.check_name(value)
    elif field in {"requests_per_minute", "concurrency"}:
        limits.check_limit(field, value)
    elif field == "expires_at":
        limits.check_expiry(value, timezone.now())
