"""In which order candidates are tried. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalogue.facts import OfferingFacts
from catalogue.pricing.rate_card import rate_card_of
from gateway.proxy.routing.names import LATENCY, PRICE, THROUGHPUT
from gateway.proxy.routing.preferences import ProviderPreferences
from gateway.proxy.routing.request import RouteRequest
from gateway.proxy.routing.resolve import ResolvedModel, RoutingContext
from gateway.proxy.routing.ways import Candidate
from providers.facts import Way
from providers.health import HealthStatus
from providers.operations.registry import operation_of
from providers.wire.usage import Usage, counted

Key = tuple[object, ...]
LIKELY_OUTPUT_TOKENS = 1_024
"""That a call is estimated to cost, where its client allows no fewer."""
_SICK_BELOW = 0.75
"""Of recent success, where nobody named the model: another one does as well."""
_UNTIMED_MS = 1_500.0
"""Taken for the latency of what nobody has timed."""
_NEAR = math.log(1.5)
"""What is within this factor is nearly equal."""
_UNPRICED = math.inf
_TIERS: Mapping[str, Mapping[str | None, int]] = {
    effort: {tier: place for place, tier in enumerate(order)}
    for effort, order in {
        "": ("medium", "low", None, "high"),
        "low": ("low", None, "medium", "high"),
        "medium": ("medium", "high", "low", None),
        "high": ("high", "medium", "low", None),
    }.items()
}
"""The order of page B's system; a model that does not reason comes after those that do so little."""


@dataclass(slots=True)
class Ordering:
    """By what the candidates of one call are ordered."""

    request: RouteRequest
    choices: Sequence[ResolvedModel]
    preferences: ProviderPreferences
    context: RoutingContext
    kept_at: Way | None
    """The way that holds the cache of the prompt's beginning."""

    def sort(self, candidates: list[Candidate]) -> None:
        """In place, the best first."""
        for candidate in candidates:
            candidate.health = self.context.health_of(candidate.way)
        candidates.sort(key=self.key)

    def key(self, candidate: Candidate) -> Key:
        """Smaller is better. Before all: the choice, the team's own credentials, and the client's order."""
        choice = self.choices[candidate.rank]
        provider = self.context.snapshot.providers[candidate.offering.provider_id]
        order = self.preferences.rank(provider.slug) if self.preferences.order else 0
        is_unhealthy = provider.health == "unhealthy"
        rest = self._named if choice.model else self._any
        # Members of a route keep the order that curators gave them.
        rank = 0 if self.preferences.sorts_all and choice.route is None else candidate.rank
        return (rank, candidate.turn, order, *rest(candidate, choice, is_unhealthy))

    def _named(self, candidate: Candidate, choice: ResolvedModel, is_unhealthy: bool) -> Key:
        """Then what probes say, what is lost, the client's wishes, the kept prompt, recent success, the curator's order
        and speed. Success rates a tenth apart are noise: then the curator's order decides.
        """
        offering, health = candidate.offering, _health(candidate)
        return (
            is_unhealthy,
            candidate.loss,
            self._is_slow(candidate),
            self._wish(candidate, choice),
            self._moves(candidate, health),
            -round(health.success_rate, 1),
            offering.position,
            health.latency_ms or 0.0,
            offering.id,
        )

    def _any(self, candidate: Candidate, choice: ResolvedModel, is_unhealthy: bool) -> Key:
        """Of `auto`: the sick last; then losses, wishes, level of reasoning, kept prompt, and what is nearly equal."""
        offering, health = candidate.offering, _health(candidate)
        return (
            is_unhealthy or health.success_rate < _SICK_BELOW,
            candidate.loss,
            self._is_slow(candidate),
            self._wish(candidate, choice),
            _TIERS[self.request.reasoning_effort].get(candidate.model.reasoning_tier, 2),
            self._moves(candidate, health),
            *self._nearly(candidate, health),
            health.latency_ms or _UNTIMED_MS,
            offering.position,
            offering.id,
        )

    def _nearly(self, candidate: Candidate, health: HealthStatus) -> tuple[float, float, float, float]:
        """Health, headroom, latency and price, in steps: within one of them candidates share."""
        headroom_of = self.context.headroom_of
        headroom = headroom_of(candidate.offering) if headroom_of else 1.0
        return (
            -round(health.success_rate, 1),
            -math.ceil(headroom * 4),
            _step(health.latency_ms or _UNTIMED_MS),
            _step(self.cost_usd(candidate.offering)),
        )

    def _is_slow(self, candidate: Candidate) -> bool:
        tally_of = self.context.tally_of
        return tally_of is not None and self.preferences.is_slower(tally_of(candidate.way))

    def _wish(self, candidate: Candidate, choice: ResolvedModel) -> float:
        """By the suffix of the model's name, or the client's `provider.sort`; 0.0 where neither says anything."""
        sort, health = choice.sort or self.preferences.sort, _health(candidate)
        if sort == PRICE:
            return self.cost_usd(candidate.offering, is_kept=candidate.way == self.kept_at)
        if sort == LATENCY:
            return getattr(health, "first_token_ms", None) or health.latency_ms or math.inf
        return -(getattr(health, "tokens_per_s", None) or 0.0) if sort == THROUGHPUT else 0.0

    def _moves(self, candidate: Candidate, health: HealthStatus) -> bool:
        """Whether the kept beginning of its prompt would be lost there, as far as one is worth keeping."""
        if self.kept_at is None:
            return False
        return candidate.way != self.kept_at or health.success_rate < _SICK_BELOW

    def cost_usd(self, offering: OfferingFacts, *, is_kept: bool = False) -> float:
        """What the call is estimated to cost there; infinite where that is unknown."""
        card = rate_card_of(offering, self.context.at.timestamp())
        if not card.has_prices:
            return _UNPRICED
        tokens = self.request.required.input_tokens
        counts = counted(
            input_tokens=tokens,
            cached_read_tokens=tokens if is_kept else 0,
            output_tokens=self._output_tokens(),
        )
        return float(card.standard.cost_usd(Usage(counts)))

    def _output_tokens(self) -> int:
        call = self.request.required.call
        most = operation_of(call.endpoint).most_output_tokens(call) if call else None
        return LIKELY_OUTPUT_TOKENS if most is None else min(most, LIKELY_OUTPUT_TOKENS)


def ordering_of(
    request: RouteRequest,
    choices: Sequence[ResolvedModel],
    preferences: ProviderPreferences,
    context: RoutingContext,
) -> Ordering:
    mark = request.prompt_mark
    kept_at = context.affinity(mark) if mark is not None and context.affinity else None
    return Ordering(request, choices, preferences, context, kept_at)


def lead_by_draw(nearly_equal: list[Candidate], draw: float) -> None:
    """Put the better of two that the draw chooses first: so all take part, and the best the most."""
    count = len(nearly_equal)
    place = draw * count
    first = int(place)
    lead = nearly_equal.pop(min(first, int((place - first) * count)))
    nearly_equal.insert(0, lead)


def _step(value: float) -> float:
    """The same for what is nearly equal."""
    return (
        math.floor(math.log(value) / _NEAR) if 0.0 < value < math.inf else (value and math.inf) or -math.inf
    )


def _health(candidate: Candidate) -> HealthStatus:
    assert candidate.health  # noqa: S101  # what is ordered has been looked at
    return candidate.health
