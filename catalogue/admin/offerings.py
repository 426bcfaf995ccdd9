"""The offering's page: what one provider takes and charges for one model."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.admin.deletion import AskingMixin
from accounts.models import AuditEntry
from accounts.revision import lock_revision
from catalogue.admin.base import PublishingAdminBase
from catalogue.admin.live import publish_aloud
from catalogue.admin.prices import PriceInline, price_line
from catalogue.admin.sheets import SheetAdminMixin
from catalogue.models import Model, Offering
from catalogue.services import announce_switches, switch_offerings
from catalogue.sheets.columns import OfferingSheet, PriceSheet
from gateway.core.admin_base import status_chip
from providers.admin import QuotaInline
from providers.breaker_admin import BreakerMixin, HealthEventInline, IncidentInline, breaker_of_offering
from providers.models import Quota


@admin.register(Offering)
class OfferingAdmin(BreakerMixin, AskingMixin, SheetAdminMixin, PublishingAdminBase):
    resource_classes = [OfferingSheet, PriceSheet]
    inlines = [PriceInline, QuotaInline, IncidentInline, HealthEventInline]
    list_display = ["model", "provider", "upstream_name", "where", "switch", "position", "price"]
    list_filter = ["is_enabled", ("provider", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["model", "provider"]
    search_fields = ["model__public_id", "model__name", "upstream_name", "provider__name"]
    search_help_text = "Model, upstream name or provider"
    autocomplete_fields = ["model", "provider"]
    actions = [*AskingMixin.actions, "switch_on", "switch_off", *BreakerMixin.breaker_actions]
    readonly_fields = ["breaker"]
    fieldsets = [
        ("Say where it runs", {"fields": [("model", "provider"), ("upstream_name", "regions"), "endpoints"]}),
        (
            "Decide when calls go there",
            {
                "fields": [
                    "is_enabled",
                    ("position", "patience_s"),
                    ("effective_from", "effective_to"),
                    "breaker",
                ]
            },
        ),
        (
            "Say what it takes: parameters and limits of its own",
            {
                "classes": ["collapse"],
                "fields": ["params", ("context_length", "max_output_tokens"), "quantization", "streams"],
            },
        ),
        (
            "Say what becomes of what it is sent",
            {"classes": ["collapse"], "fields": [("zero_retention", "collects_data")]},
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offering]:
        offerings: QuerySet[Offering] = super().get_queryset(request)
        return offerings.select_related("model", "provider").prefetch_related("prices")

    def get_readonly_fields(self, request: HttpRequest, obj: Offering | None = None) -> list[str]:  # noqa: ARG002
        """An offering stays with its model: its prices were charged for that one."""
        return [*self.readonly_fields, "model"] if obj else [*self.readonly_fields]

    def history_entries(self, row: Any) -> QuerySet[AuditEntry]:
        """Of the model's page, what is about this offering, its prices or its quotas."""
        prices = Q(content_type__model="price", object_id__in=row.prices.values("pk"))
        quotas = Q(content_type__model="quota", object_id__in=row.quotas.values("pk"))
        own = Q(content_type__model="offering", object_id=row.pk)
        return super().history_entries(row).filter(prices | quotas | own)

    @admin.display(description="switch", ordering="is_enabled")
    def switch(self, offering: Offering) -> str:
        if not offering.provider.is_enabled:
            return status_chip("provider off", "warning")
        return status_chip("on", "good") if offering.is_enabled else status_chip("off")

    @admin.display(description="breaker")
    def breaker(self, offering: Offering) -> str:
        return breaker_of_offering(offering)

    @admin.display(description="regions", ordering="regions")
    def where(self, offering: Offering) -> str:
        return ", ".join(offering.regions)

    @admin.display(description="$/M tokens")
    def price(self, offering: Offering) -> str:
        return price_line(offering, timezone.now())

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        has_quotas_changed = any(each.model is Quota and each.has_changed() for each in formsets)
        if has_quotas_changed or (change and {"is_enabled", "patience_s"} & set(form.changed_data)):
            announce_switches()
        self._publish(request, [form.instance.model_id], f"Edited {form.instance}")

    def entries_of(self, rows: Sequence[Offering]) -> Q:
        """A condition for each provider: SQLite does not take one for each of a thousand rows."""
        of_provider: dict[str, list[Offering]] = {}
        for row in rows:
            of_provider.setdefault(row.provider.slug, []).append(row)
        entries = Q(pk__in=[])
        for slug, offerings in of_provider.items():
            models = {row.model.public_id for row in offerings}
            names = {row.upstream_name for row in offerings}
            entries |= Q(provider=slug, model__in=models, upstream_name__in=names)
        return entries

    def instead_of_deleting(self) -> tuple[str, str]:
        return (
            "You can switch an offering off instead: its prices stay, and it can come back.",
            "id_is_enabled",
        )

    def delete_model(self, request: HttpRequest, obj: Offering) -> None:
        model_id, note = obj.model_id, f"Deleted {obj}"
        super().delete_model(request, obj)
        self._publish(request, [model_id], note)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Offering]) -> None:
        model_ids = list(queryset.values_list("model_id", flat=True))
        with transaction.atomic():
            lock_revision()
            super().delete_queryset(request, queryset)
            self._publish(request, model_ids, "Deleted offerings")

    @admin.action(description="Switch on", permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[Offering]) -> None:
        self._switch(request, queryset, is_enabled=True)

    @admin.action(description="Switch off", permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[Offering]) -> None:
        self._switch(request, queryset, is_enabled=False)

    def _switch(self, request: HttpRequest, offerings: QuerySet[Offering], *, is_enabled: bool) -> None:
        changed = switch_offerings(offerings, is_enabled=is_enabled)
        word = "on" if is_enabled else "off"
        messages.success(request, f"Switched {changed} offerings {word}, in effect within a second.")

    def _publish(self, request: HttpRequest, model_ids: Iterable[int], note: str) -> None:
        publish_aloud(request, Model.objects.filter(pk__in=model_ids), note)
