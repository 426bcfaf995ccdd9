"""The model's page: everything that clients will see of it, and what they see now."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from accounts.admin.deletion import AskingMixin
from accounts.models import User
from catalogue.admin.base import PublishingAdminBase
from catalogue.admin.conflicts import ModelForm
from catalogue.admin.filters import PublicationFilter, QualityFilter, StatusFilter
from catalogue.admin.inlines import AliasInline, OfferingInline
from catalogue.admin.live import lifecycle_chip, live_chip, publish_aloud
from catalogue.admin.model_summary import describe, judge_shown, quality_chip
from catalogue.admin.prices import price_line
from catalogue.admin.rollback import show_versions
from catalogue.admin.sheets import SheetAdminMixin
from catalogue.admin.trial import tell_trial
from catalogue.admin.worklist import show_worklist
from catalogue.models import Model, Offering
from catalogue.querysets.working import ModelQuerySet
from catalogue.services import announce_switches, delete_models, switch_offerings
from catalogue.sheets.columns import AliasSheet, ModelSheet, OrganisationSheet

_SAVE_AND_TEST = "catalogue_model_save_and_test"


@admin.register(Model)
class ModelAdmin(AskingMixin, SheetAdminMixin, PublishingAdminBase):
    resource_classes = [ModelSheet, AliasSheet, OrganisationSheet]
    form = ModelForm
    inlines = [OfferingInline, AliasInline]
    list_display = ["public_id", "name", "status", "live", "quality", "runs_at", "price", "edited"]
    list_filter = [
        StatusFilter,
        PublicationFilter,
        QualityFilter,
        ("organisation", admin.RelatedOnlyFieldListFilter),
        ("offerings__provider", admin.RelatedOnlyFieldListFilter),
    ]
    search_fields = ["public_id", "name", "aliases__name", "offerings__upstream_name"]
    search_help_text = "Id, name, alias or upstream name"
    show_full_result_count = False
    autocomplete_fields = ["organisation", "successor", "previous"]
    readonly_fields = ["created_at"]
    actions_submit_line = ["save_and_test"]
    actions = [*AskingMixin.actions, "publish_now", "switch_offerings_on", "switch_offerings_off"]
    fieldsets = [
        (
            "Name it",
            {
                "description": "Clients call it by organisation/slug: that cannot be changed once it is published.",
                "fields": [("organisation", "slug"), "name", "description"],
            },
        ),
        (
            "Say what it can do",
            {
                "description": "Lists are filtered and calls are routed by these. What is left empty is unknown.",
                "fields": [
                    ("input_types", "output_types"),
                    ("context_length", "max_output_tokens"),
                    ("reasoning_tier", "tokenizer"),
                    "is_moderated",
                ],
            },
        ),
        (
            "Say where it comes from",
            {"fields": [("open_weights", "licence"), ("knowledge_cutoff", "previous")]},
        ),
        (
            "Plan its life",
            {
                "description": "Status follows from these dates by itself, in UTC. Name a successor before an end.",
                "fields": ["release_at", ("deprecation_at", "retirement_at"), "successor"],
            },
        ),
        ("Note your sources", {"fields": ["source", "created_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> ModelQuerySet:
        rows: ModelQuerySet = super().get_queryset(request)
        return rows.complete().with_live()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Model], search_term: str
    ) -> tuple[QuerySet[Model], bool]:
        """Looks for ids first: rows with all that their line shows, once for each offering, are dear to compare."""
        if not search_term.strip():
            return queryset, False
        found, _ = super().get_search_results(request, Model.objects.all(), search_term)
        return queryset.filter(pk__in=found.values("pk")), False

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("worklist/", wrap(self.worklist_view), name="catalogue_worklist"),
            path("<int:pk>/editions/", wrap(self.versions_view), name="catalogue_model_editions"),
            *super().get_urls(),
        ]

    def worklist_view(self, request: HttpRequest) -> HttpResponse:
        return show_worklist(self, request)

    def versions_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return show_versions(self, request, get_object_or_404(Model, pk=pk))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        judged = judge_shown(changelist.result_list)
        for model in changelist.result_list:
            model.judged = judged.get(model.pk)
        return changelist

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], **kwargs: Any
    ) -> HttpResponse:
        model = kwargs.get("obj")
        if model is not None and request.method == "POST":
            # What was refused stays in the form; around it stands what is saved.
            model = self.get_queryset(request).get(pk=model.pk)
        summary = {"summary": describe(model)} if model else {}
        return super().render_change_form(request, context | summary, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        if obj is None or not self.has_change_permission(request, obj):
            return self.fieldsets
        return [*self.fieldsets, (None, {"fields": ["opened_at"]})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:  # noqa: ARG002
        """Clients call a published model by its id, so that stays."""
        if obj and getattr(obj, "was_published", False):
            return [*self.readonly_fields, "organisation", "slug"]
        return self.readonly_fields

    @admin.display(description="status")
    def status(self, model: Model) -> str:
        return lifecycle_chip(model, timezone.now())

    @admin.display(description="clients see", ordering="live_edition")
    def live(self, model: Any) -> str:
        return live_chip(model, is_live_as_edited=bool(model.judged and model.judged.is_live_as_edited))

    @admin.display(description="quality")
    def quality(self, model: Any) -> str:
        return quality_chip(model.judged.quality) if model.judged else ""

    @admin.display(description="runs at")
    def runs_at(self, model: Model) -> str:
        return _places(model)

    @admin.display(description="edited", ordering="updated_at")
    def edited(self, model: Model) -> str:
        return f"{model.updated_at:%Y-%m-%d}"

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

    @admin.action(description="Save and test", permissions=["change"])
    def save_and_test(self, request: HttpRequest, obj: Model) -> None:
        """A button beside “Save”; what follows the saving does it."""

    def response_add(self, request: HttpRequest, obj: Model, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = super().response_add(request, obj, *args, **kwargs)
        return self._after_saving(request, obj, answer)

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        answer: HttpResponse = super().response_change(request, obj)
        return self._after_saving(request, obj, answer)

    def _after_saving(self, request: HttpRequest, obj: Model, answer: HttpResponse) -> HttpResponse:
        if _SAVE_AND_TEST not in request.POST:
            return answer
        # After the commit: a transaction must not wait for a provider.
        transaction.on_commit(lambda: tell_trial(request, obj))
        return HttpResponseRedirect(reverse("admin:catalogue_model_change", args=[obj.pk]))

    def entries_of(self, rows: Sequence[Model]) -> Q:
        return Q(model__in=[row.public_id for row in rows])

    def instead_of_deleting(self) -> tuple[str, str]:
        advice = (
            "You can retire a model instead: calls to it are then refused with the name of its successor, and "
            "its history, prices and editions stay."
        )
        return advice, "id_retirement_at"

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.delete_queryset(request, Model.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        author = request.user if isinstance(request.user, User) else None
        rows = Model.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)))
        edition = delete_models(rows, author=author)
        if edition is not None:
            messages.success(request, f"Clients no longer see it, from {edition} on.")

    @admin.action(description="Publish now", permissions=["change"])
    def publish_now(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        publish_aloud(request, queryset, "Published from the list")

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """Of the offerings of models, which are rows of their own."""
        return request.user.has_perms(["catalogue.change_model", "catalogue.change_offering"])

    @admin.action(description="Switch offerings on", permissions=["switch"])
    def switch_offerings_on(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        _switch(request, queryset, is_enabled=True)

    @admin.action(description="Switch offerings off", permissions=["switch"])
    def switch_offerings_off(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        _switch(request, queryset, is_enabled=False)


_PLACES_SHOWN = 3


def _places(model: Model) -> str:
    places = list(dict.fromkeys(map(_place, model.offerings.all())))
    more = len(places) - _PLACES_SHOWN
    return ", ".join(places[:_PLACES_SHOWN]) + (f" and {more} more" if more > 0 else "")


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
