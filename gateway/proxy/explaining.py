"""How a call would be routed, what it would cost and what its caller has left. Nobody is called, nothing is taken."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from accounts.money import charge_of, plain, usd_of
from accounts.rules import KeyRules
from catalogue.published.snapshot import Snapshot
from gateway.core.store.interface import Standing, StoreUnavailable
from gateway.proxy.admission.admission import Admission, BudgetLeft
from gateway.proxy.admission.admit import admit_count
from gateway.proxy.carry import EdgeServices, look, open_turn_of, preferences_of, read_call
from gateway.proxy.client import ClientConnection
from gateway.proxy.large import LARGE_BYTES, off_loop
from gateway.proxy.planning import add_learnt, ask_route
from gateway.proxy.request_headers import ClientRequest
from gateway.proxy.routing.plan import NoRoute, RoutePlan, survey_route
from gateway.proxy.routing.trace import trace_of
from gateway.proxy.surfaces.explain import ExplainSurface
from providers.wire.call import Call

_MOST = 1_000
"""Of the order, and of those that fell out."""
_WINDOWS = {60: "minute", 86_400: "day"}


async def explain(
    surface: ExplainSurface, request: ClientRequest, client: ClientConnection, services: EdgeServices
) -> None:
    """Answer what would become of a call with that body. Raises GatewayError for what could not be routed at all:
    a body that is not valid, a name that means nothing.
    """
    is_large = len(request.body) > LARGE_BYTES
    parsed = await off_loop(surface.read, request.body) if is_large else surface.read(request.body)
    await admit_count(request.key, services.counts_per_minute, surface.format, client, services.store)
    explained = surface.of or surface
    if explained.keeps_answers:
        parsed, request, _ = await open_turn_of(parsed, request, client, services)
    context = look(request, services)
    preferences = preferences_of(parsed, context, services)
    call = read_call(explained, parsed, request)
    rules = services.admission.rules_for(request.key, call)
    if rules.budgets:
        context.is_priced, context.counts_own = services.admission.is_priced, rules.counts_own
    asked = await off_loop(ask_route, call, parsed, preferences, context)
    add_learnt(context, asked, services.learnt)
    plan = await off_loop(survey_route, asked, context, True)
    call.request, call.input_tokens = asked.required.request, asked.required.input_tokens
    refusal = None
    if isinstance(plan, NoRoute):
        # As the surface that is explained would put it.
        body = explained.wire_format.error_body(plan.refusal.to_dict(), request.id)
        refusal = {"status": explained.error_status(plan.refusal), "body": body}
    told = _told(call, plan, services.admission, context.snapshot)
    left = await _left(services.admission, rules)
    await client.answer(orjson.dumps({**told, "refusal": refusal, **left}))


def _told(
    call: Call, plan: RoutePlan | NoRoute, admission: Admission, snapshot: Snapshot
) -> Mapping[str, Any]:
    trace = trace_of(plan, _MOST)
    affordable = {each.way for each in admission.affordable(plan.candidates, snapshot)}
    order = [
        {
            **scored,
            "estimated_cost_usd": _costs(admission.estimate(call, candidate), call.charge_factor),
            "is_within_provider_budget": candidate.way in affordable,
        }
        for scored, candidate in zip(trace["order"], plan.candidates, strict=False)
    ]
    return {
        "object": "route.explanation",
        "endpoint": call.endpoint,
        "requested_model": call.requested_model,
        "model": plan.candidates[0].model.id if plan.candidates else None,
        "input_tokens": call.input_tokens,
        **trace,
        "order": order,
    }


def _costs(units: tuple[int, int] | None, factor: str) -> Mapping[str, str] | None:
    """As the team is charged."""
    if units is None:
        return None
    likely, most = (plain(usd_of(charge_of(each, factor))) for each in units)
    return {"likely": likely, "most": most}


async def _left(admission: Admission, rules: KeyRules) -> Mapping[str, Any]:
    """Of the caller's limits and budgets; null where the store cannot say it."""
    try:
        standings, budgets = await admission.left(rules)
    except StoreUnavailable:
        return {"limits": None, "budgets": None}
    return {"limits": _limits(standings), "budgets": [_budget(each) for each in budgets]}


def _limits(standings: Sequence[Standing]) -> Sequence[Mapping[str, Any]]:
    return [
        {
            "subject": standing.limit.subject.partition(":")[0],
            "unit": standing.limit.unit,
            "window": _WINDOWS[standing.limit.window_s],
            "amount": standing.limit.amount,
            "remaining": max(0, standing.remaining),
            "reset_s": round(standing.reset_s, 3),
        }
        for standing in standings
    ]


def _budget(budget: BudgetLeft) -> Mapping[str, Any]:
    window, spent = budget.window, budget.spent
    left = None if spent is None else max(0, window.amount - spent - budget.held)
    return {
        "subject": budget.subject.partition(":")[0],
        "window": window.window.partition(":")[0],
        "refuses": window.refuses,
        "amount_usd": plain(usd_of(window.amount)),
        "spent_usd": None if spent is None else plain(usd_of(spent)),
        "held_usd": plain(usd_of(budget.held)),
        "free_usd": None if left is None else plain(usd_of(left)),
        "resets_at": None
        if window.ends_at is None
        else f"{datetime.fromtimestamp(window.ends_at, UTC):%Y-%m-%dT%H:%M:%SZ}",
    }
