"""The editions, to read: who published what, when and why."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from accounts.admin.base import Desk
from catalogue.models import Edition, PublishedModel

SHOWN = 200


@admin.register(Edition)
class EditionAdmin(Desk):
    list_display = ["number", "published_at", "author", "note", "model_count"]
    list_select_related = ["author"]
    search_fields = ["note", "opened__public_id"]
    search_help_text = "Note or model"
    date_hierarchy = "published_at"
    fields = readonly_fields = ["number", "published_at", "author", "note", "published", "withdrawn"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Edition]:
        editions: QuerySet[Edition] = super().get_queryset(request)
        return editions.annotate(model_total=Count("opened", distinct=True))

    @admin.display(description="models", ordering="model_total")
    def model_count(self, edition: Edition) -> int:
        return int(edition.model_total)  # type: ignore[attr-defined]  # annotated in get_queryset

    @admin.display(description="published")
    def published(self, edition: Edition) -> str:
        return _names(edition.opened.all())

    @admin.display(description="withdrawn")
    def withdrawn(self, edition: Edition) -> str:
        replaced = edition.opened.values("public_id")
        return _names(edition.closed.exclude(public_id__in=replaced))

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


def _names(rows: QuerySet[PublishedModel]) -> str:
    names = rows.order_by("public_id").values_list("public_id")[:SHOWN]
    return format_html_join(", ", "{}", names) or "none"
