"""Pages that ask before something is deleted: who used it lately, and what could be done instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.utils import model_ngettext
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts.models import Key, LedgerEntry

DAYS = 7
_NAMED = 8


@dataclass(frozen=True, slots=True)
class RecentUse:
    """Of the last days: how many calls came, by how many keys, and the busiest of those keys."""

    calls: int
    keys: int
    busiest: Sequence[tuple[Key, int]]

    @property
    def more(self) -> int:
        return self.keys - len(self.busiest)


class KeptMixin:
    """Mixed into a page of rows to which the ledger refers for ever: who would delete one is told why not, and what
    to do instead.
    """

    kept_because = ""
    """A sentence or two."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:  # noqa: ARG002
        if request.method != "GET" or not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        messages.warning(request, self.kept_because)
        page = f"admin:{self.opts.label_lower.replace('.', '_')}_change"  # type: ignore[attr-defined]
        return HttpResponseRedirect(reverse(page, args=[object_id]))


class AskingMixin:
    """Mixed into a page. Its class says which entries of the ledger are about rows, and what it would do instead."""

    delete_confirmation_template = "admin/deletion.html"
    delete_selected_confirmation_template = "admin/deletion.html"
    actions: Sequence[str] = ("delete_selected",)

    def entries_of(self, rows: Sequence[Any]) -> Q:
        raise NotImplementedError

    def instead_of_deleting(self) -> tuple[str, str]:
        """A sentence about one or many, and the id of the field that does it."""
        raise NotImplementedError

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        extra = {}
        if row is not None and request.method == "GET":
            page = reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])
            extra = self._consequences([row], str(row))
            extra["advised_page"] = f"{page}#{self.instead_of_deleting()[1]}"
        answer: HttpResponse = super().delete_view(  # type: ignore[misc]
            request, object_id, (extra_context or {}) | extra
        )
        return answer

    @admin.action(permissions=["delete"], description="Delete selected %(verbose_name_plural)s")
    def delete_selected(self, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        """The page that asks about many rows says as much as that about one."""
        answer: HttpResponse | None = delete_selected(self, request, rows)  # type: ignore[arg-type]
        if isinstance(answer, TemplateResponse) and answer.context_data is not None:
            answer.context_data["confirmation"] = "admin/delete_selected_confirmation.html"
            answer.context_data |= self._consequences(list(rows), _how_many(rows))
        return answer

    def _consequences(self, rows: Sequence[Any], named: str) -> dict[str, Any]:
        use = read_recent_use(self.entries_of(rows))
        return {"use": use, "days": DAYS, "named": named, "advice": self.instead_of_deleting()[0]}


def _how_many(rows: QuerySet[Any]) -> str:
    return f"the {len(rows)} selected {model_ngettext(rows)}" if len(rows) != 1 else str(rows[0])


def read_recent_use(entries: Q) -> RecentUse:
    """Two queries, over no more than the last days of the ledger."""
    since = timezone.now() - timedelta(days=DAYS)
    used = LedgerEntry.objects.filter(entries, started_at__gte=since).order_by()
    by_key = used.values("key").annotate(calls=Count("call_id", distinct=True)).order_by("-calls", "key")
    counts = {row["key"]: row["calls"] for row in by_key}
    shown = list(counts)[:_NAMED]
    keys = Key.objects.select_related("team").in_bulk(shown)
    return RecentUse(
        calls=sum(counts.values()),
        keys=len(counts),
        busiest=[(keys[pk], counts[pk]) for pk in shown if pk in keys],
    )
