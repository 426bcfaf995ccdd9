"""Breakers in the admin: what they did, how they stand, and staff's hand on them."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from gateway.core.admin_base import TableInline, Tone, status_chip
from providers.breaker import CLOSED, HALF_OPEN, OPEN
from providers.breaker_models import BreakerHold, Cause, HealthEvent, Incident
from providers.breakers import hold_breaker
from providers.facts import Way
from providers.live_health import LiveHealth, here
from providers.models import Provider, ProviderCredential

_TONES: dict[str, Tone] = {CLOSED: "good", HALF_OPEN: "warning", OPEN: "bad"}
_SHOWN = 20


class TellingInline(TableInline):
    """Rows that tell what happened, to read."""

    per_page = 10
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("provider")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class _OfOfferings(TellingInline):
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("offering__model", "offering__provider")

    @admin.display(description="of")
    def subject(self, row: HealthEvent | Incident) -> str:
        of = row.offering.model.public_id if row.offering else "all of its offerings"
        _, _, credential = row.way.partition(":")
        return f"{of} by credential {credential}" if row.offering and credential else of


class HealthEventInline(_OfOfferings):
    """What its breakers did, the latest first."""

    model = HealthEvent
    verbose_name_plural = "what its breaker did"
    fields = readonly_fields = ["at", "became", "cause", "until", "subject", "told_by"]

    @admin.display(description="became")
    def became(self, event: HealthEvent) -> str:
        return status_chip(event.get_state_display(), _TONES.get(event.state, "neutral"))


class IncidentInline(_OfOfferings):
    """When it was left alone for its failures, and for how long."""

    model = Incident
    verbose_name_plural = "incidents"
    fields = readonly_fields = ["state", "cause", "subject", "began_at", "ended_at"]

    @admin.display(description="state")
    def state(self, incident: Incident) -> str:
        return status_chip("open", "bad") if incident.ended_at is None else status_chip("over", "good")


class BreakerMixin:
    """Actions on lists of providers or offerings, for their admins."""

    breaker_actions: Sequence[str] = ("hold_open", "hold_closed", "let_breaker_be")

    @admin.action(description="Breaker: hold open, so that no call goes there", permissions=["change"])
    def hold_open(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._hold(request, queryset, OPEN, "is held open: no call goes there")

    @admin.action(description="Breaker: hold closed, whatever fails", permissions=["change"])
    def hold_closed(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._hold(request, queryset, CLOSED, "is held closed: calls go there, whatever fails")

    @admin.action(description="Breaker: let it be", permissions=["change"])
    def let_breaker_be(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        self._hold(request, queryset, "", "goes by itself")

    def _hold(self, request: HttpRequest, rows: Iterable[Model], word: str, effect: str) -> None:
        for row in rows:
            if hold_breaker(row, word):
                told = f"The breaker of {row} {effect}, within a second."
                messages.success(request, told)
            else:
                messages.info(request, f"The breaker of {row} was so already.")


def _once(tell: Callable[[Any], str]) -> Callable[[Any], str]:
    """The theme asks for a field several times for a page."""

    def told(row: Any) -> str:
        if "breaker_told" not in row.__dict__:
            row.breaker_told = tell(row) if row.pk else "unknown"
        text: str = row.breaker_told
        return text

    return told


@_once
def breaker_of_offering(offering: Any) -> str:
    """How it stands and what was counted, as calls are routed by it and as the API tells it."""
    live = here.reader.read(_ways(offering.pk, _further(offering.provider_id)))
    held = _held(offering) or _held(offering.provider)
    return format_html("{} {}", _chip(live, held), _counted(live))


@_once
def breakers_of_provider(provider: Provider) -> str:
    """Which of its offerings are left alone now."""
    offerings = list(provider.offerings.select_related("model").order_by("pk"))
    further = _further(provider.pk)
    lives = [(each, here.reader.read(_ways(each.pk, further))) for each in offerings]
    broken = [(each, live) for each, live in lives if live.breaker != CLOSED]
    held = _held(provider)
    first = format_html("{} ", status_chip(f"held {held}", "warning")) if held else ""
    if not broken:
        return format_html("{}{}", first, f"All of its {len(offerings)} offerings take calls.")
    rows = ((each.model.public_id, _chip(live, _held(each))) for each, live in broken[:_SHOWN])
    told = format_html_join("", "<br>{} {}", rows)
    return format_html("{}{} of its {} offerings are left alone:{}", first, len(broken), len(offerings), told)


def _chip(live: LiveHealth, held: str) -> str:
    if held:
        return status_chip(f"held {held}", "warning", "By staff, until they let it be")
    words = {CLOSED: "closed: calls go there", HALF_OPEN: "half-open: one call finds out", OPEN: "open"}
    why = f" ({Cause(live.cause).label})" if live.cause in Cause.values else ""
    return status_chip(f"{words[live.breaker]}{why}", _TONES[live.breaker], _until(live.until))


def _until(until: datetime | None) -> str:
    return f"Until {until:%Y-%m-%d %H:%M:%S} UTC" if until else ""


def _counted(live: LiveHealth) -> str:
    lines = []
    for name, window in live.windows.items():
        if window.calls:
            share = f"{100 * (window.success_rate or 0):.1f} % went well"
            speeds = [
                ("to the end", window.latency_ms, "ms"),
                ("to the first token", window.first_token_ms, "ms"),
                ("output", window.throughput, "tokens/s"),
            ]
            told = [
                f"{what} {each.p50:,.0f} / {each.p90:,.0f} / {each.p99:,.0f} {unit}"
                for what, each, unit in speeds
                if each
            ]
            unreached = f", {window.connect_failures} not reached" if window.connect_failures else ""
            lines.append((f"{name}: {window.calls:,} calls, {share}{unreached}; {'; '.join(told)}",))
    if not lines:
        return "No call in the last 30 minutes."
    return format_html("Percentiles 50 / 90 / 99.{}", format_html_join("", "<br>{}", lines))


def _held(row: Any) -> str:
    held = BreakerHold.objects.filter(**{row._meta.model_name: row.pk}).values_list("word", flat=True).first()
    return held or ""


def _further(provider_id: int) -> Sequence[int]:
    own = ProviderCredential.objects.filter(provider=provider_id, team=None)
    return list(own.values_list("pk", flat=True))


def _ways(offering_id: int, further: Sequence[int]) -> Sequence[Way]:
    return [offering_id, *(f"{offering_id}:{pk}" for pk in further)]
