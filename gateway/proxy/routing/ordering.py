"""In which order candidates are tried. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from gateway.proxy.routing.names import LATENCY, PRICE
from gateway.proxy.routing.preferences import NO_PREFERENCES, ProviderPreferences
from gateway.proxy.routing.request import RouteRequest
from gateway.proxy.routing.resolve import ResolvedModel, RoutingContext
from gateway.proxy.routing.tariffs import Tariff
from gateway.proxy.routing.ways import Candidate
from providers.facts import ProviderFacts, Way
from providers.health import HealthStatus
from providers.operations.registry import operation_of

Key = tuple[object, ...]
Nearness = tuple[int, int, float, float, float, int, int]
"""Success, headroom, latency and price, in steps; then latency, the curator's order and the id. Smaller is better."""
_UNTIL_NEAR = 13
"""So many of a key's parts are the same for candidates of `auto` that are nearly equal: down to the price's step."""
_UNSEEN = HealthStatus(is_open=False, success_rate=1.0, latency_ms=None)
_LIKELY_OUTPUT_TOKENS = 1_024
"""That a call is estimated to cost, where its client allows no fewer."""
_USUAL_TOKENS = (3_072, 1_024)
"""For prices that are compared whatever is asked: three parts of input to one of output, as lists have it."""
_SICK_BELOW = 0.75
"""Of recent success, where nobody named the model: another one does as well."""
_UNTIMED_MS = 1_500.0
"""Taken for the latency of what nobody has timed."""
_NEAR = math.log(1.5)
"""What is within this factor is nearly equal."""
TIERS: Mapping[str, Mapping[str | None, int]] = {
    effort: {tier: place for place, tier in enumerate(order)}
    for effort, order in {
        "": ("medium", "low", None, "high"),
        "low": ("low", None, "medium", "high"),
        "medium": ("medium", "high", "low", None),
        "high": ("high", "medium", "low", None),
    }.items()
}
"""By the effort that is asked for, the place of each level; a model that does not reason follows those that do so
little.
"""


@dataclass(slots=True)
class Ordering:
    """By what the candidates of one call are ordered."""

    request: RouteRequest
    choices: Sequence[ResolvedModel]
    preferences: ProviderPreferences
    context: RoutingContext
    kept_at: Way | None
    """The way that holds the cache of the prompt's beginning."""
    _output_tokens: int = -1

    def sort(self, candidates: list[Candidate]) -> None:
        """In place, the best first. Where `auto` chooses, those that are nearly as good as the best share with it."""
        health_of = self.context.health_of
        for candidate in candidates:
            candidate.health = candidate.health or health_of(candidate.way)
        key_of = self._key if self._has_wishes() else self._plain_key
        keyed = [(key_of(candidate), candidate) for candidate in candidates]
        keyed.sort(key=itemgetter(0))
        candidates[:] = [candidate for _, candidate in keyed]
        if self.choices[candidates[0].rank].model is None:
            best = keyed[0][0][:_UNTIL_NEAR]
            _lead_by_draw(candidates, sum(key[:_UNTIL_NEAR] == best for key, _ in keyed), self.context.draw)

    def _has_wishes(self) -> bool:
        """Whether more is to be looked at than is of a model that is named and nothing else."""
        choice = self.choices[0]
        is_plain = len(self.choices) == 1 and choice.model is not None and not choice.sort
        return not is_plain or self.preferences is not NO_PREFERENCES or self.kept_at is not None

    def _plain_key(self, candidate: Candidate) -> Key:
        """What `_key` comes to where nothing is wished."""
        offering, health = candidate.offering, candidate.health or _UNSEEN
        return (
            candidate.turn,
            self.context.snapshot.providers[offering.provider_id].health == "unhealthy",
            candidate.loss,
            -_tenths(health.success_rate),
            offering.position,
            health.latency_ms or 0.0,
            offering.id,
        )

    def _key(self, candidate: Candidate) -> Key:
        """Smaller is better: the choice, the team's own credentials, the client's order, the sick last, what is lost,
        and the client's other wishes. Then what tells one from another where nothing of that does.
        """
        choice, offering, health = (
            self.choices[candidate.rank],
            candidate.offering,
            candidate.health or _UNSEEN,
        )
        provider = self.context.snapshot.providers[offering.provider_id]
        order = self.preferences.rank(provider.slug) if self.preferences.order else 0
        named = choice.model is not None
        return (
            # Members of a route keep the order that curators gave them.
            0 if self.preferences.sorts_all and choice.route is None else candidate.rank,
            candidate.turn,
            order,
            provider.health == "unhealthy" if named else is_sick(provider, health),
            candidate.loss,
            self._is_slow(candidate),
            self.wish_for(candidate, choice, health) if self.sort_of(choice) else 0.0,
            *(self._named(candidate, health) if named else self._any(candidate, health)),
        )

    def _named(self, candidate: Candidate, health: HealthStatus) -> Key:
        """The kept prompt, recent success, the curator's order and speed. Success rates a tenth apart are noise: then
        the curator's order decides.
        """
        offering = candidate.offering
        return (
            self._moves(candidate, health),
            -_tenths(health.success_rate),
            offering.position,
            health.latency_ms or 0.0,
            offering.id,
        )

    def _any(self, candidate: Candidate, health: HealthStatus) -> Key:
        """Of `auto`: the level of reasoning, the kept prompt, and what is near."""
        headroom_of = self.context.headroom_of
        headroom = headroom_of(candidate.offering) if headroom_of else 1.0
        return (
            TIERS[self.request.reasoning_effort].get(candidate.model.reasoning_tier, len(TIERS)),
            self._moves(candidate, health),
            *nearness(candidate, health, headroom, self.cost_usd(candidate.tariff)),
        )

    def sort_of(self, choice: ResolvedModel) -> str:
        """What is wished by the model's suffix, or the client's `provider.sort`."""
        return choice.sort or self.preferences.sort

    def wish_for(self, candidate: Candidate, choice: ResolvedModel, health: HealthStatus) -> float:
        """Smaller is better; what nobody knows of comes last."""
        sort = self.sort_of(choice)
        if sort == PRICE:
            return self.cost_usd(candidate.tariff, is_cached=candidate.way == self.kept_at)
        if sort == LATENCY:
            return health.first_token_ms or health.latency_ms or math.inf
        # Of those that nobody has measured, the sooner.
        return -health.tokens_per_s if health.tokens_per_s else (health.latency_ms or _UNTIMED_MS) / 1e6

    def _is_slow(self, candidate: Candidate) -> bool:
        """Whether it is not known to be as fast as the client prefers."""
        tally_of = self.context.tally_of
        return tally_of is not None and self.preferences.is_slower(tally_of(candidate.way))

    def _moves(self, candidate: Candidate, health: HealthStatus) -> bool:
        """Whether the kept beginning of its prompt would be lost there, as long as the one that has it does well."""
        if self.kept_at is None:
            return False
        return candidate.way != self.kept_at or health.success_rate < _SICK_BELOW

    def cost_usd(self, tariff: Tariff | None, *, is_cached: bool = False) -> float:
        """What the call is estimated to cost; infinite where that is unknown."""
        if tariff is None:
            return math.inf
        if self._output_tokens < 0:
            call = self.request.required.call
            most = operation_of(call.endpoint).most_output_tokens(call) if call else None
            self._output_tokens = _LIKELY_OUTPUT_TOKENS if most is None else min(most, _LIKELY_OUTPUT_TOKENS)
        return tariff.cost_usd(self.request.required.input_tokens, self._output_tokens, is_cached=is_cached)


def ordering_of(
    request: RouteRequest,
    choices: Sequence[ResolvedModel],
    preferences: ProviderPreferences,
    context: RoutingContext,
) -> Ordering:
    mark = request.prompt_mark
    kept_at = context.affinity(mark) if mark is not None and context.affinity else None
    return Ordering(request, choices, preferences, context, kept_at)


def is_sick(provider: ProviderFacts | None, health: HealthStatus) -> bool:
    """Of what nobody asked for by name: another one does as well."""
    return health.success_rate < _SICK_BELOW or (provider is not None and provider.health == "unhealthy")


def nearness(candidate: Candidate, health: HealthStatus, headroom: float, cost_usd: float) -> Nearness:
    latency_ms = health.latency_ms or _UNTIMED_MS
    return (
        -_tenths(health.success_rate),
        -math.ceil(headroom * 4),
        _step(latency_ms),
        _step(cost_usd),
        latency_ms,
        candidate.offering.position,
        candidate.offering.id,
    )


def usual_cost_usd(tariff: Tariff | None) -> float:
    return math.inf if tariff is None else tariff.cost_usd(*_USUAL_TOKENS)


def _tenths(rate: float) -> int:
    return int(rate * 10 + 0.5)


def _step(value: float) -> float:
    """The same for what is nearly equal."""
    if value <= 0.0 or value == math.inf:
        return math.copysign(math.inf, value - 1.0)
    return math.floor(math.log(value) / _NEAR)


def _lead_by_draw(candidates: list[Candidate], count: int, draw: float) -> None:
    """Of the first so many, the better of two that the draw chooses leads: all take part, and the best the most."""
    place = draw * count
    first = int(place)
    candidates.insert(0, candidates.pop(min(first, int((place - first) * count))))
