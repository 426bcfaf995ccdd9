"""Stop 4, second half: what was asked for → the ordered attempts, and why every other offering was dropped. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from accounts.policies import LifecyclePolicy
from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.lifecycle.message import lifecycle_message
from catalogue.lifecycle.status import Status
from gateway.proxy.choose import Choice, Situation, choose_model, retired
from gateway.proxy.errors import GatewayError, InvalidRequest
from gateway.proxy.notices import Headers, lifecycle_headers, redirect_headers, warning_header
from gateway.proxy.refuse import no_candidate
from gateway.proxy.wishes import NO_WISHES, Wishes
from providers.formats.base import TranslationError
from providers.operations.base import Requirements
from providers.operations.parameters import declares
from providers.operations.registry import operation_of, serves

AUTO = "auto"


@dataclass(slots=True)
class Candidate:
    model: ModelFacts
    offering: OfferingFacts


@dataclass(frozen=True, slots=True)
class Dropped:
    candidate: Candidate
    reason: str


@dataclass(slots=True)
class RoutePlan:
    """`candidates` best first; never empty. `retired` is the model that was asked for, where its successor answers."""

    model: ModelFacts
    candidates: tuple[Candidate, ...]
    dropped: tuple[Dropped, ...] = ()
    policy: LifecyclePolicy = LifecyclePolicy.ADVISE
    retired: ModelFacts | None = None


def plan_route(
    requested: str, needs: Requirements, situation: Situation, wishes: Wishes = NO_WISHES
) -> RoutePlan:
    """The plan for a model's id, an alias or `auto`. Raises NotFound, ModelRetired, InvalidRequest or Unavailable."""
    choice = None if requested == AUTO else choose_model(requested, needs.endpoint, situation)
    models = [choice.model] if choice else _auto_models(needs.endpoint, situation)
    kept, dropped = [], []
    for candidate in _candidates(models):
        reason = _reason_against(candidate, needs, situation, wishes)
        if reason:
            dropped.append(Dropped(candidate, reason))
        else:
            kept.append(candidate)
    if not kept:
        raise _nowhere(requested, needs, choice, dropped, situation)
    if len(kept) > 1:
        kept.sort(key=lambda candidate: _preference(candidate, situation, wishes))
        if not wishes.allows_fallbacks and not wishes.order:
            dropped += [Dropped(candidate, "unwished:allow_fallbacks") for candidate in kept[1:]]
            kept = kept[:1]
    policy = choice.policy if choice else LifecyclePolicy(situation.key.lifecycle_policy)
    return RoutePlan(
        kept[0].model, tuple(kept), tuple(dropped), policy, retired=choice.retired if choice else None
    )


def plan_headers(plan: RoutePlan, situation: Situation) -> Headers:
    """What the answer says of its model's life, and of the model that it stands in for."""
    if plan.retired is None and plan.model.status(situation.at) is not Status.DEPRECATED:
        return []
    successor = situation.snapshot.successor(plan.model, situation.at)
    headers = lifecycle_headers(plan.model, successor, situation.at)
    if plan.retired:
        headers += redirect_headers(plan.retired.id, plan.model.id)
    if headers and plan.policy is LifecyclePolicy.WARN:
        headers.append(warning_header(lifecycle_message(plan.model, successor, situation.at)))
    return headers


def _auto_models(endpoint: str, situation: Situation) -> list[ModelFacts]:
    if why_named := operation_of(endpoint).why_named:
        raise InvalidRequest(
            f"'auto' cannot be used for {endpoint}: {why_named}. Name the model.",
            code="model_required",
            param="model",
        )
    blocks = situation.key.lifecycle_policy == LifecyclePolicy.BLOCK
    wanted = {Status.ACTIVE} if blocks else {Status.ACTIVE, Status.DEPRECATED}
    return [
        model
        for model in situation.snapshot.models.values()
        if situation.key.may_call(model.id, model.aliases) and model.status(situation.at) in wanted
    ]


def _candidates(models: Sequence[ModelFacts]) -> Iterator[Candidate]:
    for model in models:
        for offering in model.offerings:
            yield Candidate(model, offering)


def _reason_against(candidate: Candidate, needs: Requirements, situation: Situation, wishes: Wishes) -> str:
    """Why this offering cannot serve the request; "" if it can."""
    return (
        (wishes.reason_against(_slug(candidate, situation)) if wishes is not NO_WISHES else "")
        or _operational_reason(candidate.offering, situation)
        or _endpoint_reason(candidate.offering, needs, situation)
        or _capability_reason(candidate, needs)
        or _parameter_reason(candidate.offering, needs, situation)
        or _operation_reason(candidate.offering, needs, situation)
        or ("breaker_open" if situation.standing(candidate.offering.id).is_open else "")
    )


def _operational_reason(offering: OfferingFacts, situation: Situation) -> str:
    provider = situation.snapshot.providers.get(offering.provider_id)
    if not offering.is_enabled:
        return "offering_disabled"
    if offering.effective_from and situation.at < offering.effective_from:
        return "not_effective_yet"
    if offering.effective_to and situation.at >= offering.effective_to:
        return "no_longer_effective"
    if provider is None or not provider.is_enabled:
        return "provider_disabled"
    return "" if provider.is_usable else "credential_missing"


def _endpoint_reason(offering: OfferingFacts, needs: Requirements, situation: Situation) -> str:
    if needs.endpoint not in offering.endpoints:
        return "endpoint_not_offered"
    wire_format = situation.snapshot.providers[offering.provider_id].wire_format
    return "" if serves(wire_format, needs.endpoint) else "format_lacks_endpoint"


def _capability_reason(candidate: Candidate, needs: Requirements) -> str:
    offering, model = candidate.offering, candidate.model
    if needs.is_streamed and not offering.streams:
        return "lacks:stream"
    unread = sorted(needs.input_types - model.input_types) if model.input_types else []
    if unread:
        return f"cannot_read:{unread[0]}"
    context = offering.context_length or model.context_length
    return "context_too_small" if context and needs.input_tokens > context else ""


def _operation_reason(offering: OfferingFacts, needs: Requirements, situation: Situation) -> str:
    if needs.request is None:
        # Relayed as it came: its writer refuses what it cannot say.
        return ""
    refusal = _operation_refusal(offering, needs, situation)
    return f"cannot_{operation_of(needs.endpoint).name}:{refusal.param}" if refusal else ""


def _operation_refusal(
    offering: OfferingFacts, needs: Requirements, situation: Situation
) -> TranslationError | None:
    """What the provider's format, or this offering, cannot do of the request itself; None if it can."""
    provider = situation.snapshot.providers[offering.provider_id]
    return operation_of(needs.endpoint).refusal(needs, provider, offering.upstream_name, offering.params)


def _parameter_reason(offering: OfferingFacts, needs: Requirements, situation: Situation) -> str:
    """Which parameters it lacks. One that declares nothing is given the benefit, unless all is required."""
    if not needs.params or not (offering.params or needs.requires_all):
        return ""
    quirks = situation.snapshot.providers[offering.provider_id].quirks
    missing = [
        name
        for name in sorted(needs.params)
        if not declares(offering.params, quirks, name, is_strict=needs.requires_all)
    ]
    return f"lacks:{','.join(missing)}" if missing else ""


def _slug(candidate: Candidate, situation: Situation) -> str:
    """As clients read it now; as published where the provider is gone."""
    provider = situation.snapshot.providers.get(candidate.offering.provider_id)
    return provider.slug if provider else candidate.offering.provider_slug


def _preference(
    candidate: Candidate, situation: Situation, wishes: Wishes
) -> tuple[int, bool, float, int, float, int]:
    """Smaller is better: the client's order, what probes say, recent success, the curator's order, speed."""
    offering = candidate.offering
    standing = situation.standing(offering.id)
    is_unhealthy = situation.snapshot.providers[offering.provider_id].health == "unhealthy"
    # A tenth apart is noise: then the curator's order decides.
    return (
        wishes.rank(_slug(candidate, situation)) if wishes.order else 0,
        is_unhealthy,
        -round(standing.success_rate, 1),
        offering.position,
        standing.latency_ms or 0.0,
        offering.id,
    )


def _nowhere(
    requested: str,
    needs: Requirements,
    choice: Choice | None,
    dropped: Sequence[Dropped],
    situation: Situation,
) -> GatewayError:
    """Why no offering is left. A redirect that cannot be made is the retirement that it would have hidden."""
    named = choice.model.id if choice and choice.retired else requested
    name = "No model" if named == AUTO else f"No provider of model '{named}'"
    refusal = _refused_by_operation(needs, dropped, situation) or no_candidate(
        name, needs, {drop.reason for drop in dropped}
    )
    if choice is None or choice.retired is None:
        return refusal
    return retired(
        choice.retired, requested, situation, why=f" It could not be redirected: {refusal.message}"
    )


def _refused_by_operation(
    needs: Requirements, dropped: Sequence[Dropped], situation: Situation
) -> GatewayError | None:
    """In the words of the first offering that could not do it; None where something else was in the way."""
    reason = f"cannot_{operation_of(needs.endpoint).name}:"
    for drop in dropped:
        if drop.reason.startswith(reason):
            refusal = _operation_refusal(drop.candidate.offering, needs, situation)
            if refusal:
                return InvalidRequest(refusal.message, code=refusal.code, param=refusal.param)
    return None
