"""Pages that ask before something is deleted: who used it lately, and what could be done instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
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


class AskingMixin:
    """Mixed into a page. Its class says which entries of the ledger are about a row, and what it would do instead."""

    delete_confirmation_template = "admin/deletion.html"

    def entries_of(self, row: Any) -> Q:
        raise NotImplementedError

    def instead_of_deleting(self, row: Any) -> tuple[str, str]:
        """A sentence, and the id of the field that does it."""
        raise NotImplementedError

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        row = self.get_object(request, object_id)  # type: ignore[attr-defined]
        extra = {}
        if row is not None and request.method == "GET":
            advice, field = self.instead_of_deleting(row)
            page = reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])
            extra = {"use": read_recent_use(self.entries_of(row)), "days": DAYS, "advice": advice}
            extra["advised_page"] = f"{page}#{field}"
        answer: HttpResponse = super().delete_view(  # type: ignore[misc]
            request, object_id, (extra_context or {}) | extra
        )
        return answer


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
