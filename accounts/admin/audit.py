"""The audit, to read: every act of staff, teams and keys."""

from functools import partial, update_wrapper
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst

from accounts import audit
from accounts.admin.history import act_chip, link_row, name_actor, read_changes
from accounts.admin.ledger_filters import PeriodFilter
from accounts.auditing.exporting import send_lines
from accounts.auditing.telling import event_of
from accounts.models import AuditEntry, AuditReceiver, LedgerEntry, User
from gateway.core.admin_base import AdminBase, CountlessPaginator, status_chip

_RECENT = 1_000


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


class ReadOnlyAdmin(AdminBase):
    """Rows that nobody makes, changes or deletes by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class ActPeriodFilter(PeriodFilter):
    column = "timestamp"


class EventFilter(admin.SimpleListFilter):
    """By what happened: events of the latest entries. Any other stands in the address."""

    title = "event"
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        recent = AuditEntry.objects.order_by("-id").values_list("event", flat=True)[:_RECENT]
        return [(event, event) for event in sorted(set(recent) - {""})]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        value = self.value() or ""
        if value.endswith(".*"):
            return queryset.filter(event__startswith=value[:-1])
        return queryset.filter(event=value) if value else queryset


admin.site.unregister(AuditEntry)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ["timestamp", "by", "event_told", "row", "team_told", "remote_addr", "fields_changed"]
    list_display_links = ["timestamp"]
    list_filter = [ActPeriodFilter, KindFilter, EventFilter, "action", OriginFilter, "team"]
    list_select_related = ["content_type", "team"]
    list_before_template = "admin/accounts/audit_export.html"
    search_fields = ["object_repr", "actor_name", "=actor_email", "=key", "=request_id"]
    search_help_text = "What was changed, who did it, a key's public id, a request's id or an address"
    paginator = CountlessPaginator
    show_full_result_count = False
    sortable_by = ["timestamp"]
    fields = readonly_fields = [
        *("timestamp", "by", "kind_told", "event_told", "act", "row", "team_told"),
        *("remote_addr", "request_told", "before_and_after"),
    ]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [self._row_for(request) if name == "row" else name for name in self.list_display]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:  # noqa: ARG002
        """Only those who may look at the ledger, or at the row, are led there."""
        may_see = request.user.has_perm("accounts.view_ledgerentry")
        shown = {"row": self._row_for(request), "request_told": "request_told" if may_see else "request_id"}
        return [shown.get(name, name) for name in self.fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return self.get_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """In the order in which they were written, which has an index of its own."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.order_by("-id")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        try:
            return queryset.filter(remote_addr=str(ip_address(search_term.strip()))), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export_view)
        return [path("export.jsonl", export, name="accounts_auditentry_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """What the list is narrowed to, all pages of it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        entries = self.get_changelist_instance(request).get_queryset(request)
        audit.record_event("audit.exported", row=_staff_of(request))
        return send_lines(entries)

    @admin.display(description="event", ordering="event")
    def event_told(self, entry: AuditEntry) -> str:
        return event_of(entry)

    @admin.display(description="team", empty_value="none")
    def team_told(self, entry: AuditEntry) -> str | None:
        return entry.team.name if entry.team else None

    @admin.display(description="kind of actor")
    def kind_told(self, entry: AuditEntry) -> str:
        return str(entry.get_actor_kind_display())

    @admin.display(description="who")
    def by(self, entry: AuditEntry) -> str:
        return name_actor(entry)

    @admin.display(description="act")
    def act(self, entry: AuditEntry) -> str:
        return act_chip(entry)

    @admin.display(description="what")
    def row(self, entry: AuditEntry, request: HttpRequest | None = None) -> str:
        return link_row(entry, request)

    def _row_for(self, request: HttpRequest) -> Any:
        """Of one request always the same, because Django compares fields with those that are read only."""
        if not hasattr(request, "audit_row"):
            shown = update_wrapper(partial(self.row, request=request), self.row)
            request.audit_row = shown  # type: ignore[attr-defined]  # ours
        return request.audit_row  # type: ignore[attr-defined]

    @admin.display(description="request")
    def request_told(self, entry: AuditEntry) -> str:
        """Its id leads to its receipt if it was a call of a model."""
        id_ = entry.request_id
        if not id_ or not LedgerEntry.objects.filter(request_id=id_).exists():
            return id_
        page = reverse("admin:accounts_ledgerentry_receipt", args=[id_])
        return format_html('<a class="text-link" href="{}">{}</a>', page, id_)

    @admin.display(description="fields")
    def fields_changed(self, entry: AuditEntry) -> str:
        return ", ".join(change.name for change in read_changes(entry))

    @admin.display(description="before and after")
    def before_and_after(self, entry: AuditEntry) -> str:
        return render_to_string("admin/audit_changes.html", {"changes": read_changes(entry)})


@admin.register(AuditReceiver)
class AuditReceiverAdmin(ReadOnlyAdmin):
    """How far each SIEM has the audit, and what is wrong with those that take nothing."""

    list_display = ["name", "state", "sent", "sent_id", "delivered_at"]
    fields = readonly_fields = [
        *("name", "state", "sent", "sent_id", "delivered_at", "failing_since", "tries", "due_at", "problem"),
    ]

    @admin.display(description="state")
    def state(self, receiver: AuditReceiver) -> str:
        if receiver.name not in {each.mark for each in settings.AUDIT_PUSH}:
            return status_chip("not named by the settings any more")
        if receiver.failing_since:
            return status_chip("takes nothing", "bad", receiver.problem)
        return status_chip("takes what comes", "good")


def _staff_of(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
