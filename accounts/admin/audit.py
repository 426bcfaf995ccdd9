"""The audit, to read: every act of staff, teams and keys."""

from typing import Any

from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.text import capfirst

from accounts.admin.history import act_chip, link_row, name_actor, read_changes
from accounts.models import AuditEntry
from gateway.core.admin_base import AdminBase, CountlessPaginator


class KindFilter(admin.SimpleListFilter):
    """By what was changed: only kinds that the audit has entries of."""

    title = "what"
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        used = AuditEntry.objects.order_by().values("content_type").distinct()
        return [(str(kind.pk), capfirst(kind.name)) for kind in ContentType.objects.filter(pk__in=used)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        value = self.value() or ""
        return queryset.filter(content_type=value) if value.isdecimal() else queryset


class OriginFilter(admin.SimpleListFilter):
    """By people, API keys, or the gateway itself (its commands and tasks)."""

    title = "by"
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [("person", "People"), ("key", "API keys"), ("gateway", "The gateway itself")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        match self.value():
            case "person":
                return queryset.exclude(actor=None)
            case "key":
                return queryset.exclude(key="")
            case "gateway":
                return queryset.filter(actor=None, key="")
        return queryset


admin.site.unregister(AuditEntry)


@admin.register(AuditEntry)
class AuditEntryAdmin(AdminBase):
    list_display = ["timestamp", "by", "act", "row", "fields_changed"]
    list_display_links = ["timestamp"]
    list_filter = [KindFilter, "action", OriginFilter, "timestamp"]
    list_select_related = ["actor", "content_type"]
    search_fields = ["object_repr", "actor__username", "=key"]
    search_help_text = "What was changed, who did it, or a key's public id"
    paginator = CountlessPaginator
    show_full_result_count = False
    sortable_by = ["timestamp"]
    fields = readonly_fields = ["timestamp", "by", "act", "row", "before_and_after"]

    @admin.display(description="who")
    def by(self, entry: AuditEntry) -> str:
        return name_actor(entry)

    @admin.display(description="act")
    def act(self, entry: AuditEntry) -> str:
        return act_chip(entry)

    @admin.display(description="what")
    def row(self, entry: AuditEntry) -> str:
        return link_row(entry)

    @admin.display(description="fields")
    def fields_changed(self, entry: AuditEntry) -> str:
        return ", ".join(change.name for change in read_changes(entry))

    @admin.display(description="before and after")
    def before_and_after(self, entry: AuditEntry) -> str:
        return render_to_string("admin/audit_changes.html", {"changes": read_changes(entry)})

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False
