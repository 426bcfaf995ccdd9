"""The model's page: everything that clients will see of it, and what they see now."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from catalogue.admin.filters import PublicationFilter, QualityFilter, StatusFilter
from catalogue.admin.inlines import AliasInline, OfferingInline
from catalogue.admin.prices import price_line
from catalogue.admin.record_pages import LIFE, NAMING, SOURCES, RecordAdmin
from catalogue.admin.sheets import SheetAdminMixin
from catalogue.admin.trial import tell_trial
from catalogue.admin.worklist import show_worklist
from catalogue.models import Model, Offering, Route
from catalogue.querysets.working import ModelQuerySet
from catalogue.services import announce_switches, switch_offerings
from catalogue.sheets.columns import AliasSheet, ModelSheet, OrganisationSheet, RouteMemberSheet

_DIGITS = 19
"""That no id has: what is typed into an address may be longer."""
_SAVE_AND_TEST = "catalogue_model_save_and_test"


@admin.register(Model)
class ModelAdmin(SheetAdminMixin, RecordAdmin):
    """Named routes have a page of their own, to which links to this one lead."""

    resource_classes = [ModelSheet, AliasSheet, OrganisationSheet, RouteMemberSheet]
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
    autocomplete_fields = ["organisation", "successor", "previous"]
    actions_submit_line = ["save_and_test"]
    actions = [*RecordAdmin.actions, "switch_offerings_on", "switch_offerings_off"]
    fieldsets = [
        NAMING,
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
        LIFE,
        SOURCES,
    ]

    def get_queryset(self, request: HttpRequest) -> ModelQuerySet:
        """Others are looked for among routes too: one may follow a model."""
        rows = super().get_queryset(request)
        is_choosing = request.resolver_match is not None and request.resolver_match.url_name == "autocomplete"
        return rows if is_choosing else rows.filter(kind=Model.Kind.MODEL)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.worklist_view)
        return [path("worklist/", view, name="catalogue_worklist"), *super().get_urls()]

    def worklist_view(self, request: HttpRequest) -> HttpResponse:
        return show_worklist(self, request)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        if object_id.isdecimal() and len(object_id) < _DIGITS and Route.objects.filter(pk=object_id).exists():
            return redirect("admin:catalogue_route_change", object_id)
        answer: HttpResponse = super().change_view(request, object_id, *args, **kwargs)
        return answer

    @admin.display(description="runs at")
    def runs_at(self, model: Model) -> str:
        return _places(model)

    @admin.display(description="$/M tokens")
    def price(self, model: Model) -> str:
        at = timezone.now()
        return next((line for offering in model.offerings.all() if (line := price_line(offering, at))), "")

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        if formset.model is Offering:
            _finish_offerings(formset)

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
