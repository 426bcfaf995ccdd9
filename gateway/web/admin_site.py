"""What the admin's frame and front page show: navigation, what is live, and how the gateway does."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.cache import cache
from django.db.models import Count, Q, Sum
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from accounts.measures import write_sum
from accounts.models import LedgerEntry
from accounts.querysets import CHARGED
from catalogue.models import Edition, Model, PublishedModel
from catalogue.quality.lint import EXPLANATIONS, Kind
from catalogue.quality.worklist import worklist_cache
from providers.models import Alarm, Provider
from providers.services import access_of, demo_port

# Title, Material symbol, model, by the curator's tasks.
_GROUPS = {
    "Catalogue": [
        ("Models", "deployed_code", "catalogue.model"),
        ("Named routes", "alt_route", "catalogue.route"),
        ("Offerings", "sell", "catalogue.offering"),
        ("Organisations", "domain", "catalogue.organisation"),
        ("Editions", "history_edu", "catalogue.edition"),
    ],
    "Providers": [
        ("Providers", "dns", "providers.provider"),
        ("Incidents", "crisis_alert", "providers.incident"),
        ("Provider credentials", "vpn_key", "providers.providercredential"),
        ("Provider bills", "request_quote", "providers.bill"),
        ("Bill mappings", "table_chart", "providers.billmapping"),
        ("Admin credentials", "admin_panel_settings", "providers.administratorcredential"),
    ],
    "Teams": [
        ("Teams", "groups", "accounts.team"),
        ("Access requests", "how_to_reg", "accounts.accessrequest"),
        ("Invitations", "mail", "accounts.invitation"),
        ("Keys", "key", "accounts.key"),
        ("Service accounts", "smart_toy", "accounts.serviceaccount"),
        ("Projects", "folder", "accounts.project"),
        ("People", "person", "accounts.user"),
        ("Identity providers", "passkey", "accounts.identityprovider"),
        ("SCIM directories", "contacts", "accounts.scimdirectory"),
        ("SCIM groups", "group_work", "accounts.scimgroup"),
        ("Ledger", "receipt_long", "accounts.ledgerentry"),
        ("Statements", "request_quote", "accounts.statement"),
        ("Cost centres", "account_balance", "accounts.centrestatement"),
        ("Alerts", "notifications", "accounts.alert"),
        ("Alert channels", "campaign", "accounts.alertchannel"),
        ("Audit", "policy", "accounts.auditentry"),
        ("Audit receivers", "outbox", "accounts.auditreceiver"),
    ],
}
OF_DASHBOARD = ("accounts.ledgerentry", "accounts.budget", "accounts.accessrequest", "providers.incident")
"""Each part of the dashboard is of one of these, and for those who may see them."""
_WORKLIST = {"title": "Worklist", "icon": "checklist"}
_DAY = timedelta(days=1)
_KEPT_S = 30
_NAMED = 8


@dataclass(frozen=True, slots=True)
class Live:
    """What clients see now."""

    edition: Edition | None
    quarantined: Sequence[Model]
    """What could not be published; the older record of it stays live."""


@dataclass(frozen=True, slots=True)
class ProviderCounts:
    """Enabled providers: those that calls can go to, by health, and those that nothing opens."""

    healthy: int
    unhealthy: int
    unprobed: int
    without_access: int

    @property
    def routable(self) -> int:
        return self.healthy + self.unhealthy + self.unprobed


@dataclass(frozen=True, slots=True)
class Day:
    """The ledger's last 24 hours."""

    calls: int
    spend_usd: Decimal
    loss_usd: Decimal

    @property
    def spend(self) -> str:
        return write_sum(self.spend_usd)

    @property
    def loss(self) -> str:
        return write_sum(self.loss_usd)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar, without what the person may not see."""
    overview = {"title": "Overview", "icon": "home", "link": reverse("admin:index")}
    first = [overview]
    if any(may_view(request, model) for model in OF_DASHBOARD):
        first.append({"title": "Dashboard", "icon": "monitoring", "link": reverse("dashboard")})
    groups: list[dict[str, Any]] = [{"items": first}]
    for title, entries in _GROUPS.items():
        items = [_item(*entry) for entry in entries if may_view(request, entry[2])]
        if title == "Catalogue" and may_view(request, "catalogue.model"):
            worklist = reverse("admin:catalogue_worklist")
            # Its address begins as that of the models.
            items[0]["active"] = request.path.startswith(items[0]["link"]) and request.path != worklist
            items.append(_WORKLIST | {"link": worklist})
        groups.append({"title": title, "items": items})
    return groups


def environment(request: HttpRequest) -> list[str] | None:
    """A badge where this is not the real thing."""
    if settings.DEBUG:
        return ["Debug", "danger"]
    return ["Demo providers", "info"] if request.user.is_staff and _has_demo() else None


def live_line(request: HttpRequest) -> Any:
    """What is live, for every page of the admin; read only where a page shows it."""
    return SimpleLazyObject(lambda: render_to_string("admin/live.html", _live(request)))


def _live(request: HttpRequest) -> dict[str, Any]:
    return {"live": live_of(request), "may_look": may_view(request, "catalogue.edition")}


def live_of(request: HttpRequest) -> Live:
    """Two queries, once a request."""
    if not hasattr(request, "live"):
        edition = Edition.objects.order_by("-number").first()
        aside = Model.objects.exclude(quarantine_reason="") if may_view(request, "catalogue.model") else ()
        request.live = Live(edition, list(aside))  # type: ignore[attr-defined]
    return request.live  # type: ignore[attr-defined,no-any-return]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The overview, of what the person may see: each part by the right to view what it is about."""
    title: dict[str, Any] = {"title": "Overview", "live": live_of(request)}
    parts = {"catalogue.model": _catalogue, "providers.provider": _providers, "accounts.ledgerentry": _ledger}
    seen = reduce(or_, (read(request) for model, read in parts.items() if may_view(request, model)), title)
    lacks_models = "listed" in seen and not seen["listed"]
    lacks_providers = "providers" in seen and not seen["providers"].routable
    return context | seen | {"waits_for_first_call": lacks_models or lacks_providers}


def _catalogue(request: HttpRequest) -> dict[str, Any]:
    return {
        "sees_models": True,
        "listed": PublishedModel.objects.current().listed(timezone.now()).count(),
        "quarantined": live_of(request).quarantined[:_NAMED],
        "issue_counts": count_findings(),
    }


def _providers(_request: HttpRequest) -> dict[str, Any]:
    providers = list(Provider.objects.with_credential().filter(is_enabled=True))
    return {
        "providers": count_providers(providers),
        "has_demo_only": has_demo_only(providers),
        "alarms": Alarm.objects.open().select_related("provider")[:_NAMED],
        "unhealthy": [row for row in providers if row.health == Provider.Health.UNHEALTHY][:_NAMED],
    }


def _ledger(_request: HttpRequest) -> dict[str, Any]:
    return {"day": read_day(timezone.now())}


def count_findings() -> list[tuple[str, str, int]]:
    """Of the worklist: each kind with its title and how many there are, the worst first."""
    counts = Counter(finding.kind for finding in worklist_cache.read().findings)
    return [(kind.value, EXPLANATIONS[kind].title, counts[kind]) for kind in Kind if counts[kind]]


def count_providers(providers: list[Provider]) -> ProviderCounts:
    """Of providers that are switched on, fetched with their credentials."""
    healths = [row.health for row in providers if access_of(row).is_usable]
    return ProviderCounts(
        healthy=healths.count(Provider.Health.HEALTHY),
        unhealthy=healths.count(Provider.Health.UNHEALTHY),
        unprobed=healths.count(Provider.Health.UNKNOWN),
        without_access=len(providers) - len(healths),
    )


def has_demo_only(providers: list[Provider]) -> bool:
    """Nothing but the demo can be called. Of providers that are switched on, fetched with their credentials."""
    usable = [row for row in providers if access_of(row).is_usable]
    return bool(usable) and all(row.is_demo for row in usable)


def read_day(at: datetime) -> Day:
    """Up to half a minute old: a busy ledger has many rows a day."""
    return cache.get_or_set("overview-day", lambda: _sum_day(at), _KEPT_S)  # type: ignore[return-value]


def _has_demo() -> bool:
    return bool(cache.get_or_set("overview-has-demo", lambda: demo_port() is not None, _KEPT_S))


def _sum_day(at: datetime) -> Day:
    entries = LedgerEntry.objects.filter(started_at__gte=at - _DAY).order_by()
    # A call that went on to another offering has one further row.
    answered = Q(kind=LedgerEntry.Kind.ATTEMPT) & ~Q(outcome=LedgerEntry.Outcome.FAILED_OVER)
    sums = entries.aggregate(calls=Count("pk", filter=answered), spend=Sum(CHARGED), loss=Sum("loss_usd"))
    return Day(sums["calls"], sums["spend"] or Decimal(0), sums["loss"] or Decimal(0))


def _item(title: str, icon: str, model: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse(f"admin:{model.replace('.', '_')}_changelist")}


def may_view(request: HttpRequest, model: str) -> bool:
    """`model` as `app.name`: as the page of its list says. Whoever may change rows may look at them."""
    return bool(admin.site._registry[apps.get_model(model)].has_view_or_change_permission(request))
