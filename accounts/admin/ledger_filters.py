"""What the ledger's list is narrowed by."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import LedgerEntry

Rows = QuerySet[LedgerEntry]

_RECENT = 1_000
_PERIODS = {
    "hour": ("Last hour", timedelta(hours=1)),
    "day": ("Last 24 hours", timedelta(days=1)),
    "week": ("Last 7 days", timedelta(days=7)),
    "month": ("Last 30 days", timedelta(days=30)),
}


class PeriodFilter(admin.ListFilter):
    """By a period that ends now, and by two instants in UTC: from the one on, and before the other."""

    title = "when"
    template = "admin/accounts/period_filter.html"
    # By which the theme looks for options of each filter.
    parameter_name = "when"
    names = ("period", "from", "until")
    column = "started_at"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.asked = {name: params.pop(name)[-1] for name in self.names if name in params}

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def choices(self, changelist: Any) -> Iterator[Any]:
        for name, title in [(None, "All"), *((name, title) for name, (title, _) in _PERIODS.items())]:
            yield {
                "selected": self.asked.get("period") == name,
                "query_string": changelist.get_query_string({"period": name}, ["from", "until"]),
                "display": title,
            }

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What else the list is narrowed by, for the form of the two instants."""
        asked = self.request.GET
        return [(name, str(asked[name])) for name in asked if name not in {*self.names, "p"}]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:  # noqa: ARG002
        begin, end = _read_instant(self.asked.get("from")), _read_instant(self.asked.get("until"))
        if self.asked.get("period") in _PERIODS:
            begin = timezone.now() - _PERIODS[self.asked["period"]][1]
        if begin is not None:
            queryset = queryset.filter(**{f"{self.column}__gte": begin})
        return queryset if end is None else queryset.filter(**{f"{self.column}__lt": end})


class ProviderFilter(admin.SimpleListFilter):
    """The providers of the latest rows: to ask the whole ledger for its providers would read all of it."""

    title = "provider"
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        recent = LedgerEntry.objects.values_list("provider", flat=True)[:_RECENT]
        return [(name, name) for name in sorted(set(recent))]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:  # noqa: ARG002
        return queryset.filter(provider=self.value()) if self.value() else queryset


def _read_instant(text: str | None) -> datetime | None:
    """As browsers send it. What is none narrows nothing."""
    try:
        instant = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
