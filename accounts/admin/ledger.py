"""The ledger, to look at."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import LedgerEntry
from gateway.core.admin_base import AdminBase, CountlessPaginator, Tone, status_chip

_RECENT = 1_000
_TONES: dict[LedgerEntry.Outcome, Tone] = {
    LedgerEntry.Outcome.FINISHED: "good",
    LedgerEntry.Outcome.CANCELLED: "neutral",
    LedgerEntry.Outcome.FAILED_OVER: "warning",
    LedgerEntry.Outcome.UNKNOWN: "warning",
}


class ProviderFilter(admin.SimpleListFilter):
    """The providers of the latest rows: to ask the whole ledger for its providers would read all of it."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        recent = LedgerEntry.objects.values_list("provider", flat=True)[:_RECENT]
        return [(name, name) for name in sorted(set(recent))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[LedgerEntry]) -> QuerySet[LedgerEntry]:  # noqa: ARG002
        return queryset.filter(provider=self.value()) if self.value() else queryset


@admin.register(LedgerEntry)
class LedgerEntryAdmin(AdminBase):
    list_display = [
        "started_at",
        "team",
        "model",
        "provider",
        "outcome_chip",
        "lane",
        "number",
        "input_tokens",
        "output_tokens",
        "cost",
        "latency_ms",
    ]
    list_filter = ["outcome", "lane", ProviderFilter, "team"]
    list_select_related = ["team"]
    paginator = CountlessPaginator
    show_full_result_count = False
    sortable_by = ["started_at"]

    @admin.display(description="outcome")
    def outcome_chip(self, entry: LedgerEntry) -> str:
        return status_chip(LedgerEntry.Outcome(entry.outcome).label, tone_of(entry), entry.error_code)

    @admin.display(description="cost, USD")
    def cost(self, entry: LedgerEntry) -> str:
        return f"{entry.cost_usd.normalize():f}" + (" (estimated)" if entry.is_estimated else "")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


def tone_of(entry: LedgerEntry) -> Tone:
    """In which an entry's outcome is shown."""
    return _TONES.get(LedgerEntry.Outcome(entry.outcome), "bad")
