"""What a model's page edits beside the model: its offerings and its other names."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from accounts.admin.base import TableInline
from catalogue.admin.fields import CuratorFields
from catalogue.admin.prices import PerMillionForm, price_line
from catalogue.models import Alias, Offering


class OfferingInline(CuratorFields, TableInline):
    """Where the model runs, with the prices that most have; the rest is on the offering's own page."""

    model = Offering
    form = PerMillionForm
    fields = [
        "provider",
        "upstream_name",
        "endpoints",
        "input_usd",
        "output_usd",
        "prices",
        "position",
        "is_enabled",
    ]
    readonly_fields = ["prices"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offering]:
        offerings: QuerySet[Offering] = super().get_queryset(request)
        return offerings.select_related("model", "provider").prefetch_related("prices")

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "provider" and field is not None:
            # Read once for all rows of the table.
            field.choices = list(field.choices)
        return field

    def prices(self, offering: Offering) -> str:
        if offering.pk is None:
            return "Saved with the model; tiers and other meters on the offering's page."
        page = reverse("admin:catalogue_offering_change", args=[offering.pk])
        line = price_line(offering, timezone.now()) or "no price"
        return format_html('{} <a class="text-link" href="{}">details</a>', line, page)


class AliasFormSet(TableInline.formset):  # type: ignore[misc,name-defined]
    """Each alias knows the model of the page, also before that is saved."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)
        form.instance.model = self.instance
        return form


class AliasInline(TableInline):
    model = Alias
    formset = AliasFormSet
    fields = ["name"]
