"""Statements, to read and to carry away."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from accounts.measures import write_exactly, write_sum
from accounts.models import CentreStatement, Statement
from accounts.statement_sheet import send_centre_statement, send_statement
from gateway.core.admin_base import AdminBase, CountlessPaginator

_SHOWN = 100
_BREAK = mark_safe("<br>")


class _ToldAdmin(AdminBase):
    """What is told once: to read and to carry away."""

    paginator = CountlessPaginator
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def found(self, request: HttpRequest, number: int) -> Any:
        """Raises Http404, PermissionDenied."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        # As long as the numbers that there are: no database is asked for others.
        return get_object_or_404(self.model, pk=min(number, 2**63 - 1))

    @admin.display(description="charged", ordering="charge")
    def charged(self, statement: Any) -> str:
        return write_sum(statement.charge_usd)

    @admin.display(description="by the price list")
    def listed(self, statement: Any) -> str:
        return f"{write_exactly(statement.cost_usd)} USD"

    @admin.display(description="charged")
    def charged_exactly(self, statement: Any) -> str:
        return f"{write_exactly(statement.charge_usd)} USD"


@admin.register(Statement)
class StatementAdmin(_ToldAdmin):
    list_display = ["number", "month", "team_name", "cost_centre", "calls", "charged", "closed_at"]
    list_filter = ["month", "cost_centre"]
    search_fields = ["=number", "=month", "team_slug", "team_name", "=cost_centre"]
    fieldsets = [
        ("Whose it is", {"fields": ["number", "team_name", "team_slug", "cost_centre"]}),
        ("Of which time", {"fields": ["month", "zone", "starts_at", "ends_at", "closed_at"]}),
        ("What it says", {"fields": ["calls", "listed", "charged_exactly", "sheet", "lines_told"]}),
    ]
    readonly_fields = ["listed", "charged_exactly", "sheet", "lines_told"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.sheet_view)
        return [path("<int:number>/csv", view, name="accounts_statement_sheet"), *super().get_urls()]

    def sheet_view(self, request: HttpRequest, number: int) -> HttpResponse:
        return send_statement(self.found(request, number))

    @admin.display(description="all of it")
    def sheet(self, statement: Statement) -> str:
        page = reverse("admin:accounts_statement_sheet", args=[statement.pk])
        return format_html('<a class="text-link" href="{}">Download it as CSV</a>', page)

    @admin.display(description="lines")
    def lines_told(self, statement: Statement) -> str:
        lines = list(statement.lines.all()[: _SHOWN + 1])
        told = [
            (
                f"{line.model} at {line.provider}",
                line.key_name or "a key that is gone",
                line.project or "no project",
                f"{write_exactly(line.charge_usd)} USD",
                f" (of statement {line.corrects_id})" if line.corrects_id else "",
            )
            for line in lines[:_SHOWN]
        ]
        shown = format_html_join(_BREAK, "{}, {}, {}: {}{}", told)
        return format_html("{}<br>and more, in the sheet", shown) if len(lines) > _SHOWN else shown


@admin.register(CentreStatement)
class CentreStatementAdmin(_ToldAdmin):
    list_display = ["number", "month", "cost_centre", "calls", "charged", "closed_at"]
    list_filter = ["month", "cost_centre"]
    search_fields = ["=number", "=month", "=cost_centre"]
    fieldsets = [
        ("Whose it is", {"fields": ["number", "cost_centre", "month", "closed_at"]}),
        ("What it says", {"fields": ["calls", "listed", "charged_exactly", "ways_out"]}),
    ]
    readonly_fields = ["listed", "charged_exactly", "ways_out"]

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:number>/csv", wrap(self.sheet_view), name="accounts_centrestatement_sheet"),
            path("<int:number>/print", wrap(self.print_view), name="accounts_centrestatement_print"),
            *super().get_urls(),
        ]

    def sheet_view(self, request: HttpRequest, number: int) -> HttpResponse:
        return send_centre_statement(self.found(request, number))

    def print_view(self, request: HttpRequest, number: int) -> HttpResponse:
        found = self.found(request, number)
        parts = found.parts.select_related("statement")
        context = {"centre": found, "statements": [part.statement for part in parts]}
        return TemplateResponse(request, "admin/accounts/centre_statement.html", context)

    @admin.display(description="all of it")
    def ways_out(self, centre: CentreStatement) -> str:
        pages = [
            reverse(f"admin:accounts_centrestatement_{name}", args=[centre.pk]) for name in ("print", "sheet")
        ]
        return format_html(
            '<a class="text-link" href="{}">Read and print it</a><br>'
            '<a class="text-link" href="{}">Download it as CSV</a>',
            *pages,
        )
