"""Values that the hot path's tests are made of."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from accounts.keys import KeyFacts
from accounts.restrictions import Restrictions
from accounts.scopes import MEANT
from catalogue.endpoints import answered
from catalogue.facts import ModelFacts, OfferingFacts, PriceFacts
from catalogue.published.snapshot import Snapshot
from gateway.proxy.routing.plan import RoutePlan, plan_route
from gateway.proxy.routing.preferences import NO_PREFERENCES, ProviderPreferences
from gateway.proxy.routing.request import RouteRequest
from gateway.proxy.routing.resolve import RoutingContext
from providers.facts import ProviderFacts
from providers.health import HealthStatus
from providers.operations.base import Requirements

AT = datetime(2026, 11, 22, tzinfo=UTC)
HEALTHY = HealthStatus(is_open=False, success_rate=1.0, latency_ms=None)


def a_key(**facts: Any) -> KeyFacts:
    given = {
        "id": 1,
        "public_id": "aaaaaaaaaaaa",
        "digest": "",
        "name": "test",
        "team_id": 1,
        "team_slug": "t",
    }
    facts = {**given, "scope": "inference", "is_active": True, **facts}
    subjects = (("key", facts["id"]), ("team", facts["team_id"]))
    own = {"scopes": MEANT[facts["scope"]], "subjects": subjects, "lineage_id": facts["id"]}
    if facts["scope"] == "feed":
        own["restrictions"] = Restrictions(lacks_scopes=True)
    return KeyFacts(**{**own, **facts})


def an_offering(id_: int = 1, **facts: Any) -> OfferingFacts:
    given = {"provider_id": 1, "upstream_name": "upstream", "endpoints": answered({"chat.completions"})}
    return OfferingFacts(**{"id": id_, "params": frozenset(), **given, **facts})


def a_model(id_: str = "acme/one", **facts: Any) -> ModelFacts:
    return ModelFacts(**{"id": id_, "name": id_, "offerings": (an_offering(),), **facts})


def a_provider(id_: int = 1, **facts: Any) -> ProviderFacts:
    given = {
        "slug": f"provider-{id_}",
        "name": "Provider",
        "wire_format": "openai",
        "base_url": "http://localhost/v1",
    }
    return ProviderFacts(**{"id": id_, **given, "is_enabled": True, "is_usable": True, **facts})


def a_price(meter: str, amount: str, **facts: Any) -> PriceFacts:
    given = {"plan": "standard", "unit_size": 1_000_000, "amount": Decimal(amount), "currency": "USD"}
    return PriceFacts(meter=meter, **{**given, **facts})


def a_routing_context(
    *models: ModelFacts,
    providers: tuple[ProviderFacts, ...] = (),
    key: KeyFacts | None = None,
    healths: dict[int, HealthStatus] | None = None,
) -> RoutingContext:
    known = {provider.id: provider for provider in providers or (a_provider(1), a_provider(2))}
    snapshot = Snapshot.of(models or (a_model(),), known, revision=1)
    return RoutingContext(snapshot, key or a_key(), AT, lambda id_: (healths or {}).get(id_, HEALTHY))


def plan_for(
    name: str,
    required: Requirements,
    context: RoutingContext,
    preferences: ProviderPreferences = NO_PREFERENCES,
    **wishes: Any,
) -> RoutePlan:
    """The plan for one name."""
    return plan_route(RouteRequest((name,), required, preferences, **wishes), context)


def plan_ids(name: str, required: Requirements, context: RoutingContext) -> list[int]:
    """The ids of its offerings, the first first."""
    return [candidate.offering.id for candidate in plan_for(name, required, context).candidates]
