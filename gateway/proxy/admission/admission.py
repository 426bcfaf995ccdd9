"""Lets calls in, and puts right what they took once it is known. One for each process, on its loop."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from random import random
from typing import Protocol

from accounts.attempts import OWNERS
from accounts.budgets import SubjectBudgets
from accounts.keys import KeyFacts
from accounts.rules import CallRules, KeyRules, Rules
from accounts.subjects import counts_own
from catalogue.facts import OfferingFacts
from catalogue.pricing.rate_card import RateCards
from catalogue.published.snapshot import Snapshot
from gateway.core.store.interface import Ask, Limit, Standing, Store, Tokens, Verdict, WindowLimit
from gateway.proxy.admission.growth import Growth
from gateway.proxy.admission.holds import Holds
from gateway.proxy.admission.sizes import UNKNOWN, AnswerSizes
from gateway.proxy.errors import Unavailable
from gateway.proxy.gate import LONGEST_WAIT_S
from gateway.proxy.routing.ways import MOST_OWN, Candidate
from gateway.proxy.targets import MOST_ATTEMPTS, Quotas, quotas_of
from providers.facts import ProviderFacts
from providers.operations.registry import operation_of
from providers.wire.call import Call
from providers.wire.estimate import estimate_input_tokens
from providers.wire.usage import Costing

ADMITTED = Verdict(is_admitted=True)
MOST_ASKED = 64
"""Candidates that are asked whether they have room: no call comes so far down its plan."""
_MOST_TRIED = MOST_ATTEMPTS + MOST_OWN
_WAIT_FOR_OTHERS_S = 5.0
"""Until every process has told a store that lost its data again."""
_WORTH_INSISTING = frozenset({"unknown", "held", "lost"})
_LOOK_S = 0.1
_MOST_LEARNED = 3
_OWNERS, _NOBODY = tuple(OWNERS.values()), (0,) * len(OWNERS)


class Rulebook(Protocol):
    """The limits and budgets in force, changed as a whole."""

    @property
    def current(self) -> Rules: ...


class Bases(Protocol):
    @property
    def spent_providers(self) -> Set[str]:
        """The slugs of those that have spent one of their budgets, as SQL had it within the last second."""

    async def learn(self, budgets: Sequence[SubjectBudgets]) -> None:
        """Tell the store what SQL has as spent in their windows now. Nothing where SQL does not answer."""

    def refused_while_held(self, subject: str, window: WindowLimit) -> None:
        """A call was refused because running ones hold what is left there: somebody may have to hear of it."""


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """Of one budget in its window now, in 10⁻¹⁰ USD. `spent` is None where the store does not know it yet."""

    subject: str
    window: WindowLimit
    spent: int | None
    held: int


class Admission:
    def __init__(
        self,
        store: Store,
        rules: Rulebook,
        bases: Bases,
        rate_cards: RateCards,
        *,
        counts_cached_input: bool = True,
    ) -> None:
        """`counts_cached_input`: tokens that a provider read from its cache count as others do."""
        self._store = store
        self._rules = rules
        self._bases = bases
        self._rate_cards = rate_cards
        self._holds = Holds(rate_cards, AnswerSizes())
        self._growth = Growth(store)
        self._counts_cached_input = counts_cached_input

    def rules_for(self, key: KeyFacts, call: Call) -> KeyRules:
        """All limits and budgets that the call is held to."""
        return self._rules.current.for_key(key, call.owners["project_id"])

    def is_priced(self, offering: OfferingFacts) -> bool:
        """Whether it is known what it costs now. What is free has a price, too: of nothing."""
        return self._rate_cards.find(offering, time.time()).has_prices

    @property
    def some_have_spent(self) -> bool:
        """Some providers have spent their budgets."""
        return bool(self._bases.spent_providers)

    def affordable(self, candidates: Sequence[Candidate], snapshot: Snapshot) -> Sequence[Candidate]:
        """Without those whose providers have spent their budgets."""
        spent = self._bases.spent_providers
        return [
            each
            for each in candidates
            if each.is_own or snapshot.providers[each.offering.provider_id].slug not in spent
        ]

    def estimate(self, call: Call, candidate: Candidate) -> tuple[int, int] | None:
        """What it is likely to cost there, and at most, in 10⁻¹⁰ USD; None where that has no price in USD."""
        if not self.is_priced(candidate.offering):
            return None
        return self._holds.estimate(call, expected_tokens(call), candidate, time.time())

    async def left(self, rules: KeyRules) -> tuple[Sequence[Standing], Sequence[BudgetLeft]]:
        """What is left of those limits that have a window, and of those budgets that refuse; nothing is taken."""
        now = time.time()
        standings = await self._store.standings([limit for limit in rules.limits if limit.window_s])
        budgets = []
        for each in rules.budgets:
            balance = await self._store.balance(each.subject)
            budgets += [
                BudgetLeft(each.subject, window, balance.spent(window), balance.held)
                for window in each.windows_at(now)
            ]
        return standings, budgets

    def admit(
        self, call: Call, rules: KeyRules, candidates: Sequence[Candidate], snapshot: Snapshot
    ) -> Awaitable[Verdict]:
        """Take all that the call needs, or nothing. What is admitted knows what was reserved, and where it has room.

        Raises Unavailable: nobody can say what was spent.
        """
        if rules.counts_calls_alone and not snapshot.has_quotas:
            return self._store.admit(Ask(call.id, rules.limits))
        return self._admit_all(call, rules, candidates, snapshot)

    async def _admit_all(
        self, call: Call, rules: KeyRules, candidates: Sequence[Candidate], snapshot: Snapshot
    ) -> Verdict:
        quotas = _quotas_of_all(candidates[:MOST_ASKED], snapshot.providers) if snapshot.has_quotas else ()
        if not (rules.limits or quotas or rules.budgets):
            return ADMITTED
        tokens = expected_tokens(call)
        ask = Ask(call.id, rules.limits, tokens.input_tokens, tokens.output_tokens, tokens.is_capped, quotas)
        paid: Sequence[Candidate] = ()
        budgets: Sequence[SubjectBudgets] = rules.budgets
        if budgets:
            paid = candidates
            if snapshot.credentials:
                paid = [each for each in candidates[:_MOST_TRIED] if not each.is_own]
                budgets = self._budgets_of_ways(ask, call, rules, candidates, paid)
            else:
                ask.budgets = self._holds.ask(call, tokens, budgets, paid[:MOST_ATTEMPTS], time.time())
        verdict = await self._store.admit(ask)
        if verdict.reason in _WORTH_INSISTING:
            began_at = time.monotonic()
            verdict = await self._insist(ask, budgets, verdict, call.waited_s)
            call.waited_s += time.monotonic() - began_at
        if verdict.is_admitted:
            call.reserved_at = time.time()
            if quotas and not candidates[verdict.candidate].is_own:
                call.has_room_at = candidates[verdict.candidate].way
        elif (
            verdict.budget
            and paid
            and not counts_own(verdict.budget[0])
            and (own := [each for each in candidates if each.is_own])
        ):
            # What its budgets have no room for is still the team's to pay elsewhere.
            call.offering_ids = tuple([each.way for each in own])
            return await self.admit(call, rules, own, snapshot)
        elif verdict.reason == "held" and verdict.budget:
            self._bases.refused_while_held(*verdict.budget)
        return verdict

    def _budgets_of_ways(
        self,
        ask: Ask,
        call: Call,
        rules: KeyRules,
        candidates: Sequence[Candidate],
        paid: Sequence[Candidate],
    ) -> Sequence[SubjectBudgets]:
        """Ask of each budget what the ways may cost that it counts: those that are paid here, or all of them."""
        now, tokens = time.time(), expected_tokens(call)
        plain = [each for each in rules.budgets if not each.counts_own] if paid else []
        own = [each for each in rules.budgets if each.counts_own] if rules.counts_own else []
        asked = self._holds.ask(call, tokens, plain, paid[:MOST_ATTEMPTS], now) if plain else []
        if own:
            asked += self._holds.ask(call, tokens, own, candidates[:_MOST_TRIED], now)
        ask.budgets = asked
        return [*plain, *own]

    async def _insist(
        self, ask: Ask, budgets: Sequence[SubjectBudgets], verdict: Verdict, waited_before_s: float
    ) -> Verdict:
        """Say what was spent where that is unknown, and wait for what other calls hold: a second with all before it."""
        began_at = time.monotonic()
        times_learned = 0
        while True:
            waited_s = time.monotonic() - began_at
            if verdict.reason == "unknown" and times_learned < _MOST_LEARNED:
                times_learned += 1
                await self._bases.learn(budgets)
            elif verdict.reason == "held" and waited_before_s + waited_s < LONGEST_WAIT_S:
                await asyncio.sleep(_LOOK_S * (0.5 + random()))  # noqa: S311  (so that not all look at once)
            elif verdict.reason == "lost" and waited_s < _WAIT_FOR_OTHERS_S:
                await asyncio.sleep(min(verdict.retry_after_s, _LOOK_S))
            elif verdict.reason in {"unknown", "lost"}:
                message = "What was spent of a budget cannot be said at the moment."
                raise Unavailable(message, code="budget_unknown", retry_after_s=2)
            else:
                return verdict
            # A window may have turned meanwhile.
            for asked, each in zip(ask.budgets, budgets, strict=False):
                asked.windows = each.windows_at(time.time())
            verdict = await self._store.admit(ask)

    async def make_room(self, call: Call, quotas: Quotas) -> bool:
        """Take what a later attempt needs of an offering's and its provider's quotas."""
        tokens = expected_tokens(call)
        ask = Ask(call.id, (), tokens.input_tokens, tokens.output_tokens, tokens.is_capped, (quotas,))
        return (await self._store.admit(ask)).is_admitted

    def correct(self, call: Call, used: Mapping[str, int]) -> None:
        """Put what the call used, by the names of providers.wire.usage, in place of what its owners had reserved."""
        rules = self._rules_of(call)
        if rules.token_limits:
            # A worker learns later whether its answer has arrived, and what it costs is settled then.
            self._put_right(rules.token_limits, call, used, call.reserved_at, waits=bool(rules.holders))

    def correct_quotas(self, call: Call, quotas: Quotas, used: Mapping[str, int], reserved_at: float) -> None:
        """The same of one attempt and its provider."""
        if counted := [quota for quota in quotas if quota.counts_tokens]:
            self._put_right(counted, call, used, reserved_at)

    def grow(self, call: Call, chars: Callable[[], int], cost_usd: Costing, *, is_own: bool = False) -> None:
        """Raise what a stream holds while it outgrows it; `chars` tells how long it is by now.

        `is_own`: the team pays the provider itself, so it holds something of those budgets only that count it.
        """
        rules = self._rules_of(call)
        if subjects := rules.own_payers if is_own else rules.holders:
            self._growth.watch(call, subjects, chars, cost_usd, is_own=is_own)

    def has_ended(self, call: Call) -> None:
        """Its stream grows no more."""
        self._growth.forget(call.id)

    def learn(self, call: Call, model: str, output_tokens: int) -> None:
        """How long its answer was."""
        self._holds.learn(call, model, output_tokens)

    def release(self, call: Call, *, leaves_holds: bool = False) -> None:
        """Give back what this process took for the call; `leaves_holds`: whoever makes it settles those."""
        self._store.release(call.id, leaves_holds=leaves_holds)

    def release_holds(self, call: Call) -> None:
        """Give back what the call holds of budgets, whoever took it."""
        if holders := self._rules_of(call).holders:
            self._store.release_holds(call.id, holders)

    def _rules_of(self, call: Call) -> CallRules:
        return self._rules.current.of_call(tuple(map(call.owners.get, _OWNERS, _NOBODY)), call.team_id)

    def _put_right(
        self,
        counted: Sequence[Limit],
        call: Call,
        used: Mapping[str, int],
        reserved_at: float,
        *,
        waits: bool = False,
    ) -> None:
        read = used.get("input_tokens", 0)
        if not self._counts_cached_input:
            read -= min(read, used.get("cached_read_tokens", 0))
        counted_at_end = Tokens(read, used.get("output_tokens", 0))
        self._store.correct(counted, expected_tokens(call), counted_at_end, reserved_at, waits=waits)


def expected_tokens(call: Call) -> Tokens:
    """What is reserved for a call: the same whoever asks, so that what was reserved can be put right."""
    if call.reserved is None:
        read = call.input_tokens or estimate_input_tokens(call.body)
        most = operation_of(call.endpoint).most_output_tokens(call)
        call.reserved = Tokens(read, UNKNOWN, True) if most is None else Tokens(read, most)
    return call.reserved  # type: ignore[return-value]  # nobody else says it


def _quotas_of_all(
    candidates: Sequence[Candidate], providers: Mapping[int, ProviderFacts]
) -> tuple[Quotas, ...]:
    """Empty where none of them has any, as is common."""
    quotas = [
        ()
        if each.credential and each.is_own
        else quotas_of(each.offering, providers[each.offering.provider_id], each.credential)
        for each in candidates
    ]
    return tuple(quotas) if any(quotas) else ()
