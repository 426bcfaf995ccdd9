"""Keys: issued here with the secret shown once, changed, and revoked; never deleted."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import patterns, services
from accounts.admin.deletion import KeptMixin
from accounts.admin.limits import KeyLimitInline, LimitedMixin
from accounts.admin.shown_once import ShownOnceBase
from accounts.fields import limit_field, words_field
from accounts.floors import FLAGS
from accounts.limits import PUBLISHED
from accounts.models import Key, User
from accounts.querysets import KeyQuerySet
from accounts.restrictions import LISTS
from accounts.scopes import SCOPES, check_scopes, word_for
from accounts.shown_once import keep_secret, take_secret
from gateway.core.admin_base import (
    Checkboxes,
    NumberInput,
    TextArea,
    Tone,
    confirmed_action,
    status_chip,
    to_page,
)
from gateway.core.refusals import InvalidField

REVOKE = "accounts.revoke_key"
_FIXED = ["scope", "scopes", "owner", "service_account"]
_COLUMNS = [*_FIXED, "project", *LISTS, *FLAGS, "lane", "may_search_elsewhere", "timeout_ms", "expires_at"]
_TERMS = [*_COLUMNS, *PUBLISHED]
_TONES: dict[Key.State, Tone] = {
    Key.State.ACTIVE: "good",
    Key.State.EXPIRED: "neutral",
    Key.State.REVOKED: "bad",
}


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    requests_per_minute = limit_field("requests_per_minute", widget=NumberInput)
    concurrency = limit_field("concurrency", widget=NumberInput)
    model_patterns = words_field("model_patterns", widget=TextArea)
    denied_model_patterns = words_field("denied_model_patterns", widget=TextArea)
    provider_patterns = words_field("provider_patterns", widget=TextArea)
    denied_provider_patterns = words_field("denied_provider_patterns", widget=TextArea)
    surfaces = words_field("surfaces", widget=TextArea)
    ip_ranges = words_field("ip_ranges", widget=TextArea)
    regions = words_field("regions", widget=TextArea)
    quantizations = words_field("quantizations", widget=TextArea)
    scopes = forms.MultipleChoiceField(
        required=False,
        choices=[(word, label) for word, label in SCOPES.items()],
        widget=Checkboxes,
        help_text="Exactly what the key may do, in place of the one word above. Choose none to go by that word.",
    )

    class Meta:
        model = Key
        fields = ["team", "name", *_COLUMNS]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if self.instance.pk:
            self.initial.update({field: getattr(self.instance, field) for field in PUBLISHED})
        if self.instance.pk and "project" in self.fields:
            choices = cast("forms.ModelChoiceField[Any]", self.fields["project"])
            choices.queryset = self.instance.team.projects.filter(archived_at__isnull=True)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        changed = {name: cleaned[name] for name in self.changed_data if name in cleaned}
        team = cleaned.get("team") or getattr(self.instance, "team", None)
        try:
            if self.instance.pk is None and cleaned.get("scopes"):
                check_scopes(cleaned["scopes"])
                cleaned["scope"] = word_for(cleaned["scopes"])
            if team is not None:
                services.check_changes(team, changed)
        except InvalidField as fault:
            self.add_error(fault.field if fault.field in self.fields else None, fault.message)
        return cleaned


@admin.register(Key)
class KeyAdmin(KeptMixin, LimitedMixin, ShownOnceBase):
    kept_because = (
        "A key cannot be deleted: the ledger and the audit refer to it. Revoke it: it opens nothing then."
    )
    form = KeyForm
    inlines = [KeyLimitInline]
    list_display = ["name", "team", "public_id", "scope", "state", "limits", "last_used_at", "created_at"]
    list_filter = ["scope", "lane"]
    list_select_related = ["team"]
    search_fields = ["name", "public_id", "team__slug"]
    change_form_before_template = "admin/new_key.html"
    actions = ["revoke_selected"]
    actions_detail = ["rotate", "revoke"]
    fieldsets = [
        (
            "Whose key it is, and what uses it",
            {"fields": ["team", ("owner", "service_account"), "name", "project"]},
        ),
        ("What it may do", {"fields": ["scope", "scopes", "lane", "may_search_elsewhere", "expires_at"]}),
        ("What it may reach", {"fields": [*LISTS, FLAGS]}),
        ("How much at once", {"fields": ["requests_per_minute", "concurrency", "timeout_ms"]}),
    ]
    _history = (
        "What happened to it",
        {
            "fields": [
                "public_id",
                "state",
                "created_by",
                "created_at",
                "last_used_at",
                "revoked_at",
                "replaces",
                "successor_key",
            ]
        },
    )

    def get_queryset(self, request: HttpRequest) -> KeyQuerySet:
        keys: KeyQuerySet = super().get_queryset(request)
        return keys.with_limits().select_related("team")

    def get_inlines(self, request: HttpRequest, obj: Key | None) -> list[Any]:
        """A new key is shown first."""
        return super().get_inlines(request, obj) if obj else []

    def get_fieldsets(self, request: HttpRequest, obj: Key | None = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        return [*fieldsets, self._history] if obj else fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Key | None = None) -> list[str]:  # noqa: ARG002
        return ["team", *_FIXED, *self._history[1]["fields"]] if obj else []

    def get_autocomplete_fields(self, request: HttpRequest) -> Sequence[str]:
        """A key that is there has few projects to choose from."""
        is_new = request.resolver_match is None or "object_id" not in request.resolver_match.kwargs
        return ["team", "owner", "service_account", "project"] if is_new else []

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may not look at keys could not see the one that they issue."""
        return bool(super().has_add_permission(request) and self.has_view_or_change_permission(request))

    def has_change_permission(self, request: HttpRequest, obj: Key | None = None) -> bool:
        is_revoked = isinstance(obj, Key) and obj.revoked_at is not None
        return not is_revoked and bool(super().has_change_permission(request, obj))

    def has_revoke_permission(self, request: HttpRequest, object_id: Any = None) -> bool:  # noqa: ARG002
        """Who keeps people safe stops keys, and does not see new ones."""
        return bool(request.user.has_perm(REVOKE) or self.has_change_permission(request))

    @admin.display(description="state")
    def state(self, key: Key) -> str:
        state = key.state_at(timezone.now())
        return status_chip(state.label, _TONES[state])

    @admin.display(description="successor")
    def successor_key(self, key: Key) -> str:
        successor = getattr(key, "successor", None)
        return f"{successor}; this one works until {key.expires_at:%Y-%m-%d %H:%M} UTC" if successor else ""

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
            self._warn_of_patterns(request, values)
            return
        terms = {name: values[name] for name in _TERMS}
        if not terms["scopes"]:
            del terms["scopes"]
        for name in (*PUBLISHED, "expires_at"):
            # Empty: what the team gives.
            if terms[name] is None:
                del terms[name]
        person = cast("User", request.user)
        key, text = services.issue_key(team=obj.team, name=obj.name, created_by=person, **terms)
        obj.pk, obj.public_id, obj.created_at = key.pk, key.public_id, key.created_at
        # Not in a message: those travel in a cookie that everybody can read.
        keep_secret(request.session, key, text)
        self._warn_of_patterns(request, values)

    def _warn_of_patterns(self, request: HttpRequest, values: Mapping[str, Any]) -> None:
        models, providers = (
            [*values.get(f"{what}_patterns", ()), *values.get(f"denied_{what}_patterns", ())]
            for what in ("model", "provider")
        )
        for warning in patterns.warn_of(models, providers):
            messages.warning(request, f"{warning} It is kept, for what comes later.")

    def take_new(self, request: HttpRequest, row: Key) -> Mapping[str, Any]:
        return {"new_key": take_secret(request.session, key=row)}

    @admin.action(description="Revoke the selected keys", permissions=["revoke"])
    def revoke_selected(self, request: HttpRequest, queryset: QuerySet[Key]) -> None:
        for key in queryset:
            services.revoke_key(key=key)
            self.log_change(request, key, "Revoked.")
        messages.success(request, "Revoked. Calls with these keys are refused within a second.")

    @confirmed_action(
        "Rotate",
        "Issue a key in the place of this one?",
        "It has the same terms and is shown once. This one keeps working for a day.",
    )
    def rotate(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:  # noqa: ARG002
        key = Key.objects.select_related("team").get(pk=object_id)
        person = cast("User", request.user)
        try:
            new, text = services.rotate_key(key=key, overlap=services.OVERLAP, created_by=person)
        except InvalidField as fault:
            messages.error(request, fault.message)
            return to_page(request, key)
        keep_secret(request.session, new, text)
        return to_page(request, new)

    @confirmed_action(
        "Revoke",
        "Revoke this key?",
        "Calls with it are refused within a second, for good. The ledger keeps its rows.",
        right="revoke",
    )
    def revoke(self, request: HttpRequest, form: forms.Form, object_id: str) -> HttpResponse:  # noqa: ARG002
        key = Key.objects.get(pk=object_id)
        services.revoke_key(key=key)
        self.log_change(request, key, "Revoked.")
        messages.success(request, f"{key} is revoked.")
        return to_page(request, key)
