"""The editions: who published what, when and why; any two compared; and back to an earlier one."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.admin.history import HistoryAdminBase
from catalogue.admin.comparison import show_comparison
from catalogue.admin.rollback import show_rollback
from catalogue.models import Edition, PublishedModel

SHOWN = 200


@admin.register(Edition)
class EditionAdmin(HistoryAdminBase):
    list_display = ["edition", "published_at", "author", "note", "model_count", "what_it_changed"]
    list_select_related = ["author"]
    list_filter = ["author", "published_at"]
    search_fields = ["note", "opened__public_id"]
    search_help_text = "Note or model"
    show_full_result_count = False
    actions = ["compare"]
    fields = readonly_fields = ["place", "number", "published_at", "author", "note"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Edition]:
        editions: QuerySet[Edition] = super().get_queryset(request)
        return editions.annotate(model_total=Count("opened", distinct=True))

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("compare/", wrap(self.compare_view), name="catalogue_edition_compare"),
            path("<int:number>/rollback/", wrap(self.rollback_view), name="catalogue_edition_rollback"),
            *super().get_urls(),
        ]

    def compare_view(self, request: HttpRequest) -> HttpResponse:
        return show_comparison(self, request)

    def rollback_view(self, request: HttpRequest, number: int) -> HttpResponse:
        return show_rollback(self, request, number)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """With what it published and withdrew."""
        extra = _changes_of(self.get_object(request, object_id))
        kwargs["extra_context"] = (kwargs.get("extra_context") or {}) | extra
        answer: HttpResponse = super().change_view(request, object_id, *args, **kwargs)
        return answer

    @admin.display(ordering="number")
    def edition(self, edition: Edition) -> str:
        return str(edition.place or edition.number)

    @admin.display(description="models", ordering="model_total")
    def model_count(self, edition: Edition) -> int:
        return int(edition.model_total)  # type: ignore[attr-defined]  # annotated in get_queryset

    @admin.display(description="")
    def what_it_changed(self, edition: Edition) -> str:
        page = reverse("admin:catalogue_edition_compare")
        return format_html('<a class="text-link" href="{}?to={}">what it changed</a>', page, edition.number)

    @admin.action(description="Compare the two selected", permissions=["view"])
    def compare(self, request: HttpRequest, queryset: QuerySet[Edition]) -> HttpResponse | None:
        numbers = sorted(queryset.values_list("number", flat=True)[:3])
        if len(numbers) != 2:
            messages.error(request, "Select two editions, the earlier and the later one, to compare them.")
            return None
        page = reverse("admin:catalogue_edition_compare")
        return HttpResponseRedirect(f"{page}?from={numbers[0]}&to={numbers[1]}")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


def _changes_of(edition: Edition | None) -> dict[str, Any]:
    if edition is None:
        return {}
    published, withdrawn = _touched(edition.number)
    return {"published": published, "withdrawn": withdrawn, "shown": SHOWN, "before": _before(edition.number)}


def _touched(number: int) -> tuple[Sequence[str], Sequence[str]]:
    """Ids of models that the edition published, and of those that it withdrew; two queries."""
    opened = PublishedModel.objects.filter(edition_from=number).order_by("public_id")
    closed = PublishedModel.objects.filter(edition_to=number).order_by("public_id")
    published = list(opened.values_list("public_id", flat=True))
    withdrawn = [name for name in closed.values_list("public_id", flat=True) if name not in set(published)]
    return published, withdrawn


def _before(number: int) -> int | None:
    return Edition.objects.filter(number__lt=number).values_list("number", flat=True).first()
