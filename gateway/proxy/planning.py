"""Stop 4 as a call comes to it: what is asked for a route, the plan, and what is learnt of how that went."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from accounts.rules import KeyRules
from gateway.proxy.admission.admission import Admission
from gateway.proxy.admission.admit import admit
from gateway.proxy.admission.refusal import PROVIDERS_FULL
from gateway.proxy.client import ClientConnection
from gateway.proxy.errors import RateLimited
from gateway.proxy.exchange import ResponseHead
from gateway.proxy.fallbacks import with_routes
from gateway.proxy.large import off_loop
from gateway.proxy.routing.affinity import LEAST_TOKENS, Affinity, prompt_mark
from gateway.proxy.routing.auto import is_ready
from gateway.proxy.routing.headroom import Headroom
from gateway.proxy.routing.names import AUTO
from gateway.proxy.routing.plan import RoutePlan, plan_route
from gateway.proxy.routing.preferences import ProviderPreferences
from gateway.proxy.routing.request import RouteRequest, read_effort, read_level, read_names
from gateway.proxy.routing.resolve import RoutingContext
from gateway.proxy.routing.telling import headers_by_answerer, plan_headers
from gateway.proxy.surfaces.base import refusal_of
from providers.formats.base import TranslationError
from providers.operations.base import Requirements
from providers.operations.registry import operation_of
from providers.wire.call import Call


@dataclass(slots=True)
class Learnt:
    """What this process learnt from calls, for those that come."""

    affinity: Affinity = field(default_factory=Affinity)
    headroom: Headroom = field(default_factory=Headroom)


class LettingIn(Protocol):
    """What of a process' services it takes."""

    @property
    def admission(self) -> Admission: ...
    @property
    def learnt(self) -> Learnt: ...


async def plan_with(asked: RouteRequest, context: RoutingContext, learnt: Learnt) -> RoutePlan:
    """By what was learnt from other calls; off the loop where it takes long. Raises as plan_route does."""
    add_learnt(context, asked, learnt)
    if asked.is_large or (asked.chooses and not is_ready(asked.required.endpoint, context)):
        return await off_loop(plan_route, asked, context)
    return plan_route(asked, context)


def add_learnt(context: RoutingContext, asked: RouteRequest, learnt: Learnt) -> None:
    """As far as that matters to what is asked."""
    if asked.prompt_mark is not None:
        context.affinity = partial(learnt.affinity.find, at=time.monotonic())
    if asked.chooses and context.snapshot.has_quotas:
        context.headroom_of = partial(learnt.headroom.of, at=time.monotonic())


def ask_route(
    call: Call, parsed: Mapping[str, Any], preferences: ProviderPreferences, context: RoutingContext
) -> RouteRequest:
    """What a route is asked for. Raises InvalidRequest."""
    model, operation = call.requested_model, operation_of(call.endpoint)
    try:
        required = operation.requirements(call)
    except TranslationError as error:
        raise refusal_of(error) from None
    if preferences.requires_parameters:
        required = required.requiring(operation.parameters(call, required))
    if call.body is parsed:
        # Nothing of it is meant for us.
        asked = RouteRequest((model,), required, preferences)
        is_plain = AUTO not in model
    else:
        names = read_names(parsed, model, call.endpoint)
        asked = RouteRequest(names, required, preferences, read_level(parsed))
        is_plain = AUTO not in model and len(names) == 1
    if not is_plain:
        asked.is_plain = False
        asked.chooses = any(AUTO in name for name in asked.names)
        asked.reasoning_effort = read_effort(required, parsed)
    if required.input_tokens >= LEAST_TOKENS and _has_choice(asked, context):
        asked.prompt_mark, asked.is_plain = prompt_mark(call.team_id, model, call.body), False
    return asked


def ask_large(
    call: Call, parsed: Mapping[str, Any], preferences: ProviderPreferences, context: RoutingContext
) -> RouteRequest:
    """The same of a body on which all work is done off the loop."""
    asked = ask_route(call, parsed, preferences, context)
    asked.is_large, asked.is_plain = True, False
    return asked


def _has_choice(asked: RouteRequest, context: RoutingContext) -> bool:
    """Whether more than one offering could serve, as far as that is seen at once."""
    model = context.snapshot.find(asked.names[0])
    return model is None or len(asked.names) > 1 or len(model.offerings) > 1


def follow(plan: RoutePlan, call: Call, required: Requirements, context: RoutingContext) -> None:
    """Let the call know its plan."""
    call.request, call.input_tokens = required.request, required.input_tokens
    call.asks_reasoning = required.asks_reasoning
    call.offering_ids = plan.ways
    call.revision = context.snapshot.revision
    if plan.varies:
        call.redirects = _redirects(plan)
        call.fallback_on = with_routes(call.fallback_on, [choice.route for choice in plan.choices])
    elif plan.retired:
        call.redirected_from = plan.retired.id


def _redirects(plan: RoutePlan) -> Mapping[str, str]:
    by_rank = {
        rank: choice.retired.id for rank, choice in enumerate(plan.choices) if choice.retired is not None
    }
    return {each.model.id: by_rank[each.rank] for each in plan.candidates if each.rank in by_rank}


def tell_plan(plan: RoutePlan, context: RoutingContext, client: ClientConnection) -> None:
    """In headers, whichever way the call ends, or of who answers."""
    if plan.varies:
        client.headers_of = headers_by_answerer(plan, context)
    else:
        client.headers.extend(plan_headers(plan, context))


async def let_in(
    call: Call,
    rules: KeyRules,
    asked: RouteRequest,
    plan: RoutePlan,
    context: RoutingContext,
    client: ClientConnection,
    services: LettingIn,
) -> RoutePlan:
    """Stop 5, by the plan; or by another one, where `auto` chose those alone whose quotas are full."""
    told, headroom = len(client.headers), services.learnt.headroom
    while True:
        try:
            await admit(call, rules, plan, context, client, services.admission)
        except RateLimited as refusal:
            if refusal.error_code != PROVIDERS_FULL or not plan.more:
                raise
            del client.headers[told:]
            plan = _plan_elsewhere(call, asked, plan, context, headroom, refusal)
            client.headers_of = headers_by_answerer(plan, context)
        else:
            if context.snapshot.has_quotas:
                _learn_room(call, plan, headroom)
            return plan


def _plan_elsewhere(
    call: Call,
    asked: RouteRequest,
    plan: RoutePlan,
    context: RoutingContext,
    headroom: Headroom,
    refusal: RateLimited,
) -> RoutePlan:
    """Raises the refusal where nothing else is left."""
    now = time.monotonic()
    headroom.found_full([candidate.offering for candidate in plan.candidates], now)
    context.headroom_of = partial(headroom.of, at=now)
    other = plan_route(asked, context)
    if not any(map(context.headroom_of, [candidate.offering for candidate in other.candidates])):
        raise refusal
    follow(other, call, asked.required, context)
    return other


def _learn_room(call: Call, plan: RoutePlan, headroom: Headroom) -> None:
    """Those before the one that the call goes to had none."""
    chosen = call.offering_ids[0]
    if chosen != plan.ways[0] and chosen in plan.ways:
        full = plan.candidates[: plan.ways.index(chosen)]
        headroom.found_full([candidate.offering for candidate in full], time.monotonic())


def learn_place(
    asked: RouteRequest,
    plan: RoutePlan,
    head: ResponseHead | None,
    context: RoutingContext,
    affinity: Affinity,
) -> None:
    """Where a prompt was answered whose beginning is worth keeping."""
    if asked.prompt_mark is None or head is None or len(plan.candidates) == 1:
        return
    providers = context.snapshot.providers
    for candidate in plan.candidates:
        slug = providers[candidate.offering.provider_id].slug
        if candidate.model.id == head.model and slug == head.provider:
            affinity.learn(asked.prompt_mark, candidate.way, time.monotonic())
            return
