"""What a model's page edits beside the model: its offerings and its other names."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from catalogue.admin.fields import CuratorFields
from catalogue.admin.prices import OfferingForm, price_line
from catalogue.models import Alias, Offering
from gateway.core.admin_base import NamedFormSet, TableInline


class LoadedFormSet(NamedFormSet):
    """Takes the rows that the page has read with its model, so that nothing is read twice."""

    loaded = ""

    def get_queryset(self) -> Any:
        if self.instance.pk and self.loaded in getattr(self.instance, "_prefetched_objects_cache", {}):
            return getattr(self.instance, self.loaded).all()
        return super().get_queryset()


class OfferingFormSet(LoadedFormSet):
    loaded = "offerings"


class OfferingInline(CuratorFields, TableInline):
    """Where the model runs, with the prices that most have; the rest is on the offering's own page."""

    model = Offering
    form = OfferingForm
    formset = OfferingFormSet
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
    folds_words = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offering]:
        offerings: QuerySet[Offering] = super().get_queryset(request)
        return offerings.select_related("model", "provider").prefetch_related("prices")

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "provider" and field is not None:
            # Read once for all rows of the table; a list's own length is not asked of the database.
            field.choices = [*iter(field.choices)]
        return field

    def prices(self, offering: Offering) -> str:
        if offering.pk is None:
            return "Other meters once it is saved."
        page = reverse("admin:catalogue_offering_change", args=[offering.pk])
        line = price_line(offering, timezone.now()) or "no price"
        links = (
            '<span class="price-line">{}</span><br><a class="text-link" href="#prices-{}">all prices</a> · '
            '<a class="text-link" href="{}">details</a>'
        )
        return format_html(links, line, offering.pk, page)


class AliasFormSet(LoadedFormSet):
    """Each alias knows the model of the page, also before that is saved."""

    loaded = "aliases"

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form = super()._construct_form(i, **kwargs)
        form.instance.model = self.instance
        return form


class AliasInline(TableInline):
    model = Alias
    formset = AliasFormSet
    fields = ["name", "policy"]
