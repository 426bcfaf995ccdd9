"""What “History” shows of a row: the audit's entries, each with what was before and what is after."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import AuditEntry
from gateway.core import audit_context
from gateway.core.admin_base import AdminBase, Tone, status_chip

PER_PAGE = 50
_LENGTH_SHOWN = 600
_NAMELESS = {AuditEntry.Kind.STRANGER.value: "somebody who had not signed in"}
_TO_THE_SECOND = len("2026-03-01 14:30:00")
_instant = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_ACTS: dict[int, tuple[str, Tone]] = {
    AuditEntry.Action.CREATE: ("made", "good"),
    AuditEntry.Action.UPDATE: ("changed", "info"),
    AuditEntry.Action.DELETE: ("deleted", "bad"),
    AuditEntry.Action.ACCESS: ("happened", "info"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an entry, as people read it. A secret's values are both hidden."""

    name: str
    before: str
    after: str


class HistoryAdminBase(AdminBase):
    """A page whose “History” tells the audit's entries about its row."""

    def history_entries(self, row: Model) -> QuerySet[AuditEntry]:
        entries: QuerySet[AuditEntry] = AuditEntry.objects.filter(page=audit_context.page_of(row))
        return entries

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not self.has_view_or_change_permission(request, row):
            raise PermissionDenied
        entries = self.history_entries(row).select_related("actor", "content_type")
        page = Paginator(entries, PER_PAGE).get_page(request.GET.get("page"))
        context = self.admin_site.each_context(request) | {
            "title": f"History of {row}",
            "opts": self.opts,
            "object": row,
            "original": row,
            "page": page,
            "lines": [line_of(entry) for entry in page],
        }
        return TemplateResponse(request, "admin/object_history.html", context | (extra_context or {}))


def line_of(entry: AuditEntry) -> dict[str, Any]:
    """What a history shows of one entry."""
    return {
        "at": entry.timestamp,
        "who": name_actor(entry),
        "act": act_chip(entry),
        "what": f"{entry.content_type.name} {entry.object_repr}",
        "changes": read_changes(entry),
    }


def act_chip(entry: AuditEntry) -> str:
    return status_chip(*_ACTS[entry.action])


def name_actor(entry: AuditEntry) -> str:
    if entry.key:
        return f"key sk-gw-{entry.key}-…"
    return entry.actor_name or entry.actor_email or _NAMELESS.get(entry.actor_kind, "the gateway itself")


def link_row(entry: AuditEntry, request: HttpRequest | None) -> str:
    """What the entry is about; a link where whoever asks may open its page."""
    label, _, pk = entry.page.rpartition("/")
    text = f"{entry.content_type.name} {entry.object_repr}"
    rooms = {model._meta.label_lower: room for model, room in admin.site._registry.items()}
    if request is None or label not in rooms or not rooms[label].has_view_or_change_permission(request):
        return text
    page = reverse(f"admin:{label.replace('.', '_')}_change", args=[pk])
    return format_html('<a class="text-link" href="{}">{}</a>', page, text)


def read_changes(entry: AuditEntry) -> list[Change]:
    """The fields of an entry in alphabetical order."""
    return sorted(_changes(entry), key=lambda change: change.name)


def _changes(entry: AuditEntry) -> Iterator[Change]:
    model = entry.content_type.model_class()
    for name, pair in (entry.changes or {}).items():
        if isinstance(pair, dict):
            yield _of_relation(name, pair)
        elif entry.action != AuditEntry.Action.CREATE or pair[1] not in ("", None, [], False):
            yield Change(_label(model, name), _text(pair[0]), _text(pair[1]))


def _of_relation(name: str, change: dict[str, Any]) -> Change:
    """Source: the form in which the library writes changes of many-to-many fields."""
    names = ", ".join(change["objects"])
    return Change(name, "", names) if change["operation"] == "add" else Change(name, names, "")


def _label(model: Any, name: str) -> str:
    try:
        return str(model._meta.get_field(name).verbose_name)
    except (AttributeError, FieldDoesNotExist):
        return name.replace("_", " ")


def _text(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return ", ".join(value)
    text = str(value)[:_LENGTH_SHOWN]
    return text[:_TO_THE_SECOND] if _instant.match(text) else text
