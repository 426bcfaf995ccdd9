"""Why an offering cannot serve a request. Each reason belongs to a stage: see gateway.proxy.routing.trace. Pure."""

from gateway.proxy.routing.places import OF_REGIONS
from gateway.proxy.routing.preferences import NO_PREFERENCES, ProviderPreferences
from gateway.proxy.routing.prospects import CREDENTIAL_MISSING, Prospect
from gateway.proxy.routing.request import LEVELS, RouteRequest
from gateway.proxy.routing.resolve import ResolvedModel, RoutingContext
from gateway.proxy.routing.ways import (
    BROKEN,
    Candidate,
    Dropped,
    is_reached_by_own,
    is_reached_in_place,
    is_reached_otherwise,
)
from providers.formats.base import CannotTranslate
from providers.formats.losses import Kind
from providers.formats.searches import METER
from providers.health import HealthStatus
from providers.operations.base import Requirements, Verdict
from providers.operations.parameters import declares
from providers.operations.registry import operation_of
from providers.wire.upstream import Upstream

NOT_PINNED, NOT_FREE, REASONS_BELOW = "not_pinned", "not_free", "reasons_below:"


def reason_against(
    row: Prospect,
    choice: ResolvedModel,
    request: RouteRequest,
    preferences: ProviderPreferences,
    context: RoutingContext,
    health: HealthStatus,
) -> str:
    """Why this offering cannot serve the request; "" if it can. `preferences` as the key narrows them."""
    required = request.required
    if (choice.provider or choice.is_free) and (reason := _choice_reason(row, choice)):
        return reason
    if preferences is not NO_PREFERENCES and (
        reason := _preference_reason(row, preferences, required, context)
    ):
        return reason
    if row.reason and (reason := _operational_reason(row, context)):
        return reason
    if context.is_priced and (reason := _unpriced_reason(row.candidate, context)):
        return reason
    if reason := _lacking_reason(row, choice, request):
        return reason
    if required.call is None and (reason := _operation_reason(row.candidate, required, context)):
        return reason
    return _breaker_reason(row.candidate, context) if health.is_open else ""


def _preference_reason(
    row: Prospect, preferences: ProviderPreferences, required: Requirements, context: RoutingContext
) -> str:
    """An offering that is elsewhere may have a credential that leads where calls may go."""
    reason = preferences.reason_against(row.slug, row.offering, required, context.at)
    if context.places is None or reason not in OF_REGIONS or not is_reached_in_place(row.candidate, context):
        return reason
    return preferences.beyond_regions().reason_against(row.slug, row.offering, required, context.at)


def _lacking_reason(row: Prospect, choice: ResolvedModel, request: RouteRequest) -> str:
    """What the offering or its model is not able to."""
    required, reads = request.required, row.model.input_types
    if required.is_streamed and not row.offering.streams:
        return "lacks:stream"
    if required.input_types and reads and (unread := required.input_types - reads):
        return f"cannot_read:{min(unread)}"
    if row.window and required.input_tokens > row.window:
        return "context_too_small"
    least = request.min_reasoning_level or (request.reasoning_effort if choice.model is None else "")
    if least and (reason := _level_reason(row, least)):
        return reason
    return _parameter_reason(row, required) if required.params else ""


def _choice_reason(row: Prospect, choice: ResolvedModel) -> str:
    """By what the model's name says besides."""
    if choice.provider and row.slug != choice.provider:
        return NOT_PINNED
    tariff = row.candidate.tariff
    return "" if not choice.is_free or (tariff is not None and tariff.is_free) else NOT_FREE


def _operational_reason(row: Prospect, context: RoutingContext) -> str:
    """What the operator has no credential for, the team may have one for."""
    is_open = row.reason == CREDENTIAL_MISSING and is_reached_by_own(row.candidate, context)
    return "" if is_open else row.reason


def _unpriced_reason(candidate: Candidate, context: RoutingContext) -> str:
    """What the team pays by a credential of its own needs no price."""
    is_priced = context.is_priced is None or context.is_priced(candidate.offering)
    return "" if is_priced or is_reached_by_own(candidate, context) else "unpriced"


def _breaker_reason(candidate: Candidate, context: RoutingContext) -> str:
    """Of an offering whose breaker is open."""
    return "" if is_reached_otherwise(candidate, context) else BROKEN


def _level_reason(row: Prospect, least: str) -> str:
    """A model of which no level is known does not reason."""
    tier = row.model.reasoning_tier
    is_enough = tier in LEVELS and LEVELS.index(tier) >= LEVELS.index(least)
    return "" if is_enough else f"{REASONS_BELOW}{least}"


def _parameter_reason(row: Prospect, required: Requirements) -> str:
    """Which parameters it lacks. One that declares nothing is given the benefit, unless all is required."""
    params = row.offering.params
    if row.provider is None or not (params or required.requires_all):
        return ""
    missing = [
        name
        for name in sorted(required.params)
        if not declares(params, row.provider.quirks, name, is_strict=required.requires_all)
    ]
    return f"lacks:{','.join(missing)}" if missing else ""


def weigh(
    candidate: Candidate, required: Requirements, context: RoutingContext, dropped: list[Dropped]
) -> bool:
    """Whether it can do the request, with whatever it may lose of it."""
    verdict = verdict_of(candidate, required, context)
    candidate.loss, refusal = verdict.worst, verdict.refusal
    if refusal is None and required.requires_all and verdict.worst is Kind.TUNING:
        lost = verdict.lost[0].partition(" -> ")[0]
        refusal = CannotTranslate(f"The chosen provider has no '{lost}'.", param=lost)
    if refusal is None:
        return True
    reason = f"{cannot(required)}{refusal.param}"
    dropped.append(Dropped(candidate, reason, refusal))
    return False


def cannot(required: Requirements) -> str:
    """How the reasons begin of what an offering cannot do of the request itself."""
    return f"cannot_{operation_of(required.endpoint).name}:"


def _operation_reason(candidate: Candidate, required: Requirements, context: RoutingContext) -> str:
    """Of requests that no offering loses more of than another: all others are weighed afterwards."""
    if required.request is None:
        return ""
    refusal = verdict_of(candidate, required, context).refusal
    return f"{cannot(required)}{refusal.param}" if refusal else ""


def verdict_of(candidate: Candidate, required: Requirements, context: RoutingContext) -> Verdict:
    """What the offering would lose of the request, or refuse."""
    offering, model, call = candidate.offering, candidate.model, required.call
    provider = context.snapshot.providers[offering.provider_id]
    upstream = Upstream(
        offering.upstream_name,
        is_streamed=required.is_streamed,
        params=offering.params,
        max_output_tokens=offering.max_output_tokens or model.max_output_tokens,
        quirks=provider.quirks,
        searches=call is not None and call.may_search_elsewhere and offering.has_price_for(METER),
    )
    return operation_of(required.endpoint).verdict(required, provider, upstream)
