"""A named route among the choices: its members in its place, each as if it had been named. Pure."""

from dataclasses import replace

from catalogue.facts import ModelFacts, RouteMember
from gateway.proxy.errors import InvalidRequest
from gateway.proxy.routing.named import members_in_order
from gateway.proxy.routing.resolve import (
    OutOfLife,
    PassedOver,
    ResolvedModel,
    RoutingContext,
    in_its_life,
)
from providers.operations.base import Requirements
from providers.operations.registry import operation_of


def with_members(
    choices: list[ResolvedModel],
    passed_over: list[PassedOver],
    required: Requirements,
    context: RoutingContext,
) -> list[ResolvedModel]:
    """The choices with the members of routes in their places; `passed_over` grows by those that cannot be called.

    Raises InvalidRequest where none is left of any.
    """
    found: list[ResolvedModel] = []
    for choice in choices:
        route = choice.model
        if route is None or not route.members:
            found.append(choice)
        else:
            found += _members(choice, route, passed_over, required, context)
    if not found:
        message = f"No member of the route '{choices[0].name}' is for this request, or open to this key."
        raise InvalidRequest(message, code="no_route_member", param="model")
    return found


def _members(
    choice: ResolvedModel,
    route: ModelFacts,
    passed_over: list[PassedOver],
    required: Requirements,
    context: RoutingContext,
) -> list[ResolvedModel]:
    _check_alike(choice, route, required)
    ranks = members_in_order(route, required, context.key, context.draw)
    found = []
    for member in (member for rank in ranks for member in rank):
        try:
            resolved = _resolve(choice, member, required, context)
        except OutOfLife as error:
            passed_over.append(PassedOver(member.model_id, error.refusal))
        else:
            found += [replace(resolved, route=route)] if resolved else []
    return found


def _check_alike(choice: ResolvedModel, route: ModelFacts, required: Requirements) -> None:
    """Answers of several models cannot stand for one another everywhere."""
    why_named = operation_of(required.endpoint).why_named
    if why_named and len({member.model_id for member in route.members}) > 1:
        message = (
            f"The route '{choice.name}' cannot be used for {required.endpoint}: {why_named}, and it has several. "
            "Name the model."
        )
        raise InvalidRequest(message, code="model_required", param="model")


def _resolve(
    choice: ResolvedModel, member: RouteMember, required: Requirements, context: RoutingContext
) -> ResolvedModel | None:
    """None where the key may not call it, or another provider is pinned. Raises OutOfLife."""
    model = context.snapshot.models.get(member.model_id)
    if model is None or not context.key.may_call(model.id, model.aliases):
        return None
    if choice.provider and member.provider_slug and choice.provider != member.provider_slug:
        return None
    resolved = in_its_life(model, choice.name, model.id, required.endpoint, context)
    resolved.provider = member.provider_slug or choice.provider
    resolved.sort, resolved.is_free = choice.sort, choice.is_free
    resolved.retired = resolved.retired or choice.retired
    return resolved
