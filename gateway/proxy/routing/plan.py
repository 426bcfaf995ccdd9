"""Stop 4: what was asked for → the ordered attempts, and why every other offering was dropped. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from accounts.keys import KeyFacts
from accounts.policies import LifecyclePolicy
from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.lifecycle.status import Status
from gateway.proxy.errors import GatewayError, InvalidRequest
from gateway.proxy.routing.auto import pick
from gateway.proxy.routing.filters import cannot, reason_against, verdict_of, weigh
from gateway.proxy.routing.members import with_members
from gateway.proxy.routing.ordering import Ordering, ordering_of
from gateway.proxy.routing.places import places_for
from gateway.proxy.routing.preferences import NO_PREFERENCES, ProviderPreferences
from gateway.proxy.routing.prospects import Prospect, prospects_of
from gateway.proxy.routing.refusals import no_candidate
from gateway.proxy.routing.request import RouteRequest
from gateway.proxy.routing.resolve import (
    PassedOver,
    ResolvedModel,
    RoutingContext,
    resolve_models,
    retired,
)
from gateway.proxy.routing.ways import BROKEN, Candidate, Dropped, all_ways, few_own, spared
from gateway.proxy.routing.wishes import Unmet
from providers.facts import Way
from providers.operations.base import Requirements
from providers.operations.registry import operation_of

_MOST_PREPARED = 50_000


@dataclass(slots=True)
class RoutePlan:
    """`candidates` best first; never empty. `model` is that of the first.

    `choices` are what the client named, by the candidates' ranks; `passed_over` what of it cannot be called now.
    """

    model: ModelFacts
    candidates: tuple[Candidate, ...]
    dropped: tuple[Dropped, ...] = ()
    choices: tuple[ResolvedModel, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    draw: float = 0.0
    kept_at: Way | None = None
    """The way that was known to hold the cache of the prompt's beginning."""
    retired: ModelFacts | None = None
    """The model that was asked for, where the first candidate's is its successor."""
    asked: str = ""
    """What was to answer, if it could: the first name."""
    more: int = 0
    """How many more `auto` could have chosen, as far as the catalogue tells."""
    varies: bool = False
    """What is told of the answer depends on who answers."""
    is_told: bool = False
    """There may be something to tell in headers."""
    ways: tuple[Way, ...] = field(init=False)
    """To the candidates."""
    has_choice: bool = field(init=False)
    """Another offering could have been its first."""

    def __post_init__(self) -> None:
        self.ways = tuple([candidate.way for candidate in self.candidates])
        self.has_choice = bool(self.dropped) or len(self.ways) > 1


@dataclass(slots=True)
class NoRoute:
    """What was found where no offering is left; `refusal` is what the client is answered."""

    refusal: GatewayError
    dropped: tuple[Dropped, ...]
    choices: tuple[ResolvedModel, ...]
    passed_over: tuple[PassedOver, ...]
    draw: float
    candidates: tuple[Candidate, ...] = ()
    kept_at: Way | None = None
    more: int = 0


@dataclass(slots=True)
class Lone:
    """The plan of all calls of a key for a model with one offering, while nothing is in its way: most calls are such.

    It holds for that key, from `since` until before `until`, where the request says nothing of providers.
    """

    key: KeyFacts
    row: Prospect
    since: datetime
    until: datetime
    plan: RoutePlan
    streams: bool
    window: float
    """How long a prompt may be."""

    def serves(self, request: RouteRequest, context: RoutingContext) -> bool:
        """Whether a request that says nothing of providers goes this way now.

        First all that a reason in `filters.py` may come of, in one step: whoever adds one there adds it here.
        """
        if self.key is not context.key or not self.since <= context.at < self.until:
            return False
        required, health = request.required, context.health_of(self.row.candidate.way)
        asks_more = (
            required.input_tokens > self.window
            or required.params
            or required.input_types
            or request.min_reasoning_level
            or required.call is None
            or (required.is_streamed and not self.streams)
            or (context.is_priced is not None and not context.is_priced(self.row.offering))
            or health.is_open
        )
        # Most requests ask for nothing that could stand against it.
        return not asks_more or not reason_against(
            self.row, self.plan.choices[0], request, NO_PREFERENCES, context, health
        )


def plan_route(request: RouteRequest, context: RoutingContext) -> RoutePlan:
    """The one decision: live calls, explanations and trials all ask for it.

    Raises NotFound, ModelRetired, InvalidRequest, Forbidden or Unavailable.
    """
    if request.preferences is NO_PREFERENCES:
        place = request.names, request.required.endpoint, context.key.id
        lone: Lone | None = context.snapshot.prepared.get(place)
        if lone is not None and lone.serves(request, context):
            return lone.plan
    plan_or_not = survey_route(request, context)
    if isinstance(plan_or_not, NoRoute):
        raise plan_or_not.refusal
    return plan_or_not


def survey_route(
    request: RouteRequest, context: RoutingContext, is_whole: bool = False
) -> RoutePlan | NoRoute:
    """The same with nothing kept from before, and with all that was found where nobody is left.

    `is_whole`: also with all that `auto` never looked at, since the catalogue alone rules it out.

    Raises NotFound, ModelRetired, InvalidRequest or Forbidden for names that mean nothing to the key.
    """
    required, preferences = request.required, request.preferences.narrowed_by(context.key)
    context.places = places_for(preferences, context.snapshot, context.key.team_id)
    choices, passed_over = resolve_models(request.names, required.endpoint, context)
    if any(choice.model and choice.model.members for choice in choices):
        choices = with_members(choices, passed_over, required, context)
    dropped: list[Dropped] = []
    ordering = ordering_of(request, choices, preferences, context)
    kept, more = _filtered(ordering, dropped)
    kept = _weighed(kept, required, context, dropped)
    if context.snapshot.credentials:
        kept = all_ways(kept, context, dropped)
    kept = kept or _spared(ordering, dropped)
    if not kept or is_whole:
        more = sum(_rule_out(choice, kept, dropped, ordering) for choice in choices)
    if not kept:
        refusal = _nowhere(choices, required, dropped, context, preferences)
        return NoRoute(refusal, tuple(dropped), tuple(choices), tuple(passed_over), context.draw)
    if len(kept) > 1:
        kept = _in_order(kept, ordering, dropped)
    plan = RoutePlan(
        kept[0].model,
        tuple(kept),
        tuple(dropped),
        tuple(choices),
        tuple(passed_over),
        context.draw,
        ordering.kept_at,
        choices[kept[0].rank].retired,
        request.names[0],
        more,
        varies=len(choices) > 1
        or bool(passed_over)
        or choices[0].model is None
        or choices[0].route is not None,
    )
    plan.is_told = bool(plan.varies or plan.retired or plan.model.deprecation_at)
    if len(kept) == 1 and not dropped and preferences is NO_PREFERENCES:
        _keep_lone(plan, request, context)
    return plan


def _filtered(ordering: Ordering, dropped: list[Dropped]) -> tuple[list[Candidate], int]:
    """Those of all choices that nothing stands against, and how many more `auto` could look at."""
    request, preferences, context = ordering.request, ordering.preferences, ordering.context
    kept: list[Candidate] = []
    more = 0
    for rank, choice in enumerate(ordering.choices):
        if choice.model is None:
            found, further = pick(choice, rank, ordering, dropped)
            kept, more = [*kept, *found], more + further
            continue
        for row in prospects_of(choice.model, request.required.endpoint, context.snapshot, context.at).rows:
            health = context.health_of(row.offering.id)
            candidate = row.candidate.of_call(rank, health)
            if reason := reason_against(row, choice, request, preferences, context, health):
                dropped.append(Dropped(candidate, reason))
            else:
                kept.append(candidate)
    return kept, more


def _once_each(kept: list[Candidate]) -> list[Candidate]:
    """Whoever may answer for several choices is tried once, where it comes first."""
    firsts: dict[Way, Candidate] = {}
    for candidate in kept:
        firsts.setdefault(candidate.way, candidate)
    return list(firsts.values())


def _keep_lone(plan: RoutePlan, request: RouteRequest, context: RoutingContext) -> None:
    """Unless something could come of it that its offering does not tell."""
    endpoint, choice, snapshot = request.required.endpoint, plan.choices[0], context.snapshot
    if choice.model is None or choice.retired or plan.varies or snapshot.credentials:
        return
    prospects = prospects_of(choice.model, endpoint, snapshot, context.at)
    if len(snapshot.prepared) > _MOST_PREPARED:
        snapshot.prepared.clear()
    row = prospects.rows[0]
    snapshot.prepared[request.names, endpoint, context.key.id] = Lone(
        context.key,
        row,
        prospects.since,
        prospects.until,
        plan,
        row.offering.streams,
        row.window or math.inf,
    )


def _rule_out(
    choice: ResolvedModel, kept: Sequence[Candidate], dropped: list[Dropped], ordering: Ordering
) -> int:
    """Drop what `auto` never looked at and could not have chosen. Returns how many more it could."""
    if choice.model:
        return 0
    request, context = ordering.request, ordering.context
    seen = {each.offering.id for each in (*kept, *(drop.candidate for drop in dropped))}
    endpoint = request.required.endpoint
    rows = (
        row
        for model in _open_models(context)
        for row in prospects_of(model, endpoint, context.snapshot, context.at).rows
        if row.offering.id not in seen
    )
    further = 0
    for row in rows:
        health = context.health_of(row.offering.id)
        if reason := reason_against(row, choice, request, ordering.preferences, context, health):
            dropped.append(Dropped(row.candidate, reason))
        else:
            further += 1
    return further


def _open_models(context: RoutingContext) -> Iterable[ModelFacts]:
    """Those that `auto` may choose from."""
    blocks = context.key.lifecycle_policy == LifecyclePolicy.BLOCK
    wanted = {Status.ACTIVE} if blocks else {Status.ACTIVE, Status.DEPRECATED}
    return (
        model
        for model in context.snapshot.models.values()
        if not model.members
        and context.key.may_call(model.id, model.aliases)
        and model.status(context.at) in wanted
    )


def _weighed(
    kept: list[Candidate], required: Requirements, context: RoutingContext, dropped: list[Dropped]
) -> list[Candidate]:
    """Those that can do all that is asked, with what each would lose of it."""
    is_weighed = required.call is not None and (len(kept) > 1 or required.requires_all)
    if not (is_weighed and operation_of(required.endpoint).may_lose(required)):
        return kept
    return [candidate for candidate in kept if weigh(candidate, required, context, dropped)]


def _spared(ordering: Ordering, dropped: list[Dropped]) -> list[Candidate]:
    """The best of those that their breakers alone keep out, if these may be spared."""
    broken = [drop for drop in dropped if drop.reason == BROKEN]
    found = spared([drop.candidate for drop in broken], ordering.context)
    found = _weighed(found, ordering.request.required, ordering.context, dropped)
    if found:
        ordering.sort(found)
        dropped[:] = [drop for drop in dropped if drop.candidate.offering is not found[0].offering]
    return found[:1]


def _in_order(kept: list[Candidate], ordering: Ordering, dropped: list[Dropped]) -> list[Candidate]:
    """Those that may be tried, the best first; of one offering for each choice, if the client wants, by whichever
    credentials.
    """
    ordering.sort(kept)
    if len(ordering.choices) > 1:
        kept = _once_each(kept)
    if ordering.context.snapshot.credentials:
        kept = few_own(kept)
    preferences = ordering.preferences
    if preferences.allows_fallbacks or preferences.order:
        return kept
    firsts: dict[int, OfferingFacts] = {}
    for candidate in kept:
        firsts.setdefault(candidate.rank, candidate.offering)
    others = [candidate for candidate in kept if candidate.offering is not firsts[candidate.rank]]
    dropped += [Dropped(candidate, "excluded:allow_fallbacks") for candidate in others]
    return [candidate for candidate in kept if candidate.offering is firsts[candidate.rank]]


def _nowhere(
    choices: Sequence[ResolvedModel],
    required: Requirements,
    dropped: Sequence[Dropped],
    context: RoutingContext,
    preferences: ProviderPreferences,
) -> GatewayError:
    """Why no offering is left of the first choice. A redirect that cannot be made is the retirement that it would have
    hidden.
    """
    first, health_of = choices[0], context.health_of
    of_first = [drop for drop in dropped if drop.candidate.rank == 0]
    named = first.model.id if first.model and first.retired else first.name
    name = f"No provider of model '{named}'" if first.model else "No model"
    refusal = _refused_by_operation(required, of_first, context) or no_candidate(
        name,
        required,
        {drop.reason for drop in of_first},
        max(map(_window, of_first), default=0),
        Unmet(
            [(drop.reason, drop.candidate.offering) for drop in of_first], required, preferences, context.at
        ),
        min(
            (health_of(each.candidate.way).pause_s for each in of_first if each.reason == BROKEN),
            default=math.inf,
        ),
    )
    if first.retired is None:
        return refusal
    return retired(first.retired, first.name, context, why=f" It could not be redirected: {refusal.message}")


def _window(drop: Dropped) -> int:
    candidate = drop.candidate
    return candidate.offering.context_length or candidate.model.context_length or 0


def _refused_by_operation(
    required: Requirements, dropped: Sequence[Dropped], context: RoutingContext
) -> GatewayError | None:
    """In the words of the first offering that could not do it; None where something else was in the way."""
    reason = cannot(required)
    for drop in dropped:
        if drop.reason.startswith(reason):
            refusal = drop.refusal or verdict_of(drop.candidate, required, context).refusal
            if refusal:
                return InvalidRequest(refusal.message, code=refusal.code, param=refusal.param)
    return None
