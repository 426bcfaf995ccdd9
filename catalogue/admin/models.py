"""The model's page: everything that clients will see of it, and what they see now."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from catalogue.admin.desk import PublishingDesk
from catalogue.admin.filters import PublicationFilter, StatusFilter
from catalogue.admin.inlines import AliasInline, OfferingInline
from catalogue.admin.live import lifecycle_chip, live_chip, live_panel, publish_aloud, with_live
from catalogue.admin.prices import price_line
from catalogue.admin.sheets import SheetDesk
from catalogue.models import Model, Offering, PublishedModel
from catalogue.services import announce_switches, delete_models, switch_offerings
from catalogue.sheets import ModelSheet


class ModelForm(forms.ModelForm):  # type: ignore[type-arg]
    """Knows which version of the row was opened, so that nobody's edit is overwritten unseen."""

    opened_at = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["opened_at"] = self.instance.updated_at.isoformat()

    def clean_opened_at(self) -> str:
        opened_at: str = self.cleaned_data["opened_at"]
        if opened_at and self.instance.pk and opened_at != self.instance.updated_at.isoformat():
            raise ValidationError(
                "Somebody else saved this model while you edited it. Open it again in another tab, "
                "and carry your changes over."
            )
        return opened_at


@admin.register(Model)
class ModelAdmin(SheetDesk, PublishingDesk):
    resource_classes = [ModelSheet]
    form = ModelForm
    inlines = [OfferingInline, AliasInline]
    list_display = ["public_id", "name", "status", "live", "runs_at", "price", "updated_at"]
    list_filter = [
        StatusFilter,
        PublicationFilter,
        ("organisation", admin.RelatedOnlyFieldListFilter),
        ("offerings__provider", admin.RelatedOnlyFieldListFilter),
    ]
    search_fields = ["public_id", "name", "aliases__name", "offerings__upstream_name"]
    search_help_text = "Id, name, alias or upstream name"
    autocomplete_fields = ["organisation", "successor"]
    readonly_fields = ["status", "what_is_live", "created_at"]
    actions = ["publish_now", "switch_offerings_on", "switch_offerings_off"]
    fieldsets = [
        ("What it is", {"fields": ["organisation", "slug", "name", "description"]}),
        (
            "What it can do",
            {
                "fields": [
                    ("input_types", "output_types"),
                    ("context_length", "max_output_tokens"),
                    ("reasoning_tier", "tokenizer"),
                    "is_moderated",
                ]
            },
        ),
        ("Its life", {"fields": ["release_at", "deprecation_at", "retirement_at", "successor"]}),
        ("Sources", {"fields": ["source"]}),
    ]
    _about_now = ("What clients see", {"fields": ["status", "what_is_live", "created_at"]})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        return with_live(super().get_queryset(request).complete())

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        if obj is None:
            return self.fieldsets
        shown: list[Any] = [self._about_now, *self.fieldsets]
        if self.has_change_permission(request, obj):
            shown.append((None, {"fields": ["opened_at"]}))
        return shown

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:  # noqa: ARG002
        """Clients call a published model by its id, so that stays."""
        if obj and PublishedModel.objects.filter(public_id=obj.public_id).exists():
            return [*self.readonly_fields, "organisation", "slug"]
        return self.readonly_fields

    @admin.display(description="status")
    def status(self, model: Model) -> str:
        return lifecycle_chip(model, timezone.now())

    @admin.display(description="clients see", ordering="live_edition")
    def live(self, model: Model) -> str:
        return live_chip(model)

    @admin.display(description="live")
    def what_is_live(self, model: Model) -> str:
        return live_panel(model)

    @admin.display(description="runs at")
    def runs_at(self, model: Model) -> str:
        return ", ".join(map(_place, model.offerings.all()))

    @admin.display(description="$/M tokens")
    def price(self, model: Model) -> str:
        at = timezone.now()
        return next((line for offering in model.offerings.all() if (line := price_line(offering, at))), "")

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.model is Offering:
            _finish_offerings(formset)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        verb = "Edited" if change else "Added"
        publish_aloud(request, Model.objects.filter(pk=form.instance.pk), f"{verb} {form.instance}")

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.delete_queryset(request, Model.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        author = request.user if isinstance(request.user, User) else None
        rows = Model.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
        edition = delete_models(rows, author=author)
        if edition is not None:
            messages.success(request, f"Clients no longer see it, from edition {edition.number} on.")

    @admin.action(description="Publish now", permissions=["change"])
    def publish_now(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        publish_aloud(request, queryset, "Published from the list")

    @admin.action(description="Switch offerings on", permissions=["change"])
    def switch_offerings_on(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        _switch(request, queryset, is_enabled=True)

    @admin.action(description="Switch offerings off", permissions=["change"])
    def switch_offerings_off(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        _switch(request, queryset, is_enabled=False)


def _place(offering: Offering) -> str:
    is_on = offering.is_enabled and offering.provider.is_enabled
    return offering.provider.name if is_on else f"{offering.provider.name} (off)"


def _switch(request: HttpRequest, models: QuerySet[Model], *, is_enabled: bool) -> None:
    changed = switch_offerings(Offering.objects.filter(model__in=list(models)), is_enabled=is_enabled)
    word = "on" if is_enabled else "off"
    messages.success(request, f"Switched {changed} offerings {word}, in effect within a second.")


def _finish_offerings(formset: Any) -> None:
    """After the rows are saved: prices that were typed, and switches that were turned."""
    saved = [form for form in formset.forms if form.instance.pk and form not in formset.deleted_forms]
    for form in saved:
        form.set_prices()
    if any("is_enabled" in form.changed_data for form in saved):
        announce_switches()
