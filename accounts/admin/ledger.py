"""The ledger, to look at, to search, to add up and to carry away."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from accounts.admin.corrections import may_correct, show_correction
from accounts.admin.ledger_filters import PeriodFilter, ProviderFilter
from accounts.admin.request_log import RequestLogPages
from accounts.calls.rows import tone_of
from accounts.calls.timeline import draw_request
from accounts.ledger_export import csv_parts
from accounts.ledger_names import read_names
from accounts.measures import duration, write_exactly, write_sum
from accounts.models import Key, LedgerEntry
from accounts.querysets import LedgerQuerySet, Totals
from accounts.receipts import read_receipt
from gateway.core.admin_base import AdminBase, CountlessPaginator, status_chip

MOST_ADDED_UP = 50_000
_BREAK = mark_safe("<br>")


class Figure(NamedTuple):
    name: str
    text: str
    exact: str = ""


class LedgerList(ChangeList):
    """The list, with the names that its rows refer to, and what all that fits comes to."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        names = read_names((row.team_id, row.key_id) for row in self.result_list)
        for row in self.result_list:
            row.names = names

    @cached_property
    def totals(self) -> Totals:
        rows: LedgerQuerySet = self.queryset
        return rows.total(MOST_ADDED_UP)

    @property
    def figures(self) -> Sequence[Figure]:
        totals = self.totals
        return [
            Figure("Attempts", f"{totals.attempts:,}"),
            Figure("Calls", f"{totals.calls:,}"),
            Figure("Charged", write_sum(totals.charged_usd), f"{write_exactly(totals.charged_usd)} USD"),
            Figure("Borne by us", write_sum(totals.loss_usd), f"{write_exactly(totals.loss_usd)} USD"),
            Figure("Tokens in", f"{totals.input_tokens:,}"),
            Figure("Tokens out", f"{totals.output_tokens:,}"),
        ]


@admin.register(LedgerEntry)
class LedgerEntryAdmin(RequestLogPages, AdminBase):
    list_display = [
        "started",
        "request_of",
        "key_and_team",
        "model_and_provider",
        "outcome_chip",
        "cost",
        "tokens",
        "took",
        "project",
    ]
    list_filter = [PeriodFilter, "kind", "outcome", "lane", ProviderFilter, "team"]
    list_before_template = "admin/accounts/ledger_totals.html"
    search_fields = ["request_id"]
    search_help_text = "A request id, a call, a key or a project, in full"
    paginator = CountlessPaginator
    show_full_result_count = False
    # Counts beside filters would read the whole ledger for each.
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ["started"]
    fieldsets = [
        (
            "What was asked for",
            {
                "fields": [
                    "request_of",
                    "call_id",
                    "team_told",
                    "key_told",
                    "project",
                    "end_user",
                    "endpoint",
                    "surface",
                    "requested_model",
                    "redirected_from",
                ]
            },
        ),
        (
            "Where it went",
            {
                "fields": [
                    "attempt_id",
                    "number",
                    "model",
                    "provider",
                    "upstream_name",
                    "lane",
                    "started_exactly",
                    "ended_exactly",
                    "answer_form",
                    "first_token",
                    "took",
                    "outcome",
                    "status",
                    "error_code",
                ]
            },
        ),
        (
            "What it cost",
            {
                "fields": [
                    "kind",
                    "corrected",
                    "note",
                    "listed",
                    "charge_factor",
                    "charged",
                    "borne",
                    "on_own",
                    "usage_told",
                    "prices_told",
                ]
            },
        ),
    ]
    # The theme colours JSON by inline styles, which the policy forbids.
    readonly_fields = [
        "request_of",
        "started_exactly",
        "ended_exactly",
        "answer_form",
        "first_token",
        "took",
        "team_told",
        "key_told",
        "corrected",
        "listed",
        "charged",
        "borne",
        "on_own",
        "usage_told",
        "prices_told",
        "put_right",
    ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LedgerList]:  # noqa: ARG002
        return LedgerList

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: "QuerySet[Any]",
        search_term: str,
    ) -> "tuple[QuerySet[Any], bool]":
        """By what is in an index: a part of a text would be looked for in every row."""
        assert isinstance(queryset, LedgerQuerySet)  # noqa: S101  (it is the model's own)
        if not search_term.strip():
            return queryset, False
        key = Key.objects.shown_as(search_term).first()
        return (queryset.filter(key=key) if key else queryset.found_by(search_term)), False

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export_view)
        correct = self.admin_site.admin_view(self.correct_view)
        return [
            path("export.csv", export, name="accounts_ledgerentry_export"),
            path(
                "receipts/<str:request_id>/",
                self.admin_site.admin_view(self.receipt_view),
                name="accounts_ledgerentry_receipt",
            ),
            *self.log_urls(),
            path("<uuid:pk>/correct/", correct, name="accounts_ledgerentry_correct"),
            *super().get_urls(),
        ]

    def receipt_view(self, request: HttpRequest, request_id: str) -> HttpResponse:
        """Raises Http404, PermissionDenied."""
        self.check_may_view(request)
        receipt = read_receipt(request_id, None)
        if receipt is None:
            raise Http404("No request has that id.")
        first = receipt.first
        names = read_names([(first.team_id, first.key_id)])
        context = self.admin_site.each_context(request) | {
            "title": f"Receipt of {request_id}",
            "opts": self.opts,
            "receipt": receipt,
            "team_name": names.team(first.team_id),
            "key_name": names.key(first.key_id),
            "timeline": draw_request(receipt),
            "shows_loss": True,
            "may_correct": may_correct(request),
        }
        return TemplateResponse(request, "admin/accounts/receipt.html", context)

    def correct_view(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        return show_correction(self, request, pk)

    def get_fieldsets(self, request: HttpRequest, obj: LedgerEntry | None = None) -> Sequence[Any]:
        is_open = obj is not None and obj.kind == LedgerEntry.Kind.ATTEMPT and may_correct(request)
        return [*self.fieldsets, ("Put it right", {"fields": ["put_right"]})] if is_open else self.fieldsets

    @admin.display(description="a wrong amount")
    def put_right(self, entry: LedgerEntry) -> str:
        page = reverse("admin:accounts_ledgerentry_correct", args=[entry.pk])
        return format_html('<a class="text-link" href="{}">Book a refund or a correction</a>', page)

    def export_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """What the list is narrowed to, all pages of it."""
        self.check_may_view(request)
        rows = self.get_changelist_instance(request).get_queryset(request)
        name = f"ledger-{timezone.now():%Y-%m-%d-%H%M%S}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
        return StreamingHttpResponse(csv_parts(rows), content_type="text/csv; charset=utf-8", headers=headers)

    @admin.display(description="started, UTC", ordering="started_at")
    def started(self, entry: LedgerEntry) -> str:
        return f"{entry.started_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="started, UTC")
    def started_exactly(self, entry: LedgerEntry) -> str:
        return _exactly(entry.started_at)

    @admin.display(description="ended, UTC")
    def ended_exactly(self, entry: LedgerEntry) -> str:
        return _exactly(entry.ended_at) if entry.ended_at else "unknown"

    @admin.display(description="answer")
    def answer_form(self, entry: LedgerEntry) -> str:
        return "streamed" if entry.is_streamed else "in one piece"

    @admin.display(description="first token after")
    def first_token(self, entry: LedgerEntry) -> str:
        return "none came" if entry.first_token_ms is None else duration(entry.first_token_ms)

    @admin.display(description="team")
    def team_told(self, entry: LedgerEntry) -> str:
        return read_names([(entry.team_id, entry.key_id)]).team(entry.team_id)

    @admin.display(description="key")
    def key_told(self, entry: LedgerEntry) -> str:
        return read_names([(entry.team_id, entry.key_id)]).key(entry.key_id)

    @admin.display(description="corrects")
    def corrected(self, entry: LedgerEntry) -> str:
        if entry.corrects_id is None:
            return "nothing"
        page = reverse("admin:accounts_ledgerentry_change", args=[entry.corrects_id])
        return format_html('<a class="text-link" href="{}">{}</a>', page, entry.corrects_id)

    @admin.display(description="cost by the price list, USD")
    def listed(self, entry: LedgerEntry) -> str:
        return write_exactly(entry.cost_usd) + (" (estimated)" if entry.is_estimated else "")

    @admin.display(description="charged to the team, USD")
    def charged(self, entry: LedgerEntry) -> str:
        return self.cost(entry)

    @admin.display(description="borne by us, USD")
    def borne(self, entry: LedgerEntry) -> str:
        return write_exactly(entry.loss_usd)

    @admin.display(description="paid by the team's own provider key, USD", empty_value="nothing")
    def on_own(self, entry: LedgerEntry) -> str | None:
        """What it would have cost here."""
        if entry.own_credential_id is None:
            return None
        return f"{write_exactly(entry.own_cost_usd)} (by the list; credential {entry.own_credential_id})"

    @admin.display(description="request")
    def request_of(self, entry: LedgerEntry) -> str:
        """With a link to all attempts that were made for it, and one to its receipt."""
        if not entry.request_id:
            return ""
        page = reverse("admin:accounts_ledgerentry_receipt", args=[entry.request_id])
        receipt = format_html('<a class="text-link" href="{}">receipt</a>', page)
        return _two_lines(_link_search(entry.request_id, entry.request_id), receipt)

    @admin.display(description="key and team")
    def key_and_team(self, entry: Any) -> str:
        """With a link to all rows of the key."""
        public_id, name = entry.names.public_id(entry.key_id), entry.names.key(entry.key_id)
        return _two_lines(
            _link_search(public_id, name) if public_id else name, entry.names.team(entry.team_id)
        )

    @admin.display(description="model and provider")
    def model_and_provider(self, entry: LedgerEntry) -> str:
        return _two_lines(entry.model, entry.provider)

    @admin.display(description="outcome")
    def outcome_chip(self, entry: LedgerEntry) -> str:
        if entry.kind != LedgerEntry.Kind.ATTEMPT:
            return status_chip(LedgerEntry.Kind(entry.kind).label, "info", entry.note)
        chip = status_chip(LedgerEntry.Outcome(entry.outcome).label, tone_of(entry), entry.error_code)
        return chip if entry.number == 1 else _two_lines(chip, f"attempt {entry.number}")

    @admin.display(description="tokens")
    def tokens(self, entry: LedgerEntry) -> str:
        return _two_lines(f"{entry.input_tokens or 0:,} in", f"{entry.output_tokens or 0:,} out")

    @admin.display(description="charged, USD")
    def cost(self, entry: LedgerEntry) -> str:
        return write_exactly(entry.charged_usd) + (" (estimated)" if entry.is_estimated else "")

    @admin.display(description="took")
    def took(self, entry: LedgerEntry) -> str:
        return "" if entry.latency_ms is None else duration(entry.latency_ms)

    @admin.display(description="usage")
    def usage_told(self, entry: LedgerEntry) -> str:
        return _lines(f"{name}: {count:,}" for name, count in entry.usage.items())

    @admin.display(description="prices that applied")
    def prices_told(self, entry: LedgerEntry) -> str:
        return _lines(", ".join(f"{name}: {fact}" for name, fact in price.items()) for price in entry.prices)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


def _exactly(at: datetime) -> str:
    """To the millisecond."""
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


def _lines(texts: Iterable[str]) -> str:
    return format_html_join(_BREAK, "{}", ((text,) for text in texts)) or "none"


def _two_lines(first: str, second: str) -> str:
    return format_html('{} <span class="second">{}</span>', first, second)


def _link_search(asked: str, text: str) -> str:
    page = reverse("admin:accounts_ledgerentry_changelist")
    return format_html('<a class="text-link" href="{}?q={}" title="{}">{}</a>', page, asked, text, text)
