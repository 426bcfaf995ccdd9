"""What an answer's headers say of how its model was chosen, and of that model's life. Pure."""

from collections.abc import Mapping

from accounts.policies import LifecyclePolicy
from catalogue.lifecycle.message import lifecycle_message
from catalogue.lifecycle.status import Status
from gateway.proxy.response_headers import (
    Headers,
    fallback_header,
    lifecycle_headers,
    redirect_headers,
    route_header,
    warning_header,
)
from gateway.proxy.routing.plan import RoutePlan
from gateway.proxy.routing.resolve import ResolvedModel, RoutingContext
from gateway.proxy.routing.ways import Candidate

Answerer = tuple[str, str]
"""The slug of a provider, and the id of a model."""


def plan_headers(plan: RoutePlan, context: RoutingContext) -> Headers:
    """Of a plan that does not vary: what is said whoever answers."""
    if plan.retired is None and plan.model.deprecation_at is None:
        return []
    return _headers_of(plan.candidates[0], plan, context)


def headers_by_answerer(plan: RoutePlan, context: RoutingContext) -> Mapping[Answerer, Headers]:
    """Of one that does: what is said where that one answers."""
    found: dict[Answerer, Headers] = {}
    for candidate in plan.candidates:
        slug = context.snapshot.providers[candidate.offering.provider_id].slug
        if (slug, candidate.model.id) not in found:
            told = _chosen(plan.choices[candidate.rank], plan.asked)
            found[slug, candidate.model.id] = told + _headers_of(candidate, plan, context)
    return found


def _chosen(choice: ResolvedModel, asked: str) -> Headers:
    told = [route_header(choice.route.id)] if choice.route else []
    return told if choice.name == asked else [*told, fallback_header(asked)]


def _headers_of(candidate: Candidate, plan: RoutePlan, context: RoutingContext) -> Headers:
    model, choice = candidate.model, plan.choices[candidate.rank]
    if choice.retired is None and model.status(context.at) is not Status.DEPRECATED:
        return []
    successor = context.snapshot.successor(model, context.at)
    headers = lifecycle_headers(model, successor, context.at)
    if choice.retired:
        headers += redirect_headers(choice.retired.id, model.id)
    if headers and choice.policy is LifecyclePolicy.WARN:
        headers.append(warning_header(lifecycle_message(model, successor, context.at)))
    return headers
