"""Filters of the curator's lists."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from catalogue.lifecycle.status import Status
from catalogue.quality.worklist import worklist_cache


class StatusFilter(admin.SimpleListFilter):
    """By lifecycle, as it is now."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [(status.value, status.value.capitalize()) for status in Status]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any]:  # noqa: ARG002
        models: QuerySet[Any] = queryset
        return queryset.with_status(timezone.now()).filter(status=self.value()) if self.value() else models


class PublicationFilter(admin.SimpleListFilter):
    """What is quarantined, and what clients have never seen."""

    title = "publication"
    parameter_name = "publication"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("live", "Live"), ("unpublished", "Not published"), ("aside", "Quarantined")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        match self.value():
            case "live":
                return queryset.filter(live_edition__isnull=False)
            case "unpublished":
                return queryset.filter(live_edition=None)
            case "aside":
                return queryset.exclude(quarantine_reason="")
        return queryset


class QualityFilter(admin.SimpleListFilter):
    """By how complete the record is, as the worklist judges it."""

    title = "quality"
    parameter_name = "quality"
    _ranges = {"low": range(50), "fair": range(50, 80), "good": range(80, 101)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("low", "Below 50"), ("fair", "50 to 79"), ("good", "80 and more")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        wanted = self._ranges.get(self.value() or "")
        if wanted is None:
            return queryset
        qualities = worklist_cache.read().qualities
        return queryset.filter(pk__in=[pk for pk, quality in qualities.items() if quality.score in wanted])
