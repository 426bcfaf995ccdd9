"""The offerings of a plan, found in the process that makes the call, and tried one by one."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, ClassVar

from accounts.attempts import AttemptOpened
from catalogue.facts import ModelFacts, OfferingFacts
from catalogue.published.snapshot import Snapshot
from gateway.core.envelopes import CONTEXT_EXCEEDED
from gateway.core.store.interface import Limit
from gateway.proxy.fallbacks import cause_of, takes_more
from gateway.proxy.health_sharing import LEASE_S
from gateway.proxy.patience import Patience, limits_for
from gateway.proxy.ports import Snapshots
from gateway.proxy.retries import RetryBudget, pause_before
from gateway.proxy.routing.ways import read_way
from gateway.proxy.settle import Bill, Payer, settle
from providers.adapters.base import Adapter
from providers.engine import Timeouts
from providers.facts import OPERATOR, CredentialFacts, ProviderFacts, Way
from providers.formats.searches import METER
from providers.health import HealthTable
from providers.operations.registry import ADAPTED_BY_BODY, serves
from providers.wire.call import Call
from providers.wire.failure import POOL_FULL, FailureKind, UpstreamFailure
from providers.wire.upstream import Upstream
from providers.wire.usage import Costing, Usage

Quotas = tuple[Limit, ...]

Adapters = Callable[[Call, ProviderFacts], Adapter]

MOST_ATTEMPTS = 3
_SNAPSHOT_WAIT_S, _SNAPSHOT_LOOK_S = 2.0, 0.02
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Terms:
    """On which calls of one kind are made at a target."""

    limits: Timeouts
    """How long an answer is waited for."""
    upstream: Upstream
    """What has to be known of it to ask."""
    issuer: str
    adapter: Adapter | None
    """None where it hangs on what each call asks for."""


@dataclass(frozen=True, slots=True)
class Target:
    """One offering of the plan, found in this process' snapshot. `provider` is as the credential opens it.

    By a provider's main credential it is the same for all calls of an endpoint, for as long as the snapshot lives.
    """

    model: ModelFacts
    offering: OfferingFacts
    provider: ProviderFacts
    way: Way
    is_bare: bool = False
    """It has refused what proves reasoning, and is asked once more without."""
    credential: CredentialFacts | None = None
    """None: the provider's main one."""
    fell_back: str = ""
    """For which trouble with the request it stands in for another model."""
    quotas: Quotas = ()
    """The operator's own limits that an attempt there is held to."""
    _terms: dict[Any, Terms] = field(init=False, repr=False, compare=False, default_factory=dict)
    """By what of a call they depend on."""
    counts: ClassVar[int] = 1
    """Among the MOST_ATTEMPTS."""
    is_own: ClassVar[bool] = False
    """The team pays the provider itself."""
    bill = staticmethod(settle)
    """What an attempt there costs, and whom."""

    def terms(self, call: Call, base: Timeouts, adapters: Adapters) -> Terms:
        """Raises KeyError as `adapters` does."""
        kind = call.format, call.is_streamed, call.asks_reasoning, call.may_search_elsewhere
        found = self._terms.get(kind)
        if found is None:
            provider = self.provider
            found = self._terms[kind] = Terms(
                limits_for(base, call, self.offering, provider),
                self._upstream(call),
                provider.issuer,
                adapters(call, provider) if provider.quirks.isdisjoint(ADAPTED_BY_BODY) else None,
            )
        return found

    def _upstream(self, call: Call) -> Upstream:
        offering = self.offering
        return Upstream(
            name=offering.upstream_name,
            is_streamed=call.is_streamed,
            params=offering.params,
            max_output_tokens=offering.max_output_tokens or self.model.max_output_tokens,
            quirks=self.provider.quirks,
            drops_proofs=self.is_bare,
            searches=call.may_search_elsewhere and offering.has_price_for(METER),
        )

    def costing(self, costs: Costing, /) -> Costing:
        """What the client is told that it costs."""
        return costs

    def sign(self, opened: AttemptOpened) -> None:
        """Name the credential, which is a further one."""
        if self.credential:
            opened.operator_credential_id = self.credential.id

    def judge(self, failure: UpstreamFailure) -> UpstreamFailure:
        """Whom a failure there concerns."""
        return failure


class OwnTarget(Target):
    """By a credential of the team's own, which pays the provider itself: at no cost here, and beside our quotas."""

    __slots__ = ()

    counts = 0
    is_own = True

    @staticmethod
    def bill(payer: Payer, reported: Usage | None, estimate: Usage | None, cost_usd: Costing) -> Bill:
        return settle(payer, reported, estimate, cost_usd).on_own()

    def costing(self, _costs: Costing, /) -> Costing:
        return _nothing

    def sign(self, opened: AttemptOpened) -> None:
        if self.credential:
            opened.own_credential_id = self.credential.id

    def judge(self, failure: UpstreamFailure) -> UpstreamFailure:
        if failure.about_us and self.credential:
            failure.blame(
                f"{self.provider.name} refuses your team's own credential '{self.credential.label}', "
                "or its account. An owner of the team can replace it."
            )
        return failure


def quotas_of(
    offering: OfferingFacts, provider: ProviderFacts, credential: CredentialFacts | None = None
) -> Quotas:
    """The operator's own limits there, by its main credential or that one."""
    by = credential.quotas if credential else ()
    return (*provider.quotas, *offering.quotas, *by) if provider.quotas or offering.quotas or by else ()


def _nothing(_: Usage) -> Decimal:
    return Decimal(0)


class Targets:
    """The plan's offerings one by one, as far as their breakers let calls through.

    At most MOST_ATTEMPTS, besides those by credentials of the team's own.
    """

    _fell_back = ""
    _has_failed = False
    waited_s = 0.0
    """For what other calls found out, before the first attempt."""
    _taken = 0
    _current: Target | None = None
    _next: Target | None = None
    _unclaimed: Target | None = None
    _passed: Sequence[Target] = ()
    """Those whose breakers let nothing through when it was their turn."""

    def __init__(
        self,
        planned: Sequence[Target],
        health: HealthTable,
        retries: RetryBudget,
        patience: Patience,
        fallback_on: Collection[str] = (),
    ) -> None:
        """`fallback_on`: see gateway.proxy.fallbacks."""
        self._planned = planned
        self._rest = iter(planned)
        self._health = health
        self._retries = retries
        self._patience = patience
        self._fallback_on = fallback_on
        self.withheld: list[Way] = []
        """Those that were given enough of others' failures already."""

    def may_follow(self, failure: UpstreamFailure) -> bool:
        """Whether another one may be tried after the current one failed so; takes the next one's slot."""
        if failure.kind is FailureKind.CALLER:
            cause = cause_of(failure)
            if cause in self._fallback_on:
                return self._falls_back(cause)
            return failure.refuses_proofs and self._repeat()
        if self._patience.left_s <= 0 or (
            failure.kind is FailureKind.TIMEOUT and not self._patience.has_room
        ):
            return False
        if failure.code == POOL_FULL:
            # There is no room for a call to anybody else either.
            return False
        self._has_failed = True
        self._next = self._next or self._find_next()
        return self._next is not None

    def pause_after(self, failure: UpstreamFailure, draw: float) -> float:
        """Seconds before the next one is tried."""
        before, after = self._current, self._next
        is_same = before is not None and after is not None and before.provider.id == after.provider.id
        return pause_before(failure, is_same_provider=is_same, left_s=self._patience.left_s, draw=draw)

    def advance(self) -> Target | None:
        """The next one; None where there is none."""
        target = self._next or self._find_next()
        if target is None:
            return None
        self._next = None
        if self._fell_back:
            target = replace(target, fell_back=self._fell_back)
        self._current = target
        self._taken += target.counts
        return target

    async def find_out(
        self, claim: Callable[[Way], Awaitable[None]], longest_wait_s: float = 0.0
    ) -> Target | None:
        """The next one, once it is known whether this call may try those that are half-open.

        A call that could try nobody waits for what another one finds out, for so long.
        """
        until = time.monotonic() + min(longest_wait_s, self._patience.left_s)
        while self._unclaimed or (self._current is None and await self._may_be_well(until)):
            if target := self._unclaimed:
                self._unclaimed = None
                await claim(target.way)
                if self._health.admits(target.way, time.monotonic()):
                    self._next = target
                else:
                    self._passed = [*self._passed, target]
            if following := self.advance():
                return following
        return None

    def pause_s(self, at: float) -> float | None:
        """For how long the breakers keep everybody out who was passed over: 0.0 where one may be well at any moment,
        infinite where nobody knows, None where no breaker was in the way.
        """
        broken = [each.way for each in self._passed if each.way in self._health.broken]
        return min((self._health.pause_s(way, at) for way in broken), default=None)

    async def _may_be_well(self, until: float) -> bool:
        """Wait while others find out about those that were passed over; whether one of these can be asked again."""
        health = self._health
        while (now := time.monotonic()) < until:
            may_be = [each for each in self._passed if not health.pause_s(each.way, now)]
            if not all(health.is_found_out(each.way, now) for each in may_be):
                self._rest, self._passed = iter(self._passed), ()
                return True
            if not may_be:
                return False
            await asyncio.sleep(_LOOK_S)
            self.waited_s += time.monotonic() - now
        return False

    def _repeat(self) -> bool:
        """The same one again, once."""
        current = self._current
        if self._next is None and current and not current.is_bare and self._taken < MOST_ATTEMPTS:
            self._next = replace(current, is_bare=True)
        return self._next is not None

    def _falls_back(self, cause: str) -> bool:
        """Whether another model may be asked for this trouble, which is none of a provider's.

        Never one whose breaker is not closed: the client's own refusal says more than the failure of a sick one.
        """
        before = self._current
        if self._next is None and before is not None:
            for target in self._rest:
                if target.way in self._health.broken or not _may_stand_in(target, before, cause):
                    continue
                if self._taken < MOST_ATTEMPTS or not target.counts:
                    self._fell_back, self._next = cause, target
                    break
        return self._next is not None

    def _find_next(self) -> Target | None:
        now = time.monotonic()
        takes = self._takes if self._has_failed else self._health.admits
        for target in self._rest:
            if (self._taken < MOST_ATTEMPTS or not target.counts) and takes(target.way, now):
                return target
            if not self._has_failed and self._health.may_claim(target.way, now):
                self._unclaimed = target
                return None
            self._passed = [*self._passed, target]
        return self._spared(now) if self._current is None else self._half_open(now)

    def _half_open(self, now: float) -> Target | None:
        """One that may be well again, where all others failed and no call is known to find that out."""
        for target in self._passed:
            may_try = target.way not in self.withheld and self._health.may_claim(target.way, now)
            if may_try and (self._taken < MOST_ATTEMPTS or not target.counts):
                # Its process claims the lease while the call lasts.
                self._health.lease(target.way, now + LEASE_S)
                self._passed = [each for each in self._passed if each is not target]
                return target if self._takes(target.way, now) else None
        return None

    def _spared(self, now: float) -> Target | None:
        """One that failed so often that it is left alone, where there is nobody else."""
        admits = self._health.admits
        found = next((each for each in self._planned if admits(each.way, now, is_only=True)), None)
        self._passed = [each for each in self._passed if each is not found]
        return found

    def _takes(self, way: Way, now: float) -> bool:
        """Whether a call that failed elsewhere may go there."""
        if not self._retries.allows(way, now):
            self.withheld.append(way)
            return False
        is_admitted = self._health.admits(way, now)
        if is_admitted:
            self._retries.take(way, now)
        return is_admitted


def _may_stand_in(target: Target, before: Target, cause: str) -> bool:
    """Another model; for a prompt that is too long, with a longer window."""
    if target.model.id == before.model.id:
        return False
    return cause != CONTEXT_EXCEEDED or takes_more(
        target.model, target.offering, before.model, before.offering
    )


async def find_targets(snapshots: Snapshots, call: Call) -> Sequence[Target]:
    snapshot = snapshots.current
    if snapshot.revision < call.revision:
        snapshot = await _wait_for(snapshots, call.revision)
    endpoint, prepared = call.endpoint, snapshot.prepared
    return [
        target
        for way in call.offering_ids
        if (target := prepared.get((Target, endpoint, way)) or _find_target(snapshot, way, call))
    ]


async def _wait_for(snapshots: Snapshots, revision: int) -> Snapshot:
    """The first one of that revision or later; the current one where that takes too long."""
    deadline = time.monotonic() + _SNAPSHOT_WAIT_S
    while snapshots.current.revision < revision and time.monotonic() < deadline:
        await asyncio.sleep(_SNAPSHOT_LOOK_S)
    return snapshots.current


def _find_target(snapshot: Snapshot, way: Way, call: Call) -> Target | None:
    found = snapshot.offering(way)
    if found is None:
        return _find_by_credential(snapshot, way, call) if isinstance(way, str) else None
    model, offering = found
    provider = snapshot.providers.get(offering.provider_id)
    # Switched off between planning and here: the switch wins. So does a wire format that was changed.
    if provider is None or not (provider.is_enabled and provider.is_usable and offering.is_enabled):
        return None
    if not serves(provider.wire_format, call.endpoint):
        return None
    target = Target(model, offering, provider, way, quotas=quotas_of(offering, provider))
    snapshot.prepared[Target, call.endpoint, way] = target
    return target


def _find_by_credential(snapshot: Snapshot, way: str, call: Call) -> Target | None:
    """None too where the credential was taken away meanwhile, or is another team's."""
    offering_id, credential_id = read_way(way)
    found = snapshot.offering(offering_id)
    if found is None:
        return None
    model, offering = found
    provider = snapshot.providers.get(offering.provider_id)
    if provider is None or not provider.is_enabled or not offering.is_enabled:
        return None
    there = (
        each
        for team_id in (call.team_id, OPERATOR)
        for each in snapshot.credentials_of(team_id, provider.id)
        if each.id == credential_id
    )
    credential = next(there, None)
    if credential is None or not serves(provider.wire_format, call.endpoint):
        return None
    base_url = credential.base_url or provider.base_url
    if not base_url:
        return None
    opened = replace(provider, secret=credential.secret, base_url=base_url, is_usable=True)
    if credential.is_own:
        # Quotas of ours are beside it.
        return OwnTarget(model, offering, opened, way, credential=credential)
    quotas = quotas_of(offering, provider, credential)
    return Target(model, offering, opened, way, credential=credential, quotas=quotas)
