"""What may be asked for a call, and by which credentials. Pure.

Offerings are tried by the team's own first that go before the operator's, whichever their provider, then by the
operator's, and last by the team's own that go after those.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType

from catalogue.facts import ModelFacts, OfferingFacts
from gateway.core.store.interface import REQUESTS
from gateway.proxy.routing.places import reason_against_way
from gateway.proxy.routing.resolve import RoutingContext
from gateway.proxy.routing.tariffs import Tariff
from providers.breaker import SPARING
from providers.facts import OPERATOR, CredentialFacts, Way
from providers.formats.base import TranslationError
from providers.formats.losses import Kind
from providers.health import HealthStatus

MOST_OWN = 3
"""Of a team's own that are tried for one call, beside the operator's."""
BROKEN = "breaker_open"
NONE_IN_FLIGHT: Mapping[int, int] = MappingProxyType({})
_FIRST, _AMONG_THE_OPERATORS, _LAST = -1, 0, 1


@dataclass(slots=True)
class Candidate:
    """`loss` is the worst kind of what it would lose of the request: see providers.formats.losses.

    `rank` tells for which of the plan's choices it stands: all of a lower one are tried before. `credential` is None
    where the provider's main one opens it. Of a rank, the lowest `turn` is tried first.
    """

    model: ModelFacts
    offering: OfferingFacts
    way: Way
    loss: Kind = Kind.NOTHING
    turn: int = _AMONG_THE_OPERATORS
    credential: CredentialFacts | None = None
    rank: int = 0
    tariff: Tariff | None = None
    """None where it is not known what it costs."""
    health: HealthStatus | None = None
    """As it was when its place in the order was found; None where there was nothing to order."""

    @property
    def is_own(self) -> bool:
        """A credential of the team's own opens it."""
        return self.credential is not None and self.credential.is_own

    def of_call(self, rank: int, health: HealthStatus) -> "Candidate":
        """A copy for one call. By hand: `replace` takes three times as long, and some calls need dozens."""
        return Candidate(
            self.model,
            self.offering,
            self.way,
            self.loss,
            self.turn,
            self.credential,
            rank,
            self.tariff,
            health,
        )

    def by(self, credential: CredentialFacts) -> "Candidate":
        """The same, opened by that one."""
        turn = _AMONG_THE_OPERATORS
        if credential.is_own:
            turn = _LAST if credential.place == "after" else _FIRST
        # A text is unknown to processes of before there were such ways: they pass it over.
        way = f"{self.offering.id}:{credential.id}"
        return replace(self, way=way, turn=turn, credential=credential, health=None)


@dataclass(frozen=True, slots=True)
class Dropped:
    """`refusal` is what it could not do of the request itself, where that was the reason."""

    candidate: Candidate
    reason: str
    refusal: TranslationError | None = None


def read_way(way: str) -> tuple[int, int]:
    """The ids of an offering and of a further credential."""
    offering_id, _, credential_id = way.partition(":")
    return int(offering_id), int(credential_id)


def is_reached_by_own(candidate: Candidate, context: RoutingContext) -> bool:
    """Whether the team has a credential of its own for it, whatever keeps the operator's out."""
    return bool(_own_of(candidate, context))


def is_reached_otherwise(candidate: Candidate, context: RoutingContext) -> bool:
    """The same by a further one of the operator, too."""
    return is_reached_by_own(candidate, context) or bool(_further_of(candidate, context))


def all_ways(candidates: list[Candidate], context: RoutingContext, dropped: list[Dropped]) -> list[Candidate]:
    """Each candidate by each credential that may open it, but for those whose breakers are open."""
    if not context.snapshot.credentials.keys() & {OPERATOR, context.key.team_id}:
        return candidates
    found = []
    for candidate in candidates:
        ways = ways_of(candidate, context)
        unbroken = _unbroken(ways, context)
        if not unbroken:
            dropped.append(Dropped(candidate, BROKEN if ways else _out_of_place(candidate, context)))
        elif len(unbroken) < len(ways):
            dropped += [Dropped(way, BROKEN) for way in ways if way not in unbroken]
        found += unbroken
    return found


def spared(broken: Iterable[Candidate], context: RoutingContext) -> list[Candidate]:
    """Those that were ejected for failures alone, for a call that has nobody else: an ejection must not refuse what it
    could serve. What a provider, its credential or staff keep out stays out.
    """
    has_credentials = bool(context.snapshot.credentials)
    ways = [way for each in broken for way in (ways_of(each, context) if has_credentials else [each])]
    for way in ways:
        way.health = context.health_of(way.way)
    return [way for way in ways if way.health and way.health.cause in SPARING]


def few_own(candidates: list[Candidate]) -> list[Candidate]:
    """In their order, with the first MOST_OWN of the team's own."""
    many = [candidate for candidate in candidates if candidate.is_own][MOST_OWN:]
    return [candidate for candidate in candidates if candidate not in many] if many else candidates


def ways_of(candidate: Candidate, context: RoutingContext) -> list[Candidate]:
    """It by each credential that may open it, whatever their breakers say."""
    every = _own_of(candidate, context)
    own = [candidate.by(each) for each in every if _is_in_place(each, candidate, context)]
    if any(each.place == "only" for each in every):
        return own
    return [*own, *_by_operators(candidate, context)]


def _by_operators(candidate: Candidate, context: RoutingContext) -> list[Candidate]:
    offering = candidate.offering
    is_unpriced = context.is_priced is not None and not context.is_priced(offering)
    if is_unpriced or not context.snapshot.providers[offering.provider_id].is_usable:
        return []
    further = [each for each in _further_of(candidate, context) if _is_in_place(each, candidate, context)]
    before = [each for each in further if each.place == "before"]
    after = [each for each in further if each.place != "before"]
    if len(further) > 1:
        in_flight = context.snapshot.in_flight
        before, after = (share_out(each, context.draw, in_flight) for each in (before, after))
    main = [candidate] if _is_in_place(None, candidate, context) else []
    return [*map(candidate.by, before), *main, *map(candidate.by, after)]


def share_out(
    credentials: list[CredentialFacts], draw: float, in_flight: Mapping[int, int] = NONE_IN_FLIGHT
) -> list[CredentialFacts]:
    """Those of one position share the calls: the least loaded comes first. Of those that are loaded alike each does for
    its part of what they may be sent together, and where not all say that, for as many as each other one. The others
    follow it in their order, round and round. `in_flight`: calls under way, by ids.
    """
    shared: list[CredentialFacts] = []
    for _, each in groupby(credentials, key=attrgetter("position")):
        group = list(each)
        first = _first_of(group, draw, in_flight) if len(group) > 1 else 0
        shared += [*group[first:], *group[:first]]
    return shared


def _first_of(group: list[CredentialFacts], draw: float, in_flight: Mapping[int, int]) -> int:
    weights = [_takes_per_second(one) for one in group]
    if not in_flight:
        return _drawn(weights, draw)
    sizes = weights if all(weights) else [1.0] * len(group)
    loads = [in_flight.get(one.id, 0) / size for one, size in zip(group, sizes, strict=True)]
    least = [index for index, load in enumerate(loads) if load == min(loads)]
    return least[_drawn([weights[index] for index in least], draw)]


def _drawn(weights: list[float], draw: float) -> int:
    if not all(weights):
        return int(draw * len(weights))
    left = draw * sum(weights)
    for index, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return index
    return len(weights) - 1


def _takes_per_second(credential: CredentialFacts) -> float:
    """Requests, by the narrowest of its quotas; 0 where none counts them."""
    quotas = [quota for quota in credential.quotas if quota.unit == REQUESTS and quota.window_s]
    return min((quota.amount / quota.window_s for quota in quotas), default=0.0)


def _unbroken(candidates: Iterable[Candidate], context: RoutingContext) -> list[Candidate]:
    return [each for each in candidates if not context.health_of(each.way).is_open]


def _is_in_place(credential: CredentialFacts | None, candidate: Candidate, context: RoutingContext) -> bool:
    """Whether its calls go where they may, and are handled as they have to be."""
    wanted = context.places
    return wanted is None or not reason_against_way(wanted, candidate.offering, credential)


def is_reached_in_place(candidate: Candidate, context: RoutingContext) -> bool:
    """Whether a further credential leads where calls may go, though the offering itself is elsewhere."""
    return any(way.credential is not None for way in ways_of(candidate, context))


def _out_of_place(candidate: Candidate, context: RoutingContext) -> str:
    """Of one that no credential leads to where its calls may go: a wish, if that alone is in the way of one."""
    further = [*_own_of(candidate, context), *_further_of(candidate, context), None]
    wanted = context.places
    reasons = [reason_against_way(wanted, candidate.offering, each) for each in further] if wanted else []
    return max(filter(None, reasons), key=lambda reason: reason.startswith("excluded:"), default=BROKEN)


def _own_of(candidate: Candidate, context: RoutingContext) -> list[CredentialFacts]:
    if context.counts_own and context.is_priced and not context.is_priced(candidate.offering):
        return []
    return _covering(candidate, context, context.key.team_id)


def _further_of(candidate: Candidate, context: RoutingContext) -> list[CredentialFacts]:
    return _covering(candidate, context, OPERATOR)


def _covering(candidate: Candidate, context: RoutingContext, team_id: int) -> list[CredentialFacts]:
    there = context.snapshot.credentials_of(team_id, candidate.offering.provider_id)
    names = (candidate.model.id, *candidate.model.aliases)
    return [each for each in there if each.covers(names, context.key.lineage_id)]
