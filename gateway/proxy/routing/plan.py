"""Stop 4, second half: what was asked for → the ordered attempts, and why every other offering was dropped. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.policies import POLICIES, LifecyclePolicy
from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.lifecycle.message import lifecycle_message
from catalogue.lifecycle.status import Status
from gateway.proxy.errors import GatewayError, InvalidRequest
from gateway.proxy.response_headers import Headers, lifecycle_headers, redirect_headers, warning_header
from gateway.proxy.routing.preferences import NO_PREFERENCES, ProviderPreferences
from gateway.proxy.routing.refusals import no_candidate
from gateway.proxy.routing.resolve import ResolvedModel, RoutingContext, resolve_model, retired
from gateway.proxy.routing.ways import (
    BROKEN,
    Candidate,
    Dropped,
    all_ways,
    few_own,
    is_reached_by_own,
    is_reached_otherwise,
)
from gateway.proxy.routing.wishes import Unmet
from providers.formats.base import CannotTranslate
from providers.formats.losses import Kind
from providers.formats.searches import METER
from providers.operations.base import Requirements, Verdict
from providers.operations.parameters import declares
from providers.operations.registry import operation_of, serves
from providers.wire.upstream import Upstream

AUTO = "auto"


@dataclass(slots=True)
class RoutePlan:
    """`candidates` best first; never empty. `retired` is the model that was asked for, where its successor answers."""

    model: ModelFacts
    candidates: tuple[Candidate, ...]
    dropped: tuple[Dropped, ...] = ()
    policy: LifecyclePolicy = LifecyclePolicy.ADVISE
    retired: ModelFacts | None = None


def plan_route(
    requested: str,
    required: Requirements,
    context: RoutingContext,
    preferences: ProviderPreferences = NO_PREFERENCES,
) -> RoutePlan:
    """The plan for a model's id, an alias or `auto`.

    Raises NotFound, ModelRetired, InvalidRequest, Forbidden or Unavailable.
    """
    preferences = preferences.narrowed_by(context.key)
    resolved = None if requested == AUTO else resolve_model(requested, required.endpoint, context)
    models = [resolved.model] if resolved else _auto_models(required.endpoint, context)
    kept, dropped = [], []
    for model in models:
        for offering in model.offerings:
            candidate = Candidate(model, offering, offering.id)
            if reason := _reason_against(candidate, required, context, preferences):
                dropped.append(Dropped(candidate, reason))
            else:
                kept.append(candidate)
    is_weighed = required.call is not None and (len(kept) > 1 or required.requires_all)
    if is_weighed and operation_of(required.endpoint).may_lose(required):
        kept = [candidate for candidate in kept if _weigh(candidate, required, context, dropped)]
    if context.snapshot.credentials:
        kept = all_ways(kept, context, dropped)
    if not kept:
        unmet = Unmet(
            [(each.reason, each.candidate.offering) for each in dropped], required, preferences, context.at
        )
        raise _nowhere(requested, required, resolved, dropped, context, unmet)
    if len(kept) > 1:
        kept = _in_order(kept, context, preferences, dropped)
    policy = resolved.policy if resolved else POLICIES[context.key.lifecycle_policy]
    return RoutePlan(
        kept[0].model, tuple(kept), tuple(dropped), policy, retired=resolved.retired if resolved else None
    )


def _in_order(
    kept: list[Candidate], context: RoutingContext, preferences: ProviderPreferences, dropped: list[Dropped]
) -> list[Candidate]:
    """Those that may be tried, the best first; of one offering only, by whichever credentials, if the client wants."""
    kept.sort(key=lambda candidate: _preference(candidate, context, preferences))
    if context.snapshot.credentials:
        kept = few_own(kept)
    if preferences.allows_fallbacks or preferences.order:
        return kept
    first = kept[0].offering
    others = [candidate for candidate in kept if candidate.offering is not first]
    dropped += [Dropped(candidate, "excluded:allow_fallbacks") for candidate in others]
    return [candidate for candidate in kept if candidate.offering is first]


def plan_headers(plan: RoutePlan, context: RoutingContext) -> Headers:
    """What the answer says of its model's life, and of the model that it stands in for."""
    is_leaving = plan.model.deprecation_at is not None and plan.model.status(context.at) is Status.DEPRECATED
    if plan.retired is None and not is_leaving:
        return []
    successor = context.snapshot.successor(plan.model, context.at)
    headers = lifecycle_headers(plan.model, successor, context.at)
    if plan.retired:
        headers += redirect_headers(plan.retired.id, plan.model.id)
    if headers and plan.policy is LifecyclePolicy.WARN:
        headers.append(warning_header(lifecycle_message(plan.model, successor, context.at)))
    return headers


def _auto_models(endpoint: str, context: RoutingContext) -> list[ModelFacts]:
    if why_named := operation_of(endpoint).why_named:
        raise InvalidRequest(
            f"'auto' cannot be used for {endpoint}: {why_named}. Name the model.",
            code="model_required",
            param="model",
        )
    blocks = context.key.lifecycle_policy == LifecyclePolicy.BLOCK
    wanted = {Status.ACTIVE} if blocks else {Status.ACTIVE, Status.DEPRECATED}
    return [
        model
        for model in context.snapshot.models.values()
        if context.key.may_call(model.id, model.aliases) and model.status(context.at) in wanted
    ]


def _reason_against(
    candidate: Candidate, required: Requirements, context: RoutingContext, preferences: ProviderPreferences
) -> str:
    """Why this offering cannot serve the request; "" if it can."""
    return (
        (
            _wished_reason(candidate, required, context, preferences)
            if preferences is not NO_PREFERENCES
            else ""
        )
        or _operational_reason(candidate.offering, required.endpoint, context, candidate)
        or (_unpriced_reason(candidate, context) if context.is_priced else "")
        or _capability_reason(candidate, required)
        or (_parameter_reason(candidate.offering, required, context) if required.params else "")
        or (_operation_reason(candidate, required, context) if required.call is None else "")
        or (_breaker_reason(candidate, context) if context.health_of(candidate.way).is_open else "")
    )


def _wished_reason(
    candidate: Candidate, required: Requirements, context: RoutingContext, preferences: ProviderPreferences
) -> str:
    """What stands against it by the request's own preferences, or by what its key may use and keeps to."""
    slug = _slug(candidate, context)
    return preferences.reason_against(slug, candidate.offering, required, context.at)


def _operational_reason(
    offering: OfferingFacts, endpoint: str, context: RoutingContext, candidate: Candidate
) -> str:
    """Why the key cannot be served there now, or not at that endpoint."""
    provider = context.snapshot.providers.get(offering.provider_id)
    if not offering.is_enabled:
        return "offering_disabled"
    if offering.effective_from and context.at < offering.effective_from:
        return "not_effective_yet"
    if offering.effective_to and context.at >= offering.effective_to:
        return "no_longer_effective"
    if provider is None or not provider.is_enabled:
        return "provider_disabled"
    if not provider.is_usable and not is_reached_by_own(candidate, context):
        return "credential_missing"
    if endpoint not in offering.endpoints:
        return "endpoint_not_offered"
    return "" if serves(provider.wire_format, endpoint) else "format_lacks_endpoint"


def _unpriced_reason(candidate: Candidate, context: RoutingContext) -> str:
    """What the team pays by a credential of its own needs no price."""
    is_priced = context.is_priced is None or context.is_priced(candidate.offering)
    return "" if is_priced or is_reached_by_own(candidate, context) else "unpriced"


def _breaker_reason(candidate: Candidate, context: RoutingContext) -> str:
    """Of an offering whose breaker is open."""
    return "" if is_reached_otherwise(candidate, context) else BROKEN


def _capability_reason(candidate: Candidate, required: Requirements) -> str:
    offering, model = candidate.offering, candidate.model
    if required.is_streamed and not offering.streams:
        return "lacks:stream"
    if required.input_types and model.input_types and (unread := required.input_types - model.input_types):
        return f"cannot_read:{min(unread)}"
    window = offering.context_length or model.context_length
    return "context_too_small" if window and required.input_tokens > window else ""


def _weigh(
    candidate: Candidate, required: Requirements, context: RoutingContext, dropped: list[Dropped]
) -> bool:
    """Whether it can do the request, with whatever it may lose of it."""
    verdict = _verdict(candidate, required, context)
    candidate.loss, refusal = verdict.worst, verdict.refusal
    if refusal is None and required.requires_all and verdict.worst is Kind.TUNING:
        lost = verdict.lost[0].partition(" -> ")[0]
        refusal = CannotTranslate(f"The chosen provider has no '{lost}'.", param=lost)
    if refusal is None:
        return True
    reason = f"{_cannot(required)}{refusal.param}"
    dropped.append(Dropped(candidate, reason, refusal))
    return False


def _cannot(required: Requirements) -> str:
    return f"cannot_{operation_of(required.endpoint).name}:"


def _operation_reason(candidate: Candidate, required: Requirements, context: RoutingContext) -> str:
    """Of requests that no offering loses more of than another: all others are weighed afterwards."""
    if required.request is None:
        return ""
    refusal = _verdict(candidate, required, context).refusal
    return f"{_cannot(required)}{refusal.param}" if refusal else ""


def _verdict(candidate: Candidate, required: Requirements, context: RoutingContext) -> Verdict:
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


def _parameter_reason(offering: OfferingFacts, required: Requirements, context: RoutingContext) -> str:
    """Which parameters it lacks. One that declares nothing is given the benefit, unless all is required."""
    if not (offering.params or required.requires_all):
        return ""
    quirks = context.snapshot.providers[offering.provider_id].quirks
    missing = [
        name
        for name in sorted(required.params)
        if not declares(offering.params, quirks, name, is_strict=required.requires_all)
    ]
    return f"lacks:{','.join(missing)}" if missing else ""


def _slug(candidate: Candidate, context: RoutingContext) -> str:
    """As clients read it now; as published where the provider is gone."""
    provider = context.snapshot.providers.get(candidate.offering.provider_id)
    return provider.slug if provider else candidate.offering.provider_slug


def _preference(
    candidate: Candidate, context: RoutingContext, preferences: ProviderPreferences
) -> tuple[int, int, bool, Kind, float, int, float, int]:
    """Smaller is better: the team's own credentials, then the client's order, what probes say, what is lost, recent
    success, the curator's order, speed.
    """
    offering = candidate.offering
    health = context.health_of(offering.id)
    is_unhealthy = context.snapshot.providers[offering.provider_id].health == "unhealthy"
    # A tenth apart is noise: then the curator's order decides.
    return (
        candidate.turn,
        preferences.rank(_slug(candidate, context)) if preferences.order else 0,
        is_unhealthy,
        candidate.loss,
        -round(health.success_rate, 1),
        offering.position,
        health.latency_ms or 0.0,
        offering.id,
    )


def _nowhere(
    requested: str,
    required: Requirements,
    resolved: ResolvedModel | None,
    dropped: Sequence[Dropped],
    context: RoutingContext,
    unmet: Unmet,
) -> GatewayError:
    """Why no offering is left. A redirect that cannot be made is the retirement that it would have hidden."""
    named = resolved.model.id if resolved and resolved.retired else requested
    name = "No model" if named == AUTO else f"No provider of model '{named}'"
    refusal = _refused_by_operation(required, dropped, context) or no_candidate(
        name, required, {drop.reason for drop in dropped}, max(map(_window, dropped), default=0), unmet
    )
    if resolved is None or resolved.retired is None:
        return refusal
    return retired(
        resolved.retired, requested, context, why=f" It could not be redirected: {refusal.message}"
    )


def _window(drop: Dropped) -> int:
    candidate = drop.candidate
    return candidate.offering.context_length or candidate.model.context_length or 0


def _refused_by_operation(
    required: Requirements, dropped: Sequence[Dropped], context: RoutingContext
) -> GatewayError | None:
    """In the words of the first offering that could not do it; None where something else was in the way."""
    reason = _cannot(required)
    for drop in dropped:
        if drop.reason.startswith(reason):
            refusal = drop.refusal or _verdict(drop.candidate, required, context).refusal
            if refusal:
                return InvalidRequest(refusal.message, code=refusal.code, param=refusal.param)
    return None
