"""The organisations that make models."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from catalogue.admin.base import PublishingAdminBase
from catalogue.admin.live import publish_aloud
from catalogue.models import Organisation


@admin.register(Organisation)
class OrganisationAdmin(PublishingAdminBase):
    list_display = ["name", "id", "colour", "country_code", "model_count"]
    search_fields = ["id", "name"]
    # Counting groups rows, and groups have no order of their own.
    ordering = ["name"]
    fieldsets = [
        ("Who it is", {"fields": ["id", "name", "website", "country_code"]}),
        ("How it looks", {"fields": ["colour"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organisation]:
        organisations: QuerySet[Organisation] = super().get_queryset(request)
        return organisations.annotate(model_total=Count("models"))

    def get_readonly_fields(self, request: HttpRequest, obj: Organisation | None = None) -> list[str]:  # noqa: ARG002
        return ["id"] if obj else []

    @admin.display(description="models", ordering="model_total")
    def model_count(self, organisation: Organisation) -> str:
        page = reverse("admin:catalogue_model_changelist")
        total = organisation.model_total  # type: ignore[attr-defined]  # annotated in get_queryset
        query = f"organisation__id__exact={organisation.pk}"
        return format_html('<a class="text-link" href="{}?{}">{}</a>', page, query, total)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        organisation: Organisation = form.instance
        if change:
            publish_aloud(request, organisation.models.all(), f"{organisation.name} was edited")
