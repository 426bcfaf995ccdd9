"""Stops 2 to 9 of one call, in their order: this is the recipe, and each stop has a file of its own."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from random import random
from typing import Any

import orjson

from gateway.core.client_address import NO_PROXIES, TrustedProxies
from gateway.core.store.interface import Store
from gateway.proxy.admission.admission import Admission
from gateway.proxy.admission.admit import admit, admit_count, check_accounting
from gateway.proxy.call import EFFORT, OWN_FIELDS, without_own_fields
from gateway.proxy.client import ClientConnection
from gateway.proxy.errors import NoWorker, read_error
from gateway.proxy.exchange import CallResult, ResponseSink
from gateway.proxy.fallbacks import read_fallbacks
from gateway.proxy.ids import mint_id
from gateway.proxy.lanes import WORKER, Lanes
from gateway.proxy.large import LARGE_BYTES, off_loop
from gateway.proxy.notes import PlanNotes
from gateway.proxy.observers import CallRecord, Observers
from gateway.proxy.planning import (
    Learnt,
    ask_large,
    ask_route,
    follow,
    learn_place,
    let_in,
    plan_with,
    tell_plan,
)
from gateway.proxy.ports import KeyDirectory, Snapshots, StoredResponses
from gateway.proxy.request_headers import SAID_IN_HEADERS, ClientRequest, hear_headers, read_project
from gateway.proxy.routing.plan import plan_route
from gateway.proxy.routing.preferences import (
    FIELD,
    NO_PREFERENCES,
    PREFERRED_OVER_S,
    ProviderPreferences,
    read_preferences,
)
from gateway.proxy.routing.resolve import RoutingContext
from gateway.proxy.stored import StoringSink, open_turn
from gateway.proxy.surfaces.base import END_USER_FIELDS, Surface
from providers.facts import CredentialFacts
from providers.health import HealthTable
from providers.wire.call import Call

# Members of a body that say whose call it is, or what is meant for the gateway: most requests have none of them.
_ABOUT_THE_CALL = OWN_FIELDS | END_USER_FIELDS | {EFFORT}


@dataclass(frozen=True, slots=True)
class EdgeServices:
    """What the edge needs of the process it runs in."""

    keys: KeyDirectory
    snapshots: Snapshots
    store: Store
    admission: Admission
    observers: Observers
    health: HealthTable
    lanes: Lanes
    responses: StoredResponses
    body_limit_bytes: int
    write_timeout_s: float
    heartbeat_s: float
    """A stream that was quiet for so long is sent a sign of life."""
    open_after_s: float = 20.0
    """A stream of which nothing came for so long is opened all the same: until then a refusal keeps its status."""
    plans: PlanNotes = field(default_factory=PlanNotes)
    """Where plans are told that had a choice."""
    learnt: Learnt = field(default_factory=Learnt)
    proxies: TrustedProxies = NO_PROXIES
    """Who may say where a request comes from."""
    most_calls: int = 4_000
    """That the process has in hand at once."""
    counts_per_minute: int = 600
    """How often each key may have tokens counted."""


async def carry(
    surface: Surface, request: ClientRequest, client: ClientConnection, services: EdgeServices
) -> None:
    """Answer a request whose key and body have been read. Raises GatewayError, ClientGone."""
    is_large = len(request.body) > LARGE_BYTES
    parsed = await off_loop(surface.read, request.body) if is_large else surface.read(request.body)
    if surface.only_counts:
        return await _count(surface, parsed, request, client, services)
    sink: ResponseSink = client
    if surface.keeps_answers:
        parsed, request, sink = await open_turn_of(parsed, request, client, services)
        is_large = len(request.body) > LARGE_BYTES

    context = look(request, services)
    preferences = preferences_of(parsed, context, services) if FIELD in parsed else NO_PREFERENCES
    call = read_call(surface, parsed, request)
    record, observers, admission = client.record, services.observers, services.admission
    if record.waited_s:
        call.waited_s = record.waited_s
    rules = admission.rules_for(request.key, call)
    if rules.budgets:
        context.is_priced, context.counts_own = admission.is_priced, rules.counts_own
    asked = (
        await off_loop(ask_large, call, parsed, preferences, context)
        if is_large
        else ask_route(call, parsed, preferences, context)
    )
    plan = plan_route(asked, context) if asked.is_plain else await plan_with(asked, context, services.learnt)
    follow(plan, call, asked.required, context)
    record.asked, record.plan = call, plan
    observers.planned(record)
    if plan.is_told:
        tell_plan(plan, context, client)
    lane = services.lanes.choose(request.header(b"x-gateway-lane"), request.key.lane)

    check_accounting(observers.spool)
    if asked.chooses:
        plan = record.plan = await let_in(call, rules, asked, plan, context, client, services)
    else:
        await admit(call, rules, plan, context, client, admission)
    observers.admitted(record)
    if plan.has_choice:
        services.plans.take((call.id, plan, call.waited_s))
        end = await _make_counted(call, record, lane, sink, services, context)
    else:
        end = await _make(call, record, lane, sink, services)
    if asked.prompt_mark:
        learn_place(asked, plan, record.head, context, services.learnt.affinity)
    return await (client.fail(read_error(end.error), attempts=end.attempts) if end.error else client.finish())


async def _make_counted(
    call: Call,
    record: CallRecord,
    lane: str,
    sink: ResponseSink,
    services: EdgeServices,
    context: RoutingContext,
) -> CallResult:
    """The same, and the call is counted while it is under way where a further credential of ours is to open it."""
    credential, in_flight = _first_credential(call, record), context.snapshot.in_flight
    if credential is None or credential.is_own:
        return await _make(call, record, lane, sink, services)
    in_flight[credential.id] = in_flight.get(credential.id, 0) + 1
    try:
        return await _make(call, record, lane, sink, services)
    finally:
        in_flight[credential.id] -= 1
        if not in_flight[credential.id]:
            del in_flight[credential.id]


def _first_credential(call: Call, record: CallRecord) -> CredentialFacts | None:
    """That by which the call goes out first."""
    candidates = record.plan.candidates if record.plan else ()
    return next((each.credential for each in candidates if each.way == call.offering_ids[0]), None)


async def _make(
    call: Call, record: CallRecord, lane: str, sink: ResponseSink, services: EdgeServices
) -> CallResult:
    """Have the call made, and give back what it took to be let in. Raises as Lanes.carry does."""
    admission, is_made = services.admission, True
    try:
        end = await services.lanes.carry(call, record, wanted=lane, sink=sink)
        record.result = end
        if end.cut_by:
            record.fail(end.cut_by)
        if end.output_tokens and record.head:
            admission.learn(call, record.head.model, end.output_tokens)
        return end
    except NoWorker:
        admission.correct(call, {})
        is_made = False
        raise
    finally:
        if call.waited_s and record.plan:
            services.plans.take((call.id, record.plan, call.waited_s))
        admission.release(call, leaves_holds=is_made and record.lane == WORKER)


async def open_turn_of(
    parsed: Mapping[str, Any], request: ClientRequest, client: ResponseSink, services: EdgeServices
) -> tuple[Mapping[str, Any], ClientRequest, ResponseSink]:
    """What is asked with all that went before, and the way back on which it is stored."""
    key = request.key
    turn = await open_turn(
        parsed,
        services.responses,
        team_id=key.team_id,
        may_keep=key.keeps_responses,
        limit_bytes=services.body_limit_bytes,
    )
    asked = ClientRequest(request.id, request.headers, key, orjson.dumps(turn.asked))
    response_id = f"resp_{request.id.removeprefix('req_')}"
    sink = StoringSink(client, turn, services.responses, key.team_id, response_id=response_id)
    return turn.asked, asked, sink


async def _count(
    surface: Surface,
    parsed: Mapping[str, Any],
    request: ClientRequest,
    client: ClientConnection,
    services: EdgeServices,
) -> None:
    await admit_count(request.key, services.counts_per_minute, surface.format, client, services.store)
    if surface.keeps_answers:
        parsed, request, _ = await open_turn_of(parsed, request, client, services)
    is_large = len(request.body) > LARGE_BYTES
    counted = await off_loop(surface.count, parsed) if is_large else surface.count(parsed)
    await client.answer(orjson.dumps(counted))


def preferences_of(
    parsed: Mapping[str, Any], context: RoutingContext, services: EdgeServices
) -> ProviderPreferences:
    """What the request says of providers, and how fast they were, where it asks for that. Raises InvalidRequest."""
    preferences = read_preferences(parsed, context.snapshot.providers)
    if preferences.min_throughput or preferences.max_latency:
        context.tally_of = partial(services.health.tally, at=time.monotonic(), within_s=PREFERRED_OVER_S)
    return preferences


def look(request: ClientRequest, services: EdgeServices) -> RoutingContext:
    """What this call is planned from: all of it as it is now."""
    health_of = partial(services.health.status, at=time.monotonic())
    return RoutingContext(
        services.snapshots.current,
        request.key,
        datetime.now(UTC),
        health_of,
        draw=random(),  # noqa: S311  # nothing secret hangs on it
    )


def read_call(surface: Surface, parsed: Mapping[str, Any], request: ClientRequest) -> Call:
    """Raises InvalidRequest, Forbidden."""
    key = request.key
    is_plain = _ABOUT_THE_CALL.isdisjoint(parsed)
    # By name, Python puts all arguments of a class into a dictionary first: here that took three times as long.
    call = Call(
        surface.endpoint,
        parsed if is_plain else without_own_fields(parsed),
        surface.is_streamed(parsed),
        surface.wants_usage(parsed),
        surface.format,
        mint_id(),
        int(time.time()),
    )
    call.may_search_elsewhere = key.may_search_elsewhere
    call.client_waits_s = key.deadline_s
    call.request_id = request.id
    call.team_id = key.team_id
    call.key_id = key.id
    call.owners = key.owners
    call.charge_factor = key.charge_factor
    call.project = read_project(request, parsed)
    call.requested_model = surface.model(parsed)
    call.raw = request.body
    if call.project:
        call.owners = {**key.owners, "project_id": key.projects.get(call.project, 0)}
    if not SAID_IN_HEADERS.isdisjoint(request.headers):
        hear_headers(call, request)
    if not is_plain:
        call.end_user = call.hashed(surface.end_user(parsed)) or ""
        call.fallback_on = read_fallbacks(parsed)
    return call
