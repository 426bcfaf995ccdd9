"""Who would have answered recent calls by a named route as it is now, or as it is thought of, and at what cost."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b

from accounts.key_facts import read_facts
from accounts.keys import KeyFacts
from accounts.models import LedgerEntry
from catalogue.facts import ModelFacts, RouteMember
from catalogue.models import Model
from catalogue.pricing.rate_card import RateCards
from catalogue.published.content import member_facts
from catalogue.published.reading import read_now
from catalogue.published.snapshot import Snapshot
from catalogue.publishing.routes import compile_member
from gateway.proxy.errors import GatewayError
from gateway.proxy.routing.plan import plan_route
from gateway.proxy.routing.request import RouteRequest
from gateway.proxy.routing.resolve import RoutingContext
from gateway.proxy.routing.ways import Candidate
from providers.health import HealthStatus
from providers.operations.base import Requirements
from providers.wire.usage import Usage, counted

MOST_CALLS = 2_000
_WELL = HealthStatus(is_open=False, success_rate=1.0, latency_ms=None)
_SERVED = (LedgerEntry.Outcome.FINISHED, LedgerEntry.Outcome.CANCELLED)
_DRAWS = 2**48
NO_KEY = "their key is gone"
NO_USAGE = "nobody knows what they used"


@dataclass(slots=True)
class Share:
    """Of one model at one provider: calls and what they came to, as it was and in the trial."""

    model: str
    provider: str
    calls: int = 0
    cost_usd: Decimal = Decimal(0)
    calls_then: int = 0
    cost_then_usd: Decimal = Decimal(0)


@dataclass(slots=True)
class RouteTrial:
    """`left` are calls that could not be tried, and `refused` those that nobody would have answered, by the reason."""

    seen: int = 0
    shares: dict[tuple[str, str], Share] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def in_order(self) -> Sequence[Share]:
        return sorted(self.shares.values(), key=lambda share: (-share.calls_then, -share.calls, share.model))

    @property
    def cost_usd(self) -> Decimal:
        return sum((share.cost_usd for share in self.shares.values()), Decimal(0))

    @property
    def cost_then_usd(self) -> Decimal:
        return sum((share.cost_then_usd for share in self.shares.values()), Decimal(0))

    def share(self, model: str, provider: str) -> Share:
        return self.shares.setdefault((model, provider), Share(model, provider))


def members_of(route: Model) -> list[RouteMember]:
    """As its working rows say, published or not; of a route fetched by complete()."""
    return [member_facts(compile_member(member)) for member in route.members.all()]


def try_route(route: Model, members: Sequence[RouteMember], *, at: datetime, days: int) -> RouteTrial:
    """Of the last calls for the route or a member of it that were answered, at most MOST_CALLS.

    By what the ledger knows of them: their keys, endpoints, tokens, whether they were streamed; of what was in them it
    knows nothing, so conditions on tools and kinds of input are tried as for plain text. Every offering counts as well.
    The draw is each call's own, so that the same trial comes to the same.
    """
    snapshot = _with_members(read_now().snapshot, route, members)
    calls = _recent(route, members, at - timedelta(days=days))
    keys = {facts.id: facts for facts, _ in read_facts(pk__in={call.key_id for call in calls})}
    trial, cards = RouteTrial(seen=len(calls)), RateCards()
    for call in calls:
        key = keys.get(call.key_id)
        if key is None or not call.usage:
            _count(trial.left, NO_USAGE if key else NO_KEY)
            continue
        try:
            candidate = _first(call, route, key, snapshot, at)
        except GatewayError as refusal:
            _count(trial.refused, refusal.error_code)
            continue
        _add(trial, call, candidate, cards, at)
    return trial


def _with_members(snapshot: Snapshot, route: Model, members: Sequence[RouteMember]) -> Snapshot:
    """As if the route were published with those."""
    live = snapshot.models.get(route.public_id) or ModelFacts(route.public_id, route.name)
    models = {**snapshot.models, route.public_id: replace(live, members=tuple(members))}
    return Snapshot.of(models.values(), snapshot.providers, revision=snapshot.revision)


def _recent(route: Model, members: Iterable[RouteMember], since: datetime) -> Sequence[LedgerEntry]:
    rows = LedgerEntry.objects.attempts().filter(
        started_at__gte=since, outcome__in=_SERVED, requested_model__in=_names(route, members)
    )
    return list(rows.order_by("-started_at")[:MOST_CALLS])


def _names(route: Model, members: Iterable[RouteMember]) -> Collection[str]:
    return {
        route.public_id,
        *(alias.name for alias in route.aliases.all()),
        *(each.model_id for each in members),
    }


def _first(call: LedgerEntry, route: Model, key: KeyFacts, snapshot: Snapshot, at: datetime) -> Candidate:
    required = Requirements(call.endpoint, is_streamed=call.is_streamed, input_tokens=call.input_tokens or 0)
    # Ids that were minted together look much alike.
    draw = int.from_bytes(blake2b(call.call_id.bytes, digest_size=6).digest()) / _DRAWS
    context = RoutingContext(snapshot, key, at, lambda _way: _WELL, draw=draw)
    return plan_route(RouteRequest((route.public_id,), required), context).candidates[0]


def _add(trial: RouteTrial, call: LedgerEntry, candidate: Candidate, cards: RateCards, at: datetime) -> None:
    was = trial.share(call.model, call.provider)
    was.calls += 1
    was.cost_usd += call.cost_usd
    then = trial.share(candidate.model.id, candidate.offering.provider_slug)
    then.calls_then += 1
    card = cards.find(candidate.offering, at.timestamp())
    then.cost_then_usd += card.cost_usd(Usage(counted(**call.usage)))


def _count(reasons: dict[str, int], reason: str) -> None:
    reasons[reason] = reasons.get(reason, 0) + 1


def weighed(
    members: Sequence[RouteMember], weights: Mapping[int, tuple[int, int, int | None]]
) -> list[RouteMember]:
    """The members with other weights, tiers and canaries, by their places."""
    return [
        replace(member, weight=weights[place][0], tier=weights[place][1], canary_percent=weights[place][2])
        if place in weights
        else member
        for place, member in enumerate(members)
    ]
